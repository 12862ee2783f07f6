#include "cpu/jit/fix_up.h"

#include <array>
#include <string_view>

namespace uchronia::cpu::jit {
namespace {

using namespace flag;

struct MnemonicFixUp {
    std::string_view mnemonic;
    FixUp fix_up;
};

constexpr u8 kAllButCF = kAll & ~kCF, kAllButZF = kAll & ~kZF;

// clang-format off
constexpr MnemonicFixUp kFixUps[] = {
    {"AND", {.clear = kAF}}, {"OR", {.clear = kAF}}, {"XOR", {.clear = kAF}},
    {"TEST", {.clear = kAF}}, {"TEST1", {.clear = kAF}},
    {"MUL", {.kept = kSF | kZF | kAF | kPF}}, {"IMUL", {.kept = kSF | kZF | kAF | kPF}},
    {"DIV", {.kept = kCF | kOF, .set = kAF, .clear = kSF | kZF | kPF}},
    {"IDIV", {.kept = kCF | kOF, .set = kAF, .clear = kSF | kZF | kPF}},
    {"BT", {.kept = kAllButCF}}, {"BTS", {.kept = kAllButCF}},
    {"BTR", {.kept = kAllButCF}}, {"BTC", {.kept = kAllButCF}},
    {"BSF", {.kept = kAllButZF}}, {"BSR", {.kept = kAllButZF}},
    {"TZCNT", {.kept = kOF, .clear = kSF | kAF | kPF}},
    {"LZCNT", {.kept = kOF, .clear = kSF | kAF | kPF}},
    {"ANDN", {.clear = kAF}}, {"BLSR", {.clear = kAF}}, {"BLSMSK", {.clear = kAF}},
    {"BLSI", {.clear = kAF}}, {"BZHI", {.clear = kAF}}, {"BEXTR", {.set = kAF, .clear = kSF}},
    // Shifts by an immediate count that is not 0. Those to the right leave two equal bits at the
    // top: SAR always, SHR if it shifts by more than 1 (else OF is defined).
    {"SHL", {.set = kAF, .overflow_is_sign_and_carry = true}},
    {"SAL", {.set = kAF, .overflow_is_sign_and_carry = true}},
    {"SHR", {.set = kAF, .clear = kOF}}, {"SAR", {.set = kAF, .clear = kOF}},
    {"SHLD", {.set = kAF}}, {"SHRD", {.set = kAF}},
};
// clang-format on

constexpr std::string_view kShifts[] = {"SHL",  "SAL", "SHR", "SAR", "SHLD",
                                        "SHRD", "ROL", "ROR", "RCL", "RCR"};

enum class Counted : u8 { kNo, kOne, kImmediate, kCL };

struct Row {
    FixUp fix_up;
    Counted counted = Counted::kNo;
    bool byte = false;
    bool shifts_right = false;
};

constexpr Row make_row(std::string_view name) {
    const std::string_view mnemonic = name.substr(0, name.find('_'));
    Row row;
    row.byte = name.find("_Eb") != name.npos;
    row.shifts_right = mnemonic == "SHR";
    for (const std::string_view shift : kShifts) {
        if (mnemonic == shift)
            row.counted = name.ends_with("_CL")  ? Counted::kCL
                          : name.ends_with("_1") ? Counted::kOne
                                                 : Counted::kImmediate;
    }
    for (const MnemonicFixUp& entry : kFixUps) {
        // A count in CL may be 0, and then nothing changes.
        if (mnemonic == entry.mnemonic && row.counted != Counted::kCL)
            row.fix_up = entry.fix_up;
    }
    return row;
}

constexpr std::array<Row, static_cast<std::size_t>(Instruction::kCount)> kRows = {
    Row{},
#define INSTRUCTION(name, encoding, feature, attributes, host) make_row(#name),
#include "cpu/decode/instructions.inc"
#undef INSTRUCTION
};

unsigned count_of(const Row& row, const Decoded& decoded) {
    if (row.counted == Counted::kOne)
        return 1;
    const bool wide = !row.byte && decoded.operand_size == 8;
    return static_cast<unsigned>(decoded.op.immediate) & (wide ? 63u : 31u);
}

}  // namespace

FixUp fix_up_of(const Decoded& decoded) {
    const Row& row = kRows[static_cast<std::size_t>(decoded.instruction)];
    FixUp fix_up = row.fix_up;
    if (row.shifts_right && count_of(row, decoded) == 1)
        fix_up.clear &= static_cast<u8>(~kOF);
    return fix_up;
}

bool is_shift_by_zero(const Decoded& decoded) {
    const Row& row = kRows[static_cast<std::size_t>(decoded.instruction)];
    return row.counted == Counted::kImmediate && count_of(row, decoded) == 0;
}

}  // namespace uchronia::cpu::jit
