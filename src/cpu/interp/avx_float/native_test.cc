// Every row of the family against the host CPU, where it has AVX2, FMA and F16C: register and
// memory forms, results, flags, MXCSR, floating-point exceptions, alignment. Approximations are not
// compared: vendors differ. Page faults are with the whole interpreter.
#include <gtest/gtest.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <cstddef>
#include <random>
#include <sstream>

#include "cpu/decode/decoder.h"
#include "cpu/interp/avx_float/test_machine.h"

namespace uchronia::cpu::interp::avx_float {
namespace {

constexpr u64 kSeed = 20261124;
constexpr int kCasesPerForm = 100;
constexpr u64 kWindow = 1024;  // bytes around the operand that are compared
constexpr u64 kOperand = kPageSize / 2;

// The standard XSAVE area (APM vol. 2, 11.5.2), and the general registers.
struct Native {
    alignas(64) u8 area[832];
    u64 rax, rcx, rdx, rdi, rflags;
    const void* code;

    template <class T>
    T& at(std::size_t offset) {
        return *reinterpret_cast<T*>(area + offset);
    }
    static constexpr std::size_t kControl = 0, kMXCSR = 24, kXMM = 160, kComponents = 512,
                                 kUpper = 576;

    void set_vector(unsigned number, const VectorRegister& value) {
        std::memcpy(area + kXMM + 16 * number, &value.q[0], 16);
        std::memcpy(area + kUpper + 16 * number, &value.q[2], 16);
    }
    std::array<u64, 4> vector(unsigned number) {
        const u64 components = at<u64>(kComponents);
        std::array<u64, 4> value{};
        if ((components & 2) != 0)
            std::memcpy(&value[0], area + kXMM + 16 * number, 16);
        if ((components & 4) != 0)
            std::memcpy(&value[2], area + kUpper + 16 * number, 16);
        return value;
    }
};

// The signal handler's way out.
sigjmp_buf native_exit;
Native* native_state;

void on_signal(int number, siginfo_t*, void* context) {
    const auto* u = static_cast<const ucontext_t*>(context);
    std::memcpy(native_state->area, u->uc_mcontext.fpregs, sizeof native_state->area);
    siglongjmp(native_exit, number);
}

void execute(Native* n) {
    asm volatile(
        "lea -256(%%rsp), %%rsp\n\t"
        "mov $7, %%eax\n\txor %%edx, %%edx\n\txrstor64 (%%rbx)\n\t"
        "pushq %c[rflags](%%rbx)\n\tpopfq\n\t"
        "mov %c[rax](%%rbx), %%rax\n\tmov %c[rcx](%%rbx), %%rcx\n\t"
        "mov %c[rdx](%%rbx), %%rdx\n\tmov %c[rdi](%%rbx), %%rdi\n\t"
        "call *%c[code](%%rbx)\n\t"
        "mov %%rax, %c[rax](%%rbx)\n\tmov %%rcx, %c[rcx](%%rbx)\n\t"
        "mov %%rdx, %c[rdx](%%rbx)\n\t"
        "pushfq\n\tpopq %c[rflags](%%rbx)\n\t"
        "mov $7, %%eax\n\txor %%edx, %%edx\n\txsave64 (%%rbx)\n\t"
        "vzeroupper\n\tldmxcsr %[plain]\n\t"
        "lea 256(%%rsp), %%rsp\n\t"
        :
        : "b"(n), [rax] "i"(offsetof(Native, rax)), [rcx] "i"(offsetof(Native, rcx)),
          [rdx] "i"(offsetof(Native, rdx)), [rdi] "i"(offsetof(Native, rdi)),
          [rflags] "i"(offsetof(Native, rflags)), [code] "i"(offsetof(Native, code)),
          [plain] "m"(sse::kHostMXCSR)
        : "rax", "rcx", "rdx", "rdi", "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4",
          "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
          "xmm15");
}

// 0, or the signal that ended it.
int run_native(Native& n) {
    native_state = &n;
    const int number = sigsetjmp(native_exit, 1);
    if (number != 0) {
        asm volatile("vzeroupper\n\tldmxcsr %0" : : "m"(sse::kHostMXCSR));
        return number;
    }
    execute(&n);
    return 0;
}

Vector expected_vector(int number) {
    return number == SIGFPE ? Vector::kXF : number == SIGSEGV ? Vector::kGP : Vector::kUD;
}

bool has(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

struct Case {
    FamilyRow family;
    bool memory, wide;

    bool gathers() const { return has(family.row.name, "_vm"); }
    bool general_rm() const { return has(family.row.name, "_E"); }
    bool general_reg() const { return has(family.row.name, "_G"); }
    bool sized() const { return has(family.row.name, "_Ey") || has(family.row.name, "_Gy"); }
    bool has_vvvv() const { return has(family.row.name, "_H"); }
    bool has_modrm() const { return has(family.row.encoding, "/"); }
};

std::vector<Case> all_cases() {
    std::vector<Case> cases;
    for (const FamilyRow& f : family_rows()) {
        if (f.row.host == HostPolicy::kApproximate)
            continue;
        for (const bool memory : {false, true}) {
            if (has(f.row.encoding, memory ? " reg" : " mem"))
                continue;
            for (const bool wide : {false, true}) {
                const Case c{f, memory, wide};
                if ((!wide || c.sized()) && (!memory || c.has_modrm()))
                    cases.push_back(c);
            }
        }
    }
    return cases;
}

// Register fields of one encoded instruction.
struct Fields {
    u8 reg, vvvv, rm, is4, scale, immediate;
    bool ignored;  // VEX.L and VEX.W where they are ignored
};

// VEX.<L>.<pp>.<map>.<W> <opcode> /r|/digit [mem|reg] [ib|is4] into bytes. Memory is [RDI], or
// [RDI + index * scale] with the register `rm` as the index.
std::vector<u8> encode(const Case& c, const Fields& f) {
    std::istringstream words{std::string(c.family.row.encoding)};
    std::string vex, opcode, modrm;
    words >> vex >> opcode >> modrm;
    const u8 reg = modrm == "" || modrm == "/r" ? f.reg : static_cast<u8>(modrm[1] - '0');
    const u8 map = has(vex, ".0F38.") ? 2 : has(vex, ".0F3A.") ? 3 : 1;
    const u8 pp = has(vex, ".66.") ? 1 : has(vex, ".F3.") ? 2 : has(vex, ".F2.") ? 3 : 0;
    const bool w =
        has(vex, ".W1") || (has(vex, ".WIG") && (c.sized() || c.general_rm() ? c.wide : f.ignored));
    const bool l = has(vex, ".256.") || (has(vex, ".LIG.") && f.ignored);
    const bool b = !c.memory && f.rm >= 8, x = c.gathers() && f.rm >= 8;
    std::vector<u8> bytes = {0xc4};
    bytes.push_back(static_cast<u8>((reg < 8) << 7 | !x << 6 | !b << 5 | map));
    const u8 vvvv = c.has_vvvv() ? f.vvvv : 0;
    bytes.push_back(static_cast<u8>(w << 7 | (~vvvv & 15) << 3 | l << 2 | pp));
    bytes.push_back(static_cast<u8>(std::stoul(opcode, nullptr, 16)));
    const u8 rm = c.gathers() ? 4 : c.memory ? 7 : 0xc0 | (f.rm & 7);
    if (c.has_modrm())
        bytes.push_back(static_cast<u8>(rm | (reg & 7) << 3));
    if (c.gathers())
        bytes.push_back(static_cast<u8>(f.scale << 6 | (f.rm & 7) << 3 | 7));
    if (has(c.family.row.encoding, "is4"))
        bytes.push_back(static_cast<u8>(f.is4 << 4));
    else if (has(c.family.row.encoding, " ib"))
        bytes.push_back(f.immediate);
    return bytes;
}

class NativeTest : public testing::Test {
  protected:
    void SetUp() override {
        code_ = static_cast<u8*>(mmap(nullptr, kPageSize, PROT_READ | PROT_WRITE | PROT_EXEC,
                                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        ASSERT_NE(code_, MAP_FAILED);
        struct sigaction action {};
        action.sa_sigaction = on_signal;
        action.sa_flags = SA_SIGINFO | SA_NODEFER;
        for (std::size_t i = 0; i < std::size(kSignals); ++i)
            sigaction(kSignals[i], &action, &old_[i]);
    }
    void TearDown() override {
        for (std::size_t i = 0; i < std::size(kSignals); ++i)
            sigaction(kSignals[i], &old_[i], nullptr);
        munmap(code_, kPageSize);
    }

    static constexpr int kSignals[] = {SIGFPE, SIGSEGV, SIGILL};
    struct sigaction old_[3];
    u8* code_ = nullptr;
    alignas(64) u8 host_memory_[kPageSize] = {};
    std::mt19937_64 random_{kSeed};
    TestMachine machine_;

    u8 below(unsigned limit) { return static_cast<u8>(random_() % limit); }

    // Edges, anything, and numbers near 1 with few bits, for a format.
    template <class Bits>
    Bits random_float(int fraction_bits) {
        const Bits sign = static_cast<Bits>(random_() << (8 * sizeof(Bits) - 1));
        const Bits hidden = static_cast<Bits>(Bits{1} << fraction_bits);
        const Bits infinity = static_cast<Bits>((Bits{1} << (8 * sizeof(Bits) - 1)) - hidden);
        const Bits one = static_cast<Bits>((infinity >> 1) & ~(hidden - 1));
        const Bits fraction = static_cast<Bits>(random_() & (hidden - 1));
        switch (random_() % 6) {
            case 0: {
                const Bits edges[] = {0,
                                      1,
                                      static_cast<Bits>(hidden - 1),
                                      hidden,
                                      one,
                                      static_cast<Bits>(infinity - 1),
                                      infinity,
                                      static_cast<Bits>(infinity + 1),
                                      static_cast<Bits>(infinity + hidden / 2 + 5)};
                return sign | edges[random_() % std::size(edges)];
            }
            case 1:
                return static_cast<Bits>(random_());
            case 2:  // near the least and the greatest
                return sign | static_cast<Bits>((random_() % 2 != 0 ? 0 : infinity - 8 * hidden) +
                                                random_() % 8 * hidden + fraction);
            default: {
                const Bits kept = static_cast<Bits>(~Bits{0} << random_() % fraction_bits);
                return sign |
                       static_cast<Bits>(one + (random_() % 32 - 16) * hidden + (fraction & kept));
            }
        }
    }
    u64 random_quad() {
        switch (random_() % 8) {
            case 0:
                return random_() % 70;
            case 1:
                return random_();
            case 2: {
                u64 value = 0;
                for (int i = 0; i < 4; ++i)
                    value = value << 16 | random_float<u16>(10);
                return value;
            }
            case 3:
            case 4:
            case 5:
                return random_float<u64>(52);
            default:
                return u64{random_float<u32>(23)} << 32 | random_float<u32>(23);
        }
    }

    Fields random_fields(const Case& c) {
        Fields f{
            below(16),         below(16),
            below(16),         below(16),
            below(4),          static_cast<u8>(random_() % 3 != 0 ? random_() : random_() % 32),
            random_() % 2 != 0};
        if (c.general_rm())
            f.rm = below(3);
        if (c.general_reg())
            f.reg = below(3);
        while (c.gathers() && (f.rm == f.reg || f.rm == f.vvvv || f.reg == f.vvvv)) {
            f.rm = below(16);
            f.vvvv = below(16);
        }
        return f;
    }

    // Indices that stay in the window.
    u64 random_index(const Case& c) {
        const auto part = [&] { return static_cast<i64>(random_() % 64) - 32; };
        if (has(c.family.row.name, "_vm64"))
            return static_cast<u64>(part());
        return static_cast<u64>(part()) << 32 | static_cast<u32>(part());
    }

    u32 random_control(bool unmask) {
        const u32 masks =
            unmask ? static_cast<u32>(random_()) & sse::mxcsr::kMasks : sse::mxcsr::kMasks;
        return masks | (random_() % 4 != 0 ? 0 : static_cast<u32>(random_()) & 0xe07f);
    }

    void prepare(const Case& c, const Fields& f, int index, Native& n) {
        CPUState& state = machine_.cpu.state;
        for (auto& vector : state.vectors)
            vector.q = {random_quad(), random_quad(), random_quad(), random_quad()};
        if (random_() % 4 == 0 && !c.general_rm())
            state.vectors[f.rm] = state.vectors[f.vvvv];
        if (c.gathers())
            state.vectors[f.rm].q = {random_index(c), random_index(c), random_index(c),
                                     random_index(c)};
        state.mxcsr = random_control(index % 4 == 3);
        for (unsigned r : {kRAX, kRCX, kRDX})
            state.gpr[r] = random_quad();
        state.set_rflags(0x202 | (random_() & rflags::kArithmetic));
        for (u64 i = kOperand - kWindow; i < kOperand + kWindow; i += 8)
            reinterpret_cast<u64&>(host_memory_[i]) = random_quad();
        std::memcpy(machine_.memory, host_memory_, kPageSize);
        const u64 misalignment = index % 16 == 15 ? 4u << below(3) : 0;
        state.gpr[kRDI] = kPageSize + kOperand + misalignment;

        std::memset(n.area, 0, sizeof n.area);
        n.at<u16>(Native::kControl) = 0x37f;
        n.at<u32>(Native::kMXCSR) = state.mxcsr;
        n.at<u64>(Native::kComponents) = 7;
        for (unsigned i = 0; i < 16; ++i)
            n.set_vector(i, state.vectors[i]);
        n.rax = state.gpr[kRAX];
        n.rcx = state.gpr[kRCX];
        n.rdx = state.gpr[kRDX];
        n.rdi = reinterpret_cast<u64>(host_memory_) + kOperand + misalignment;
        n.rflags = state.rflags();
    }

    void compare(Native& n, int number) {
        const CPUState& state = machine_.cpu.state;
        if (number == 0) {
            EXPECT_EQ(state.gpr[kRAX], n.rax);
            EXPECT_EQ(state.gpr[kRCX], n.rcx);
            EXPECT_EQ(state.gpr[kRDX], n.rdx);
            EXPECT_EQ(state.rflags() & rflags::kArithmetic, n.rflags & rflags::kArithmetic);
        }
        EXPECT_EQ(std::memcmp(machine_.memory, host_memory_, kPageSize), 0);
        for (unsigned i = 0; i < 16; ++i)
            EXPECT_EQ(state.vectors[i].q, n.vector(i)) << "ymm" << i;
    }

    void run_case(const Case& c, int index) {
        Native n;
        const Fields fields = random_fields(c);
        prepare(c, fields, index, n);
        std::vector<u8> bytes = encode(c, fields);
        std::memcpy(code_, bytes.data(), bytes.size());
        code_[bytes.size()] = 0xc3;
        n.code = code_;

        Decoded decoded;
        bytes.resize(15);
        ASSERT_EQ(decode(bytes, CodeMode::k64, 0, decoded), DecodeStatus::kDone);
        ASSERT_EQ(row_of(decoded.instruction).name, c.family.row.name);
        const CPUState before = machine_.cpu.state;
        const int number = run_native(n);
        machine_.run(*c.family.handlers, decoded);
        ASSERT_EQ(machine_.cpu.exit, number == 0 ? Exit::kNone : Exit::kFault)
            << "signal " << number;
        if (number != 0) {
            ASSERT_EQ(machine_.cpu.fault.vector, expected_vector(number));
        }
        EXPECT_EQ(machine_.cpu.state.mxcsr, n.at<u32>(Native::kMXCSR));
        compare(n, number);
        if (!HasFailure())
            return;
        const auto show = [&](const char* what, u8 r) {
            const auto& q = before.vectors[r].q;
            std::ostringstream text;
            text << std::hex << q[3] << ' ' << q[2] << ' ' << q[1] << ' ' << q[0];
            ADD_FAILURE() << what << " = " << text.str();
        };
        show("reg", fields.reg);
        show("vvvv", fields.vvvv);
        show("rm", fields.rm);
        ADD_FAILURE() << "MXCSR was " << std::hex << before.mxcsr << ", signal " << number;
    }
};

TEST_F(NativeTest, EveryRowAgreesWithTheHost) {
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) {
        RecordProperty("not_compared", "the host has no AVX2 or no FMA");
        return;
    }
    for (const Case& c : all_cases()) {
        for (int i = 0; i < kCasesPerForm; ++i) {
            run_case(c, i);
            ASSERT_FALSE(HasFailure())
                << c.family.row.name << (c.memory ? " memory" : " register")
                << (c.wide ? " VEX.W" : "") << " case " << i << " of seed " << kSeed;
        }
    }
}

}  // namespace
}  // namespace uchronia::cpu::interp::avx_float
