#include "cpu/jit/host_differences.h"

#include <map>
#include <string_view>

#include "cpu/jit/shape.h"

namespace uchronia::cpu::jit {
namespace {

using namespace flag;

constexpr unsigned kOperandSizes[] = {2, 4, 8};

// Flags that the manual leaves undefined (APM vol. 3, appendix E), for some counts or operands.
struct UndefinedFlags {
    std::string_view mnemonic;
    u8 flags;
};
constexpr u8 kAllButCF = kAll & ~kCF, kAllButZF = kAll & ~kZF;
// clang-format off
constexpr UndefinedFlags kUndefined[] = {
    {"AND", kAF}, {"OR", kAF}, {"XOR", kAF}, {"TEST", kAF}, {"TEST1", kAF},
    {"SHL", kAF | kOF}, {"SAL", kAF | kOF}, {"SHR", kAF | kOF}, {"SAR", kAF},
    {"SHLD", kAF | kOF | kCF}, {"SHRD", kAF | kOF | kCF},
    {"ROL", kOF}, {"ROR", kOF}, {"RCL", kOF}, {"RCR", kOF},
    {"MUL", kSF | kZF | kAF | kPF}, {"IMUL", kSF | kZF | kAF | kPF}, {"DIV", kAll}, {"IDIV", kAll},
    {"BT", kAllButCF}, {"BTS", kAllButCF}, {"BTR", kAllButCF}, {"BTC", kAllButCF},
    {"BSF", kAllButZF}, {"BSR", kAllButZF},
    {"TZCNT", kSF | kAF | kPF | kOF}, {"LZCNT", kSF | kAF | kPF | kOF},
    {"ANDN", kAF | kPF}, {"BLSR", kAF | kPF}, {"BLSMSK", kAF | kPF}, {"BLSI", kAF | kPF},
    {"BZHI", kAF | kPF}, {"BEXTR", kAF | kPF | kSF},
};
constexpr std::string_view kFlagNames[] = {"CF", "PF", "AF", "ZF", "SF", "OF"};
// clang-format on

std::string_view mnemonic_of(std::string_view name) {
    return name.substr(0, name.find('_'));
}

// The result of the others is undefined for 16 bits only.
bool is_bit_scan(Instruction instruction) {
    return instruction == Instruction::BSF_Gv_Ev || instruction == Instruction::BSR_Gv_Ev;
}

std::string text_of(const HostDifference& difference) {
    std::string text = difference.result ? " result" : "";
    for (std::size_t i = 0; i < std::size(kFlagNames); ++i) {
        if ((difference.flags >> i & 1) != 0)
            text += ' ' + std::string(kFlagNames[i]);
    }
    return text;
}

}  // namespace

bool has_undefined_results(Instruction instruction) {
    const HostPolicy policy = row_of(instruction).host;
    return (policy == HostPolicy::kUndefinedFlags || policy == HostPolicy::kUndefinedResult) &&
           shape_of(instruction).kind == Kind::kNative;
}

HostDifferences HostDifferences::everything() {
    HostDifferences all;
    all.inverts_flags_ = true;
    for (u16 i = 1; i < static_cast<u16>(Instruction::kCount); ++i) {
        const Instruction instruction{i};
        if (!has_undefined_results(instruction))
            continue;
        HostDifference difference;
        for (const UndefinedFlags& undefined : kUndefined) {
            if (undefined.mnemonic == mnemonic_of(row_of(instruction).name))
                difference.flags = undefined.flags;
        }
        // Shifts and rotates by 1 have a defined OF.
        if (row_of(instruction).name.ends_with("_1"))
            difference.flags &= static_cast<u8>(~kOF);
        for (const unsigned size : kOperandSizes) {
            difference.result = row_of(instruction).host == HostPolicy::kUndefinedResult &&
                                (size == 2 || is_bit_scan(instruction));
            all.at(instruction, size) = difference;
        }
    }
    return all;
}

Digest HostDifferences::digest() const {
    static_assert(sizeof(HostDifference) == 2 * sizeof(u8), "no padding");
    return digest_of({reinterpret_cast<const u8*>(&rows_), sizeof rows_}, inverts_flags_ ? 1 : 0);
}

std::string HostDifferences::description() const {
    // What the forms and sizes of a mnemonic have together.
    std::map<std::string_view, HostDifference> by_mnemonic;
    for (u16 i = 1; i < static_cast<u16>(Instruction::kCount); ++i) {
        for (const HostDifference& difference : rows_[i]) {
            if (difference == HostDifference{})
                continue;
            HostDifference& all = by_mnemonic[mnemonic_of(row_of(Instruction{i}).name)];
            all.flags |= difference.flags;
            all.result |= difference.result;
        }
    }
    std::string text;
    for (const auto& [mnemonic, difference] : by_mnemonic)
        text += (text.empty() ? "" : "; ") + std::string(mnemonic) + ':' + text_of(difference);
    return text.empty() ? "none" : text;
}

}  // namespace uchronia::cpu::jit
