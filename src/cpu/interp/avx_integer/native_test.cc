// Every row of the family against the host CPU, where it has AVX2: register and memory forms,
// results, flags, memory. Faults are in availability_test.cc and with the whole interpreter.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstddef>
#include <random>
#include <sstream>

#include "cpu/decode/decoder.h"
#include "cpu/interp/avx_integer/test_machine.h"

namespace uchronia::cpu::interp::avx_integer {
namespace {

constexpr u64 kSeed = 20261123;
constexpr int kCasesPerForm = 100;
constexpr u64 kWindow = 1024;  // bytes around the operand that are compared
constexpr u64 kOperand = kPageSize / 2;

struct Native {
    alignas(32) VectorRegister ymm[16];
    u64 rax, rcx, rdx, rdi, rflags;
    const void* code;
};

// Register fields of one encoded instruction.
struct Fields {
    u8 reg, vvvv, rm, is4, scale, immediate;
};

void execute(Native* n) {
    asm volatile(
        "lea -256(%%rsp), %%rsp\n\t"
        "vmovdqu (%%rbx), %%ymm0\n\tvmovdqu 32(%%rbx), %%ymm1\n\t"
        "vmovdqu 64(%%rbx), %%ymm2\n\tvmovdqu 96(%%rbx), %%ymm3\n\t"
        "vmovdqu 128(%%rbx), %%ymm4\n\tvmovdqu 160(%%rbx), %%ymm5\n\t"
        "vmovdqu 192(%%rbx), %%ymm6\n\tvmovdqu 224(%%rbx), %%ymm7\n\t"
        "vmovdqu 256(%%rbx), %%ymm8\n\tvmovdqu 288(%%rbx), %%ymm9\n\t"
        "vmovdqu 320(%%rbx), %%ymm10\n\tvmovdqu 352(%%rbx), %%ymm11\n\t"
        "vmovdqu 384(%%rbx), %%ymm12\n\tvmovdqu 416(%%rbx), %%ymm13\n\t"
        "vmovdqu 448(%%rbx), %%ymm14\n\tvmovdqu 480(%%rbx), %%ymm15\n\t"
        "pushq %c[rflags](%%rbx)\n\tpopfq\n\t"
        "mov %c[rax](%%rbx), %%rax\n\tmov %c[rcx](%%rbx), %%rcx\n\t"
        "mov %c[rdx](%%rbx), %%rdx\n\tmov %c[rdi](%%rbx), %%rdi\n\t"
        "call *%c[code](%%rbx)\n\t"
        "mov %%rax, %c[rax](%%rbx)\n\tmov %%rcx, %c[rcx](%%rbx)\n\t"
        "mov %%rdx, %c[rdx](%%rbx)\n\t"
        "pushfq\n\tpopq %c[rflags](%%rbx)\n\t"
        "vmovdqu %%ymm0, (%%rbx)\n\tvmovdqu %%ymm1, 32(%%rbx)\n\t"
        "vmovdqu %%ymm2, 64(%%rbx)\n\tvmovdqu %%ymm3, 96(%%rbx)\n\t"
        "vmovdqu %%ymm4, 128(%%rbx)\n\tvmovdqu %%ymm5, 160(%%rbx)\n\t"
        "vmovdqu %%ymm6, 192(%%rbx)\n\tvmovdqu %%ymm7, 224(%%rbx)\n\t"
        "vmovdqu %%ymm8, 256(%%rbx)\n\tvmovdqu %%ymm9, 288(%%rbx)\n\t"
        "vmovdqu %%ymm10, 320(%%rbx)\n\tvmovdqu %%ymm11, 352(%%rbx)\n\t"
        "vmovdqu %%ymm12, 384(%%rbx)\n\tvmovdqu %%ymm13, 416(%%rbx)\n\t"
        "vmovdqu %%ymm14, 448(%%rbx)\n\tvmovdqu %%ymm15, 480(%%rbx)\n\t"
        "vzeroupper\n\t"
        "lea 256(%%rsp), %%rsp\n\t"
        :
        : "b"(n), [rax] "i"(offsetof(Native, rax)), [rcx] "i"(offsetof(Native, rcx)),
          [rdx] "i"(offsetof(Native, rdx)), [rdi] "i"(offsetof(Native, rdi)),
          [rflags] "i"(offsetof(Native, rflags)), [code] "i"(offsetof(Native, code))
        : "rax", "rcx", "rdx", "rdi", "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4",
          "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
          "xmm15");
}

bool has(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

struct Case {
    FamilyRow family;
    bool memory, wide;

    bool gathers() const { return has(family.row.name, "_vm"); }
    bool general_rm() const { return has(family.row.name, "_Ey") || has(family.row.name, "_Rd"); }
    bool general_reg() const { return has(family.row.name, "_Gd"); }
    bool has_vvvv() const { return has(family.row.name, "_H"); }
};

std::vector<Case> all_cases() {
    std::vector<Case> cases;
    for (const FamilyRow& f : family_rows()) {
        for (const bool memory : {false, true}) {
            if (has(f.row.encoding, memory ? " reg" : " mem"))
                continue;
            for (const bool wide : {false, true}) {
                if (!wide || has(f.row.name, "_Ey") || has(f.row.name, "VPCMPESTR"))
                    cases.push_back({f, memory, wide});
            }
        }
    }
    return cases;
}

// VEX.<L>.<pp>.<map>.<W> <opcode> /r|/digit [mem|reg] [ib|is4] into bytes. Memory is [RDI], or
// [RDI + index * scale] with the register `rm` as the index.
std::vector<u8> encode(const Case& c, const Fields& f) {
    std::istringstream words{std::string(c.family.row.encoding)};
    std::string vex, opcode, modrm;
    words >> vex >> opcode >> modrm;
    const u8 reg = modrm == "/r" ? f.reg : static_cast<u8>(modrm[1] - '0');
    const u8 map = has(vex, ".0F38.") ? 2 : has(vex, ".0F3A.") ? 3 : 1;
    const u8 pp = has(vex, ".66.") ? 1 : has(vex, ".F3.") ? 2 : has(vex, ".F2.") ? 3 : 0;
    const bool w = has(vex, ".W1") || c.wide;
    const bool b = !c.memory && f.rm >= 8, x = c.gathers() && f.rm >= 8;
    std::vector<u8> bytes = {0xc4};
    bytes.push_back(static_cast<u8>((reg < 8) << 7 | !x << 6 | !b << 5 | map));
    const u8 vvvv = c.has_vvvv() ? f.vvvv : 0;
    bytes.push_back(static_cast<u8>(w << 7 | (~vvvv & 15) << 3 | has(vex, ".256.") << 2 | pp));
    bytes.push_back(static_cast<u8>(std::stoul(opcode, nullptr, 16)));
    const u8 rm = c.gathers() ? 4 : c.memory ? 7 : 0xc0 | (f.rm & 7);
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
    }
    void TearDown() override { munmap(code_, kPageSize); }

    u8* code_ = nullptr;
    alignas(64) u8 host_memory_[kPageSize] = {};
    std::mt19937_64 random_{kSeed};
    TestMachine machine_;

    u8 below(unsigned limit) { return static_cast<u8>(random_() % limit); }

    u64 random_quad() {
        switch (random_() % 5) {
            case 0:
                return random_() % 70;
            case 1:
                return random_() & 0x01017f80ff00ff00;
            case 2:
                return (random_() % 40) << 32 | random_() % 40;
            case 3:
                return (random_() & 0x8000800080008000) | 0x7fff007f7fffffff;
            default:
                return random_();
        }
    }

    Fields random_fields(const Case& c) {
        Fields f{below(16), below(16),
                 below(16), below(16),
                 below(4),  static_cast<u8>(random_() % 3 != 0 ? random_() : random_() % 20)};
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

    void prepare(const Case& c, const Fields& f, Native& n) {
        CPUState& state = machine_.cpu.state;
        for (auto& vector : state.vectors)
            vector.q = {random_quad(), random_quad(), random_quad(), random_quad()};
        if (random_() % 3 == 0)
            state.vectors[f.rm] = state.vectors[f.vvvv];
        if (c.gathers())
            state.vectors[f.rm].q = {random_index(c), random_index(c), random_index(c),
                                     random_index(c)};
        for (unsigned i = 0; i < 16; ++i)
            n.ymm[i] = state.vectors[i];
        for (unsigned r : {kRAX, kRCX, kRDX})
            state.gpr[r] = random_() % 2 != 0 ? random_quad() : random_() % 20;
        state.set_rflags(0x202 | (random_() & rflags::kArithmetic));
        for (u64 i = kOperand - kWindow; i < kOperand + kWindow; ++i)
            host_memory_[i] = static_cast<u8>(random_());
        std::memcpy(machine_.memory, host_memory_, kPageSize);
        const u64 misalignment = below(32);
        state.gpr[kRDI] = kPageSize + kOperand + misalignment;
        n.rax = state.gpr[kRAX];
        n.rcx = state.gpr[kRCX];
        n.rdx = state.gpr[kRDX];
        n.rdi = reinterpret_cast<u64>(host_memory_) + kOperand + misalignment;
        n.rflags = state.rflags();
    }

    void compare(const Native& n) {
        const CPUState& state = machine_.cpu.state;
        EXPECT_EQ(state.gpr[kRAX], n.rax);
        EXPECT_EQ(state.gpr[kRCX], n.rcx);
        EXPECT_EQ(state.gpr[kRDX], n.rdx);
        EXPECT_EQ(state.rflags() & rflags::kArithmetic, n.rflags & rflags::kArithmetic);
        EXPECT_EQ(std::memcmp(machine_.memory, host_memory_, kPageSize), 0);
        for (unsigned i = 0; i < 16; ++i)
            EXPECT_EQ(state.vectors[i].q, n.ymm[i].q) << "ymm" << i;
    }

    void run_case(const Case& c) {
        Native n{};
        const Fields fields = random_fields(c);
        prepare(c, fields, n);
        std::vector<u8> bytes = encode(c, fields);
        std::memcpy(code_, bytes.data(), bytes.size());
        code_[bytes.size()] = 0xc3;
        n.code = code_;

        Decoded decoded;
        bytes.resize(15);
        ASSERT_EQ(decode(bytes, CodeMode::k64, 0, decoded), DecodeStatus::kDone);
        ASSERT_EQ(row_of(decoded.instruction).name, c.family.row.name);
        execute(&n);
        machine_.run(*c.family.handlers, decoded);
        ASSERT_EQ(machine_.cpu.exit, Exit::kNone);
        compare(n);
    }
};

TEST_F(NativeTest, EveryRowAgreesWithTheHost) {
    if (__builtin_cpu_supports("avx2") == 0) {
        RecordProperty("not_compared", "the host has no AVX2");
        return;
    }
    for (const Case& c : all_cases()) {
        for (int i = 0; i < kCasesPerForm; ++i) {
            run_case(c);
            ASSERT_FALSE(HasFailure())
                << c.family.row.name << (c.memory ? " memory" : " register")
                << (c.wide ? " VEX.W" : "") << " case " << i << " of seed " << kSeed;
        }
    }
}

}  // namespace
}  // namespace uchronia::cpu::interp::avx_integer
