// Every row of the family against the host CPU: register and memory forms, results, flags, MXCSR,
// x87 tags, faults.
//
// Not compared: RCPPS and relatives (approximate_test.cc), and the x87 state after CVTPI2PS and
// CVTPI2PD with a memory operand, where vendors differ.
#include <gtest/gtest.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <cstddef>
#include <random>
#include <sstream>

#include "cpu/decode/decoder.h"
#include "cpu/interp/sse/test_machine.h"

namespace uchronia::cpu::interp::sse {
namespace {

constexpr u64 kSeed = 20240611;
constexpr int kCasesPerForm = 200;

// What the host sees; the layout of FXSAVE is that of APM vol. 2, 11.4.4.
struct Native {
    alignas(16) u8 fxsave[512];
    u64 rax, rcx, rdx, rdi, rflags;
    const void* code;

    template <class T>
    T& at(std::size_t offset) {
        return *reinterpret_cast<T*>(fxsave + offset);
    }
    static constexpr std::size_t kStatus = 2, kTags = 4, kMXCSR = 24, kST = 32, kXMM = 160;
};

struct Case {
    InstructionRow row;
    const HandlerSet* handlers;
    bool memory, wide;
    std::vector<u8> bytes;
};

// The signal handler's way out. One thread, one case at a time.
sigjmp_buf native_exit;
Native* native_state;

void on_signal(int number, siginfo_t*, void* context) {
    const auto* u = static_cast<const ucontext_t*>(context);
    std::memcpy(native_state->fxsave, u->uc_mcontext.fpregs, sizeof native_state->fxsave);
    siglongjmp(native_exit, number);
}

void execute(Native* n) {
    asm volatile(
        "lea -256(%%rsp), %%rsp\n\t"
        "fxrstor64 (%%rbx)\n\t"
        "pushq %c[rflags](%%rbx)\n\tpopfq\n\t"
        "mov %c[rax](%%rbx), %%rax\n\tmov %c[rcx](%%rbx), %%rcx\n\t"
        "mov %c[rdx](%%rbx), %%rdx\n\tmov %c[rdi](%%rbx), %%rdi\n\t"
        "call *%c[code](%%rbx)\n\t"
        "mov %%rax, %c[rax](%%rbx)\n\tmov %%rcx, %c[rcx](%%rbx)\n\t"
        "mov %%rdx, %c[rdx](%%rbx)\n\t"
        "pushfq\n\tpopq %c[rflags](%%rbx)\n\t"
        "fxsave64 (%%rbx)\n\t"
        "fninit\n\tldmxcsr %[plain]\n\t"
        "lea 256(%%rsp), %%rsp\n\t"
        :
        : "b"(n), [rax] "i"(offsetof(Native, rax)), [rcx] "i"(offsetof(Native, rcx)),
          [rdx] "i"(offsetof(Native, rdx)), [rdi] "i"(offsetof(Native, rdi)),
          [rflags] "i"(offsetof(Native, rflags)), [code] "i"(offsetof(Native, code)),
          [plain] "m"(kHostMXCSR)
        : "rax", "rcx", "rdx", "rdi", "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4",
          "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
          "xmm15");
}

// 0, or the signal that ended it.
int run_native(Native& n) {
    native_state = &n;
    const int number = sigsetjmp(native_exit, 1);
    if (number != 0) {
        asm volatile("fninit\n\tldmxcsr %0" : : "m"(kHostMXCSR));
        return number;
    }
    execute(&n);
    return 0;
}

Exit expected_exit(int number) {
    return number == 0 ? Exit::kNone : Exit::kFault;
}
Vector expected_vector(int number) {
    return number == SIGFPE ? Vector::kXF : number == SIGSEGV ? Vector::kGP : Vector::kUD;
}

// The bytes of a row, with ModRM.reg = 1 and rm = 2 or [RDI]. The immediate comes last.
std::vector<u8> encode(const InstructionRow& row, bool memory, bool wide) {
    std::vector<u8> bytes;
    std::istringstream words{std::string(row.encoding)};
    std::string word;
    u8 reg = 1;
    bool modrm = false, immediate = false, opcode = false;
    while (words >> word) {
        if (word == "NP" || word == "reg" || word == "mem")
            continue;
        if (word[0] == '/') {
            modrm = true;
            if (word[1] != 'r')
                reg = static_cast<u8>(word[1] - '0');
        } else if (word == "ib") {
            immediate = true;
        } else {
            const u8 byte = static_cast<u8>(std::stoul(word, nullptr, 16));
            if (byte == 0x0f && !opcode) {
                if (wide)
                    bytes.push_back(0x48);
                opcode = true;
            }
            bytes.push_back(byte);
        }
    }
    if (modrm)
        bytes.push_back(static_cast<u8>((memory ? 0x07 : 0xc2) | (reg << 3)));
    if (immediate)
        bytes.push_back(0);
    return bytes;
}

std::vector<Case> all_cases() {
    std::vector<Case> cases;
    for (const FamilyRow& f : family_rows()) {
        const std::string name(f.row.name), encoding = " " + std::string(f.row.encoding) + " ";
        if (f.row.host == HostPolicy::kApproximate)
            continue;
        for (const bool memory : {false, true}) {
            if (encoding.find(memory ? " reg " : " mem ") != std::string::npos ||
                (memory && encoding.find("/") == std::string::npos))
                continue;
            for (const bool wide : {false, true}) {
                const bool sized = name.find("Ey") != std::string::npos ||
                                   name.find("Gy") != std::string::npos ||
                                   name.find("PCMPESTR") == 0;
                if (wide && !sized)
                    continue;
                cases.push_back({f.row, f.handlers, memory, wide, encode(f.row, memory, wide)});
            }
        }
    }
    return cases;
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
    std::mt19937_64 random_{kSeed};
    TestMachine machine_;

    u64 random_double() {
        static constexpr u64 kEdges[] = {0,
                                         1,
                                         0x000fffffffffffff,
                                         0x0010000000000000,
                                         0x3ff0000000000000,
                                         0x3fe0000000000000,
                                         0x4330000000000001,
                                         0x41dfffffffe00000,
                                         0x43e0000000000000,
                                         0x7fefffffffffffff,
                                         0x7ff0000000000000,
                                         0x7ff0000000000001,
                                         0x7ff8000000000123};
        const u64 kind = random_() % 4, sign = (random_() & 1) << 63;
        if (kind == 0)
            return sign | kEdges[random_() % std::size(kEdges)];
        if (kind == 1)
            return random_();
        return sign | (u64{1023 - 8 + random_() % 16} << 52) |
               (random_() >> 12 << random_() % 52 & 0xfffffffffffff);
    }
    u32 random_single() {
        static constexpr u32 kEdges[] = {0,          1,          0x007fffff, 0x00800000, 0x3f800000,
                                         0x3f000000, 0x4b000001, 0x4effffff, 0x5f000000, 0x7f7fffff,
                                         0x7f800000, 0x7f800001, 0x7fc00123};
        const u64 kind = random_() % 4;
        const u32 sign = static_cast<u32>(random_() & 1) << 31;
        if (kind == 0)
            return sign | kEdges[random_() % std::size(kEdges)];
        if (kind == 1)
            return static_cast<u32>(random_());
        return sign | (static_cast<u32>(127 - 8 + random_() % 16) << 23) |
               (static_cast<u32>(random_() >> 41 << random_() % 23) & 0x7fffff);
    }
    u64 random_quad() {
        switch (random_() % 5) {
            case 0:
                return random_();
            case 1:
                return random_() % 70;
            case 2:
                return random_double();
            case 3:
                return random_() & 0x01017f80ff00ff00;
            default:
                return u64{random_single()} << 32 | random_single();
        }
    }

    // The same start for both sides.
    void prepare(Native& n, u8* host_memory, bool unmask) {
        CPUState& state = machine_.cpu.state;
        for (auto& vector : state.vectors)
            vector.q = {random_quad(), random_quad(), random_(), random_()};
        const u32 masks = unmask ? static_cast<u32>(random_()) & mxcsr::kMasks : mxcsr::kMasks;
        const u32 control = random_() % 4 != 0 ? 0 : static_cast<u32>(random_()) & 0xe07f;
        state.mxcsr = control | masks;
        state.x87 = X87State{};
        state.x87.status = static_cast<u16>((random_() & 7) << 11);
        state.x87.empty = static_cast<u8>(random_());
        for (auto& r : state.x87.registers)
            r = {random_quad(), static_cast<u16>(random_())};
        for (unsigned r : {kRAX, kRCX, kRDX})
            state.gpr[r] = random_() % 2 != 0 ? random_quad() : random_() % 20;
        state.set_rflags(0x202 | (random_() & rflags::kArithmetic));
        for (unsigned i = 0; i < 4; ++i)
            reinterpret_cast<u64*>(host_memory)[i] = random_quad();
        std::memcpy(machine_.memory + TestMachine::kOffset, host_memory, 32);

        n.rax = state.gpr[kRAX];
        n.rcx = state.gpr[kRCX];
        n.rdx = state.gpr[kRDX];
        n.rflags = state.rflags();
        std::memset(n.fxsave, 0, sizeof n.fxsave);
        n.at<u16>(0) = state.x87.control;
        n.at<u16>(Native::kStatus) = state.x87.status;
        n.at<u8>(Native::kTags) = static_cast<u8>(~state.x87.empty);
        n.at<u32>(Native::kMXCSR) = state.mxcsr;
        for (unsigned i = 0; i < 8; ++i) {
            const auto& r = state.x87.registers[(i + state.x87.top()) & 7];
            n.at<u64>(Native::kST + 16 * i) = r.mantissa;
            n.at<u16>(Native::kST + 16 * i + 8) = r.exponent;
        }
        for (unsigned i = 0; i < 16; ++i)
            std::memcpy(&n.at<u8>(Native::kXMM + 16 * i), &state.vectors[i], 16);
    }

    void compare(const Case& c, Native& n, const u8* host_memory) {
        const CPUState& state = machine_.cpu.state;
        EXPECT_EQ(state.gpr[kRAX], n.rax);
        EXPECT_EQ(state.gpr[kRCX], n.rcx);
        EXPECT_EQ(state.gpr[kRDX], n.rdx);
        EXPECT_EQ(state.rflags() & rflags::kArithmetic, n.rflags & rflags::kArithmetic);
        EXPECT_EQ(std::memcmp(machine_.memory + TestMachine::kOffset, host_memory, 32), 0);
        for (unsigned i = 0; i < 16; ++i) {
            EXPECT_EQ(state.vectors[i].q[0], n.at<u64>(Native::kXMM + 16 * i)) << "xmm" << i;
            EXPECT_EQ(state.vectors[i].q[1], n.at<u64>(Native::kXMM + 16 * i + 8)) << "xmm" << i;
        }
        if (c.memory && c.row.name.substr(0, 6) == "CVTPI2")
            return;
        const unsigned top = (n.at<u16>(Native::kStatus) >> 11) & 7;
        EXPECT_EQ(state.x87.top(), top);
        EXPECT_EQ(state.x87.empty, static_cast<u8>(~n.at<u8>(Native::kTags)));
        for (unsigned i = 0; i < 8; ++i) {
            const auto& r = state.x87.registers[(i + top) & 7];
            EXPECT_EQ(r.mantissa, n.at<u64>(Native::kST + 16 * i)) << "st" << i;
            EXPECT_EQ(r.exponent, n.at<u16>(Native::kST + 16 * i + 8)) << "st" << i;
        }
    }

    void run_case(const Case& c, int index) {
        alignas(16) u8 host_memory[32];
        Native n;
        prepare(n, host_memory, index % 4 == 3);
        std::vector<u8> bytes = c.bytes;
        if (c.row.encoding.ends_with("ib"))
            bytes.back() = static_cast<u8>(random_() % 3 != 0 ? random_() : random_() % 16);
        const u64 misalignment = index % 16 == 15 ? 4 : 0;
        machine_.cpu.state.gpr[kRDI] = TestMachine::kAddress + misalignment;
        n.rdi = reinterpret_cast<u64>(host_memory + misalignment);
        std::memcpy(code_, bytes.data(), bytes.size());
        code_[bytes.size()] = 0xc3;
        n.code = code_;

        Decoded decoded;
        bytes.resize(15);
        ASSERT_EQ(decode(bytes, CodeMode::k64, 0, decoded), DecodeStatus::kDone);
        ASSERT_EQ(row_of(decoded.instruction).name, c.row.name);
        const u32 before = machine_.cpu.state.mxcsr;
        const int number = run_native(n);
        machine_.run(*c.handlers, decoded);
        ASSERT_EQ(machine_.cpu.exit, expected_exit(number)) << "signal " << number;
        if (number != 0) {
            ASSERT_EQ(machine_.cpu.fault.vector, expected_vector(number));
        }
        EXPECT_EQ(machine_.cpu.state.mxcsr, n.at<u32>(Native::kMXCSR)) << "before: " << before;
        compare(c, n, host_memory);
    }
};

TEST_F(NativeTest, EveryRowAgreesWithTheHost) {
    for (const Case& c : all_cases()) {
        for (int i = 0; i < kCasesPerForm; ++i) {
            run_case(c, i);
            ASSERT_FALSE(HasFailure())
                << c.row.name << (c.memory ? " memory" : " register") << (c.wide ? " REX.W" : "")
                << " case " << i << " of seed " << kSeed;
        }
    }
}

}  // namespace
}  // namespace uchronia::cpu::interp::sse
