#include "cpu/decode/flag_use.h"

#include <array>
#include <string_view>

namespace uchronia::cpu {
namespace {

using namespace flag;

// What the flag use depends on beyond the row.
enum class Depends : u8 {
    kNothing,
    kCount32,  // nothing is killed if the immediate, masked to 5 bits, is 0
    kCount64,  // the same; to 6 bits with REX.W
    kRepeat,   // nothing is killed if a repeat prefix stands before it: rCX may be 0
};

struct Use {
    u8 reads = kAll;
    u8 kills = kNone;
    Depends depends = Depends::kNothing;
};

struct MnemonicUse {
    std::string_view mnemonic;
    u8 reads;
    u8 kills;
};

constexpr u8 kCarryOverflow = kCF | kOF;
constexpr u8 kAllButCF = kAll & ~kCF;
constexpr u8 kAllButOF = kAll & ~kOF;
constexpr u8 kLess = kSF | kOF;

// clang-format off
constexpr MnemonicUse kMnemonics[] = {
    // Arithmetic and logic.
    {"ADD", kNone, kAll}, {"OR", kNone, kAll}, {"AND", kNone, kAll}, {"SUB", kNone, kAll},
    {"XOR", kNone, kAll}, {"CMP", kNone, kAll}, {"TEST", kNone, kAll}, {"TEST1", kNone, kAll},
    {"NEG", kNone, kAll}, {"XADD", kNone, kAll}, {"CMPXCHG", kNone, kAll},
    {"ADC", kCF, kAllButCF}, {"SBB", kCF, kAllButCF},
    {"INC", kNone, kAllButCF}, {"DEC", kNone, kAllButCF}, {"NOT", kNone, kNone},
    {"MUL", kNone, kCarryOverflow}, {"IMUL", kNone, kCarryOverflow},
    {"DIV", kNone, kSF | kZF | kAF | kPF}, {"IDIV", kNone, kSF | kZF | kAF | kPF},
    {"CMPXCHG8B", kNone, kZF}, {"CMPXCHG16B", kNone, kZF},

    // Shifts and rotates by a count that is not 0 (see uses_of).
    {"SHL", kNone, kAll}, {"SHR", kNone, kAll}, {"SAL", kNone, kAll}, {"SAR", kNone, kAll},
    {"SHLD", kNone, kAll}, {"SHRD", kNone, kAll},
    {"ROL", kNone, kCarryOverflow}, {"ROR", kNone, kCarryOverflow},
    {"RCL", kCF, kOF}, {"RCR", kCF, kOF},

    // Bits. TZCNT and LZCNT may be BSF and BSR, which change ZF only.
    {"BT", kNone, kCF}, {"BTS", kNone, kCF}, {"BTR", kNone, kCF}, {"BTC", kNone, kCF},
    {"BSF", kNone, kZF}, {"BSR", kNone, kZF}, {"TZCNT", kNone, kZF}, {"LZCNT", kNone, kZF},
    {"POPCNT", kNone, kAll}, {"BSWAP", kNone, kNone}, {"CRC32", kNone, kNone},
    {"ANDN", kNone, kAll}, {"BLSR", kNone, kAll}, {"BLSMSK", kNone, kAll}, {"BLSI", kNone, kAll},
    {"BZHI", kNone, kAll}, {"BEXTR", kNone, kAll},
    {"PDEP", kNone, kNone}, {"PEXT", kNone, kNone}, {"MULX", kNone, kNone},
    {"SHLX", kNone, kNone}, {"SARX", kNone, kNone}, {"SHRX", kNone, kNone},
    {"RORX", kNone, kNone},

    // Moves and conversions.
    {"MOV", kNone, kNone}, {"MOVZX", kNone, kNone}, {"MOVSX", kNone, kNone},
    {"MOVSXD", kNone, kNone}, {"MOVNTI", kNone, kNone}, {"MOVBE", kNone, kNone},
    {"LEA", kNone, kNone}, {"XCHG", kNone, kNone}, {"CBW", kNone, kNone}, {"CWD", kNone, kNone},
    {"XLAT", kNone, kNone}, {"PUSH", kNone, kNone}, {"POP", kNone, kNone},
    {"ENTER", kNone, kNone}, {"LEAVE", kNone, kNone},

    // Flags.
    {"LAHF", kAllButOF, kNone}, {"SAHF", kNone, kAllButOF}, {"CMC", kCF, kNone},
    {"CLC", kNone, kCF}, {"STC", kNone, kCF}, {"CLD", kNone, kNone}, {"STD", kNone, kNone},
    {"PUSHF", kAll, kNone}, {"POPF", kNone, kAll},

    // Near branches (Jcc: see below).
    {"JMP", kNone, kNone}, {"CALL", kNone, kNone}, {"RET", kNone, kNone}, {"LOOP", kNone, kNone},
    {"LOOPZ", kZF, kNone}, {"LOOPNZ", kZF, kNone}, {"JRCXZ", kNone, kNone},

    // Strings.
    {"MOVS", kNone, kNone}, {"STOS", kNone, kNone}, {"LODS", kNone, kNone},
    {"INS", kNone, kNone}, {"OUTS", kNone, kNone},
    {"CMPS", kNone, kAll}, {"SCAS", kNone, kAll},

    // Hints, fences, cache control.
    {"PAUSE", kNone, kNone}, {"PREFETCH", kNone, kNone}, {"NOP", kNone, kNone},
    {"HINT18", kNone, kNone}, {"HINT19", kNone, kNone}, {"HINT1A", kNone, kNone},
    {"HINT1B", kNone, kNone}, {"HINT1C", kNone, kNone}, {"HINT1D", kNone, kNone},
    {"HINT1E", kNone, kNone}, {"LFENCE", kNone, kNone}, {"MFENCE", kNone, kNone},
    {"SFENCE", kNone, kNone}, {"CLFLUSH", kNone, kNone}, {"CLFLUSHOPT", kNone, kNone},
    {"CLWB", kNone, kNone},

    // System instructions that a scan can come to; the others end it anyway.
    {"SMSW", kNone, kNone}, {"RDFSBASE", kNone, kNone}, {"RDGSBASE", kNone, kNone},
    {"WRFSBASE", kNone, kNone}, {"WRGSBASE", kNone, kNone}, {"SWAPGS", kNone, kNone},
    {"SLDT", kNone, kNone}, {"STR", kNone, kNone}, {"SGDT", kNone, kNone}, {"SIDT", kNone, kNone},
    {"CPUID", kNone, kNone}, {"VERR", kNone, kZF}, {"VERW", kNone, kZF}, {"LAR", kNone, kZF},
    {"LSL", kNone, kZF}, {"RDRAND", kNone, kAll}, {"RDSEED", kNone, kAll},

    // x87.
    {"FCOMI", kNone, kAll}, {"FUCOMI", kNone, kAll}, {"FCOMIP", kNone, kAll},
    {"FUCOMIP", kNone, kAll},
    {"FCMOVB", kCF, kNone}, {"FCMOVNB", kCF, kNone}, {"FCMOVE", kZF, kNone},
    {"FCMOVNE", kZF, kNone}, {"FCMOVBE", kCF | kZF, kNone}, {"FCMOVNBE", kCF | kZF, kNone},
    {"FCMOVU", kPF, kNone}, {"FCMOVNU", kPF, kNone},

    // Vectors.
    {"COMISS", kNone, kAll}, {"COMISD", kNone, kAll}, {"UCOMISS", kNone, kAll},
    {"UCOMISD", kNone, kAll}, {"VCOMISS", kNone, kAll}, {"VCOMISD", kNone, kAll},
    {"VUCOMISS", kNone, kAll}, {"VUCOMISD", kNone, kAll},
    {"PTEST", kNone, kAll}, {"VPTEST", kNone, kAll}, {"VTESTPS", kNone, kAll},
    {"VTESTPD", kNone, kAll},
    {"PCMPESTRM", kNone, kAll}, {"PCMPESTRI", kNone, kAll}, {"PCMPISTRM", kNone, kAll},
    {"PCMPISTRI", kNone, kAll}, {"VPCMPESTRM", kNone, kAll}, {"VPCMPESTRI", kNone, kAll},
    {"VPCMPISTRM", kNone, kAll}, {"VPCMPISTRI", kNone, kAll},
};

// The conditions of Jcc, CMOVcc and SETcc.
constexpr MnemonicUse kConditions[] = {
    {"O", kOF, kNone}, {"NO", kOF, kNone}, {"B", kCF, kNone}, {"NB", kCF, kNone},
    {"Z", kZF, kNone}, {"NZ", kZF, kNone}, {"BE", kCF | kZF, kNone}, {"NBE", kCF | kZF, kNone},
    {"S", kSF, kNone}, {"NS", kSF, kNone}, {"P", kPF, kNone}, {"NP", kPF, kNone},
    {"L", kLess, kNone}, {"NL", kLess, kNone}, {"LE", kLess | kZF, kNone},
    {"NLE", kLess | kZF, kNone},
};
// clang-format on

// Families none of whose other rows have to do with arithmetic flags.
constexpr bool is_flagless(Feature feature) {
    switch (feature) {
        case Feature::kFPU:
        case Feature::kMMX:
        case Feature::kSSE:
        case Feature::kSSE2:
        case Feature::kSSE3:
        case Feature::kSSSE3:
        case Feature::kSSE41:
        case Feature::kSSE42:
        case Feature::kAES:
        case Feature::kPCLMULQDQ:
        case Feature::kXSAVE:
        case Feature::kXSAVEOPT:
        case Feature::kFXSR:
        case Feature::kAVX:
        case Feature::kAVX2:
        case Feature::kFMA:
        case Feature::kF16C:
            return true;
        default:
            return false;
    }
}

template <std::size_t kSize>
constexpr const MnemonicUse* find(const MnemonicUse (&uses)[kSize], std::string_view mnemonic) {
    for (const MnemonicUse& use : uses) {
        if (use.mnemonic == mnemonic)
            return &use;
    }
    return nullptr;
}

constexpr const MnemonicUse* find_condition(std::string_view mnemonic) {
    for (const std::string_view prefix : {"J", "SET", "CMOV"}) {
        if (mnemonic.starts_with(prefix)) {
            if (const MnemonicUse* use = find(kConditions, mnemonic.substr(prefix.size())))
                return use;
        }
    }
    return nullptr;
}

constexpr bool is_shift(std::string_view mnemonic) {
    for (const std::string_view shift :
         {"SHL", "SHR", "SAL", "SAR", "SHLD", "SHRD", "ROL", "ROR", "RCL", "RCR"}) {
        if (mnemonic == shift)
            return true;
    }
    return false;
}

constexpr Use use_of(std::string_view name, Feature feature) {
    const std::string_view mnemonic = name.substr(0, name.find('_'));
    const MnemonicUse* found = find(kMnemonics, mnemonic);
    if (found == nullptr)
        found = find_condition(mnemonic);
    if (found == nullptr)
        return {is_flagless(feature) ? kNone : kAll, kNone, Depends::kNothing};
    Use use{found->reads, found->kills, Depends::kNothing};
    if (is_shift(mnemonic)) {
        if (name.ends_with("_CL"))
            use.kills = kNone;
        else if (name.ends_with("_Ib"))
            use.depends = name.find("_Eb") != name.npos ? Depends::kCount32 : Depends::kCount64;
    }
    if (mnemonic == "CMPS" || mnemonic == "SCAS")
        use.depends = Depends::kRepeat;
    return use;
}

constexpr std::array<Use, static_cast<std::size_t>(Instruction::kCount)> kUses = {
    Use{},
#define INSTRUCTION(name, encoding, feature, attributes, host) use_of(#name, Feature::feature),
#include "cpu/decode/instructions.inc"
#undef INSTRUCTION
};

bool kills_nothing(const Op& op, Depends depends) {
    switch (depends) {
        case Depends::kNothing:
            return false;
        case Depends::kCount32:
            return (op.immediate & 31) == 0;
        case Depends::kCount64:
            return (op.immediate & ((op.flags & op_flag::kRexW) != 0 ? 63 : 31)) == 0;
        case Depends::kRepeat:
            return (op.flags & (op_flag::kRep | op_flag::kRepne)) != 0;
    }
    return true;
}

}  // namespace

FlagUse flag_use(const Op& op) {
    const Use& use = kUses[op.id];
    if (use.depends != Depends::kNothing && kills_nothing(op, use.depends)) [[unlikely]]
        return {use.reads, kNone};
    return {use.reads, use.kills};
}

}  // namespace uchronia::cpu
