// The host's x87 as a witness: every row that the host may execute, from random and edge states
// with random masks, rounding and precision, must leave the same unit, memory and flags.
//
// Not compared: the error pointers (FXSAVE of some hosts leaves them out), and the contents of
// registers that are empty afterwards.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstdlib>

#include "cpu/interp/x87/test_machine.h"

namespace uchronia::cpu::interp::x87 {
namespace {

struct alignas(16) HostImage {  // FXSAVE64
    u16 control, status;
    u8 tags, reserved;
    u16 opcode;
    u64 instruction, data;
    u32 mxcsr, mxcsr_mask;
    struct {
        u64 mantissa, exponent;
    } registers[8];
    u8 rest[352];
};
static_assert(sizeof(HostImage) == 512);

struct HostResult {
    u64 flags, rax;
};

// A page of host code around one instruction.
class HostCode {
  public:
    HostCode() {
        void* page = mmap(nullptr, kPageSize, PROT_READ | PROT_WRITE | PROT_EXEC,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        code_ = page == MAP_FAILED ? nullptr : static_cast<u8*>(page);
    }
    ~HostCode() {
        if (code_ != nullptr)
            munmap(code_, kPageSize);
    }
    bool usable() const { return code_ != nullptr; }

    void set_instruction(const std::vector<u8>& instruction) {
        // (in RDI, out RSI, memory RDX, result RCX; flags and rax in *RCX)
        static constexpr u8 kBefore[] = {0xff, 0x31, 0x9d,         // push [rcx]; popf
                                         0x48, 0x8b, 0x41, 0x08,   // mov rax, [rcx+8]
                                         0x48, 0x0f, 0xae, 0x0f};  // fxrstor64 [rdi]
        static constexpr u8 kAfter[] = {0x48, 0x0f, 0xae, 0x06,    // fxsave64 [rsi]
                                        0x9c, 0x8f, 0x01,          // pushf; pop [rcx]
                                        0x48, 0x89, 0x41, 0x08,    // mov [rcx+8], rax
                                        0xdb, 0xe3, 0xc3};         // fninit; ret
        std::vector<u8> all(std::begin(kBefore), std::end(kBefore));
        all.insert(all.end(), instruction.begin(), instruction.end());
        all.insert(all.end(), std::begin(kAfter), std::end(kAfter));
        std::memcpy(code_, all.data(), all.size());
    }
    void run(const HostImage& in, HostImage& out, void* memory, HostResult& result) const {
        using Function = void (*)(const HostImage*, HostImage*, void*, HostResult*);
        reinterpret_cast<Function>(code_)(&in, &out, memory, &result);
    }

  private:
    u8* code_ = nullptr;
};

// The bytes of a row with [RDX] or ST(i) as its operand.
std::vector<u8> bytes_of(std::string_view encoding, unsigned sti) {
    const auto hex = [&](std::size_t at) {
        return static_cast<u8>(
            std::strtoul(std::string(encoding.substr(at, 2)).c_str(), nullptr, 16));
    };
    const u8 opcode = hex(0);
    if (encoding.size() == 2)
        return {opcode};
    if (encoding[3] != '/')
        return {opcode, hex(3)};
    const u8 field = static_cast<u8>((encoding[4] - '0') << 3);
    const bool memory = encoding.ends_with("mem");
    return {opcode, static_cast<u8>(memory ? field | 2u : 0xc0u | field | sti)};
}

// What host and guest start from.
struct Start {
    HostImage image{};
    u64 flags = 0;
    u8 memory[128] = {};
};

Start random_start(Operands& operands) {
    Start start;
    u16 control = static_cast<u16>(0x40 | (operands.bits() & 0x0c00));
    static constexpr u16 kPrecisionControls[] = {0, 0x200, 0x300, 0x300};
    control |= kPrecisionControls[operands.below(4)];
    const u16 some = static_cast<u16>(operands.bits() & exception::kAll);
    control |= operands.below(2) != 0 ? exception::kAll : some;
    start.image.control = control;
    u16 status = static_cast<u16>(operands.bits() & (status::kConditions | status::kTop));
    status |= static_cast<u16>(operands.bits() & control & exception::kAll);
    start.image.status = status;
    start.image.tags = operands.below(4) == 0 ? static_cast<u8>(operands.bits()) : 0;
    const unsigned top = (status >> 11) & 7u;
    // Mostly ST(0) and ST(1) are there and ST(7) is empty.
    if (operands.below(16) != 0)
        start.image.tags |= static_cast<u8>((1u << top) | (1u << ((top + 1) & 7)));
    if (operands.below(8) != 0)
        start.image.tags &= static_cast<u8>(~(1u << ((top + 7) & 7)));
    start.image.mxcsr = 0x1f80;
    for (auto& r : start.image.registers) {
        const Extended value = operands.extended();
        r.mantissa = value.mantissa;
        r.exponent = value.exponent;
    }
    // Operands that are equal, or close, meet more rounding cases.
    if (operands.below(4) == 0) {
        start.image.registers[1] = start.image.registers[0];
        start.image.registers[1].exponent ^= operands.below(2) << 15;
        start.image.registers[1].mantissa ^= operands.below(4);
    }
    start.flags = 0x202 | (operands.bits() & rflags::kArithmetic);
    const Bytes10 bytes = operands.memory();
    std::memcpy(start.memory, &bytes, 10);
    return start;
}

// Keeps a transcendental function to what is defined, and masks what depends on exactness.
void restrict_to_domain(const InstructionRow& row, Start& start) {
    start.image.control |= exception::kOverflow | exception::kUnderflow | exception::kPrecision;
    const u64 exponent = start.image.registers[0].exponent & 0x7fff;
    const bool small_only = row.name == "F2XM1" || row.name == "FYL2XP1";
    if (small_only && exponent >= 0x3ffd && exponent != 0x7fff)
        start.image.registers[0].exponent -= exponent - 0x3ffc;
}

void load(TestMachine& machine, const Start& start) {
    X87State& x = machine.x87();
    x.control = start.image.control;
    x.status = start.image.status;
    x.empty = static_cast<u8>(~start.image.tags);
    for (unsigned i = 0; i < 8; ++i)
        x.registers[physical(x, i)] = {start.image.registers[i].mantissa,
                                       static_cast<u16>(start.image.registers[i].exponent)};
    machine.cpu.state.set_rflags(start.flags);
    machine.cpu.state.gpr[kRAX] = 0x1122334455667788;
    std::memcpy(machine.memory, start.memory, sizeof start.memory);
}

std::string describe(const Start& start) {
    char text[400];
    int used = std::snprintf(text, sizeof text, "cw %04x sw %04x tags %02x memory ",
                             start.image.control, start.image.status, start.image.tags);
    for (int i = 9; i >= 0; --i)
        used += std::snprintf(text + used, sizeof text - static_cast<size_t>(used), "%02x",
                              start.memory[i]);
    for (const auto& r : start.image.registers)
        used += std::snprintf(text + used, sizeof text - static_cast<size_t>(used), " %04x.%016llx",
                              static_cast<unsigned>(r.exponent),
                              static_cast<unsigned long long>(r.mantissa));
    return text;
}

// What is compared of a row, and how exactly.
struct Comparison {
    u16 status_mask = 0xffff;
    u64 ulps = 0;  // by which register results may differ
};

Comparison comparison_for(const InstructionRow& row) {
    if (row.host == HostPolicy::kUndefinedFlags)
        return {static_cast<u16>(~status::kC1), 0};
    // Which way a result was rounded, and whether a tiny or exact one counts as inexact, follows
    // from the approximation. Two results within an ulp of the truth differ by two at most.
    if (row.host == HostPolicy::kTranscendental)
        return {static_cast<u16>(~(status::kC1 | exception::kPrecision | exception::kUnderflow)),
                2};
    return {};
}

// Distance in units of the last place, as of numbers on one axis; huge across signs.
u64 distance(const Extended& a, const Extended& b) {
    if ((a.exponent ^ b.exponent) >> 15 != 0)
        return ~u64{0};
    const auto rank = [](const Extended& value) {
        return (static_cast<u128>(value.exponent & 0x7fff) << 63) | (value.mantissa & ~kIntegerBit);
    };
    const u128 x = rank(a), y = rank(b);
    const u128 difference = x > y ? x - y : y - x;
    return difference > ~u64{0} ? ~u64{0} : static_cast<u64>(difference);
}

// True if everything that is compared is equal.
bool same(TestMachine& machine, const HostImage& host, const HostResult& result,
          const u8* host_memory, const Comparison& how) {
    X87State& x = machine.x87();
    EXPECT_EQ(machine.cpu.exit, Exit::kNone);
    EXPECT_EQ(x.control, host.control);
    EXPECT_EQ(x.status & how.status_mask, host.status & how.status_mask)
        << std::hex << x.status << " host " << host.status;
    EXPECT_EQ(static_cast<u8>(~x.empty), host.tags);
    for (unsigned i = 0; i < 8; ++i) {
        const Extended theirs{host.registers[i].mantissa,
                              static_cast<u16>(host.registers[i].exponent)};
        EXPECT_TRUE(is_empty(x, i) || distance(st(x, i), theirs) <= how.ulps)
            << "ST(" << i << ") " << std::hex << st(x, i).exponent << "." << st(x, i).mantissa
            << " host " << theirs.exponent << "." << theirs.mantissa;
    }
    EXPECT_EQ(machine.cpu.state.rflags() & rflags::kArithmetic, result.flags & rflags::kArithmetic);
    EXPECT_EQ(machine.cpu.state.gpr[kRAX], result.rax);
    EXPECT_EQ(std::memcmp(machine.memory, host_memory, 128), 0);
    return !testing::Test::HasFailure();
}

u64 case_count() {
    const char* text = std::getenv("UCHRONIA_TEST_CASES");
    return text != nullptr ? std::strtoull(text, nullptr, 10) : 3000;
}

class NativeTest : public testing::TestWithParam<FamilyRow> {};

TEST_P(NativeTest, SameAsHost) {
    const FamilyRow& row = GetParam();
    HostCode code;
    ASSERT_TRUE(code.usable());
    TestMachine machine;
    constexpr u64 kSeed = 87;
    Operands operands(kSeed);
    const u64 count = case_count();
    for (u64 n = 0; n < count; ++n) {
        const unsigned sti = static_cast<unsigned>(n & 7);
        code.set_instruction(bytes_of(row.row.encoding, sti));
        Start start = random_start(operands);
        if (row.row.host == HostPolicy::kTranscendental)
            restrict_to_domain(row.row, start);
        HostImage host{};
        HostResult result{start.flags, 0x1122334455667788};
        u8 host_memory[128];
        std::memcpy(host_memory, start.memory, sizeof host_memory);
        code.run(start.image, host, host_memory, result);
        load(machine, start);
        const bool memory = row.row.encoding.ends_with("mem");
        machine.run(*row.handlers,
                    memory ? TestMachine::memory_op() : TestMachine::register_op(sti));
        ASSERT_TRUE(same(machine, host, result, host_memory, comparison_for(row.row)))
            << row.row.name << " ST(" << sti << ") seed " << kSeed << " case " << n << "\n"
            << describe(start);
    }
}

std::vector<FamilyRow> rows_for_the_host() {
    std::vector<FamilyRow> rows;
    for (const FamilyRow& row : test_support::rows::x87())
        if (row.row.host == HostPolicy::kSame || row.row.host == HostPolicy::kUndefinedFlags ||
            row.row.host == HostPolicy::kTranscendental)
            rows.push_back(row);
    return rows;
}

INSTANTIATE_TEST_SUITE_P(Rows, NativeTest, testing::ValuesIn(rows_for_the_host()),
                         [](const auto& test) { return std::string(test.param.row.name); });

}  // namespace
}  // namespace uchronia::cpu::interp::x87
