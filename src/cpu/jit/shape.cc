#include "cpu/jit/shape.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "base/check.h"

namespace uchronia::cpu::jit {
namespace {

using Name = std::string_view;

bool is_one_of(Name name, std::initializer_list<Name> list) {
    return std::find(list.begin(), list.end(), name) != list.end();
}

std::vector<Name> words_of(Name name) {
    std::vector<Name> words;
    for (std::size_t at = 0; at <= name.size();) {
        const std::size_t end = std::min(name.find('_', at), name.size());
        words.push_back(name.substr(at, end - at));
        at = end + 1;
    }
    return words;
}

// Which explicit operands, by position, an instruction writes: the first, unless it is listed here.
bool writes_nothing(Name mnemonic) {
    return is_one_of(mnemonic, {"CMP", "TEST", "TEST1", "BT", "MUL", "DIV", "IDIV", "COMISS",
                                "COMISD", "UCOMISS", "UCOMISD", "VCOMISS", "VCOMISD", "VUCOMISS",
                                "VUCOMISD", "PTEST", "VPTEST", "VTESTPS", "VTESTPD"});
}
bool writes_first_two(Name mnemonic) {
    return is_one_of(mnemonic, {"XCHG", "XADD", "MULX"});
}

bool writes_flags(Name mnemonic) {
    return is_one_of(
        mnemonic, {"ADD",       "OR",        "ADC",        "SBB",        "AND",        "SUB",
                   "XOR",       "CMP",       "TEST",       "TEST1",      "INC",        "DEC",
                   "NEG",       "SHL",       "SHR",        "SAR",        "SAL",        "ROL",
                   "ROR",       "RCL",       "RCR",        "SHLD",       "SHRD",       "MUL",
                   "IMUL",      "DIV",       "IDIV",       "BT",         "BTS",        "BTR",
                   "BTC",       "BSF",       "BSR",        "TZCNT",      "LZCNT",      "POPCNT",
                   "XADD",      "CMPXCHG",   "CMPXCHG8B",  "CMPXCHG16B", "COMISS",     "COMISD",
                   "UCOMISS",   "UCOMISD",   "VCOMISS",    "VCOMISD",    "VUCOMISS",   "VUCOMISD",
                   "PTEST",     "VPTEST",    "VTESTPS",    "VTESTPD",    "ANDN",       "BLSR",
                   "BLSMSK",    "BLSI",      "BEXTR",      "BZHI",       "CLC",        "STC",
                   "CMC",       "SAHF",      "PCMPESTRM",  "PCMPISTRM",  "VPCMPESTRM", "VPCMPISTRM",
                   "PCMPESTRI", "PCMPISTRI", "VPCMPESTRI", "VPCMPISTRI"});
}

// Rows that look like others but have operands, state or faults that their names do not show.
bool needs_helper(Name mnemonic) {
    return is_one_of(
        mnemonic, {"LDMXCSR", "STMXCSR", "VLDMXCSR", "VSTMXCSR", "MASKMOVDQU", "VMASKMOVDQU",
                   "CLFLUSH", "CLFLUSHOPT", "CLWB", "XLAT", "ENTER", "EMMS", "UD0", "UD1", "UD2"});
}

bool does_nothing(Name mnemonic) {
    return mnemonic.substr(0, 4) == "HINT" || mnemonic == "NOP" || mnemonic == "PREFETCH" ||
           mnemonic == "LFENCE" || mnemonic == "MFENCE" || mnemonic == "SFENCE";
}

bool may_be_misaligned(Name mnemonic) {
    return is_one_of(mnemonic, {"MOVUPS", "MOVUPD", "MOVDQU", "LDDQU", "PCMPESTRM", "PCMPISTRM",
                                "PCMPESTRI", "PCMPISTRI"});
}
// Converts between a vector and one of half its size, or doubles it: the half may be in memory.
bool has_half_in_memory(Name mnemonic, Name length) {
    return is_one_of(mnemonic, {"VCVTDQ2PD", "VCVTPS2PD", "VCVTPH2PS", "VCVTPS2PH"}) ||
           (mnemonic == "VMOVDDUP" && length == "128");
}
bool must_be_aligned_with_vex(Name mnemonic) {
    return is_one_of(mnemonic, {"VMOVAPS", "VMOVAPD", "VMOVDQA", "VMOVNTPS", "VMOVNTPD", "VMOVNTDQ",
                                "VMOVNTDQA"});
}

bool memory_size_of(Name suffix, bool vex, MemorySize& size) {
    struct Entry {
        Name suffix;
        MemorySize size;
    };
    static constexpr Entry kEntries[] = {
        {"b", MemorySize::k1},       {"w", MemorySize::k2},
        {"d", MemorySize::k4},       {"q", MemorySize::k8},
        {"dq", MemorySize::k16},     {"qq", MemorySize::k32},
        {"v", MemorySize::kOperand}, {"z", MemorySize::kOperandAtMost4},
        {"y", MemorySize::kRexW},    {"x", MemorySize::kVector},
        {"ss", MemorySize::k4},      {"sd", MemorySize::k8},
    };
    for (const Entry& entry : kEntries) {
        if (entry.suffix == suffix) {
            size = entry.size;
            return true;
        }
    }
    if (!vex && (suffix == "ps" || suffix == "pd")) {
        size = MemorySize::k16;
        return true;
    }
    return suffix.empty();
}

bool is_integer_feature(Feature feature) {
    switch (feature) {
        case Feature::kBase:
        case Feature::kCMOV:
        case Feature::kPOPCNT:
        case Feature::kCX16:
        case Feature::kLAHF:
        case Feature::kBMI1:
        case Feature::kBMI2:
        case Feature::kLZCNT:
        case Feature::kMOVBE:
        case Feature::kPREFETCHW:
            return true;
        default:
            return false;
    }
}

bool is_sse_feature(Feature feature) {
    switch (feature) {
        case Feature::kSSE:
        case Feature::kSSE2:
        case Feature::kSSE3:
        case Feature::kSSSE3:
        case Feature::kSSE41:
        case Feature::kSSE42:
        case Feature::kAES:
        case Feature::kPCLMULQDQ:
            return true;
        default:
            return false;
    }
}

bool is_avx_feature(Feature feature) {
    return feature == Feature::kAVX || feature == Feature::kAVX2 || feature == Feature::kFMA ||
           feature == Feature::kF16C;
}

bool is_usable_class(RegisterClass c) {
    return c == RegisterClass::kAbsent || c == RegisterClass::kGeneral ||
           c == RegisterClass::kByte || c == RegisterClass::kVector;
}

bool is_memory_operand(char letter) {
    return letter == 'E' || letter == 'M' || letter == 'W';
}

Kind branch_kind(Name name) {
    if (name == "JMP_Jb" || name == "JMP_Jz")
        return Kind::kJump;
    if (name == "JMP_Ev")
        return Kind::kJumpIndirect;
    if (name == "CALL_Jz")
        return Kind::kCall;
    if (name == "CALL_Ev")
        return Kind::kCallIndirect;
    if (name == "RET" || name == "RET_Iw")
        return Kind::kReturn;
    const Name last = name.size() > 3 ? name.substr(name.size() - 3) : Name{};
    const bool relative = last == "_Jb" || last == "_Jz";
    if (relative && name[0] == 'J' && name != "JRCXZ_Jb")
        return Kind::kJumpIf;
    return Kind::kHelperEnd;
}

Kind stack_kind(Name name) {
    if (name == "PUSH_Zv" || name == "PUSH_Iz" || name == "PUSH_Ib")
        return Kind::kPush;
    if (name == "PUSH_Ev")
        return Kind::kPushMemory;  // or a register: kPush
    if (name == "POP_Zv")
        return Kind::kPop;
    if (name == "LEAVE")
        return Kind::kLeave;
    return Kind::kHelper;
}

// Fills in what the operand names say; false if one of them is not understood.
bool read_operands(const std::vector<Name>& words, bool vex, Shape& shape) {
    const Name mnemonic = words[0];
    unsigned position = 0;
    for (std::size_t i = 1; i < words.size(); ++i) {
        const Name word = words[i];
        if (word == "128" || word == "256" || word == "m" || word == "r")
            continue;
        const unsigned place = position++;
        const bool written =
            !writes_nothing(mnemonic) && (place == 0 || (place == 1 && writes_first_two(mnemonic)));
        if (word == "CL") {
            shape.uses_cl = true;
            continue;
        }
        if (word == "AL" || word == "rAX" || word == "1" || word[0] == 'I')
            continue;
        switch (word[0]) {
            case 'G':
            case 'V':
            case 'Z':
                shape.writes_reg |= written;
                continue;
            case 'H':
            case 'B':
                shape.writes_vvvv |= written;
                continue;
            case 'L':
                continue;
            case 'R':
            case 'U':
                shape.writes_rm |= written;
                shape.register_only = true;
                continue;
            default:
                break;
        }
        if (!is_memory_operand(word[0]) || !memory_size_of(word.substr(1), vex, shape.memory))
            return false;
        shape.writes_rm |= written;
        shape.writes_memory |= written;
        shape.register_only |= word[0] == 'W';
    }
    return true;
}

// Instructions that are not like any other.
bool has_own_kind(Name name, Kind& kind) {
    struct Entry {
        Name name;
        Kind kind;
    };
    static constexpr Entry kEntries[] = {
        {"CLI", Kind::kClearInterrupts},
        {"SWAPGS", Kind::kSwapGS},
        {"STI", Kind::kSystem},
        {"INVLPG_Mb", Kind::kSystem},
        {"MOV_Ry_Cy", Kind::kSystem},
        {"MOV_Ev_Sw", Kind::kSystem},
        {"RDFSBASE_Ry", Kind::kSystem},
        {"RDGSBASE_Ry", Kind::kSystem},
        {"WRFSBASE_Ry", Kind::kSystem},
        {"WRGSBASE_Ry", Kind::kSystem},
        {"RDTSC", Kind::kSystem},
        {"RDTSCP", Kind::kSystem},
        {"CLD", Kind::kSystem},
        {"STD", Kind::kSystem},
        {"CLAC", Kind::kSystem},
        {"STAC", Kind::kSystem},
        {"SYSCALL", Kind::kSystem},
        {"SYSRET", Kind::kSystem},
        {"PUSHF", Kind::kPushFlags},
        {"MOVS_Yb_Xb", Kind::kMoveString},
        {"MOVS_Yv_Xv", Kind::kMoveString},
        {"STOS_Yb_AL", Kind::kStoreString},
        {"STOS_Yv_rAX", Kind::kStoreString},
    };
    for (const Entry& entry : kEntries) {
        if (entry.name == name) {
            kind = entry.kind;
            return true;
        }
    }
    return false;
}

// False: of no feature that can be native.
bool find_needs(const InstructionRow& row, Name mnemonic, bool vex, Needs& needs) {
    const bool integer =
        is_integer_feature(row.feature) || mnemonic == "CRC32" || mnemonic == "MOVNTI";
    if (is_sse_feature(row.feature) && !integer)
        needs = vex ? Needs::kAVX : Needs::kSSE;  // VAES and VPCLMULQDQ
    else if (is_avx_feature(row.feature))
        needs = Needs::kAVX;
    else if (vex || row.feature == Feature::kMOVBE || row.feature == Feature::kBMI1 ||
             row.feature == Feature::kLZCNT)
        needs = Needs::kV3;
    else
        return integer;
    return true;
}

// What the operands' names do not say of a native instruction.
void add_details(const InstructionRow& row, const std::vector<Name>& words, bool vex,
                 Shape& shape) {
    const Name mnemonic = words[0];
    if (has_half_in_memory(mnemonic, words.back()))
        shape.memory = words.back() == "128" ? MemorySize::k8 : MemorySize::k16;
    const bool vector = shape.needs == Needs::kSSE || shape.needs == Needs::kAVX;
    shape.aligned =
        vector && (vex ? must_be_aligned_with_vex(mnemonic)
                       : (shape.memory == MemorySize::k16 || shape.memory == MemorySize::kVector) &&
                             !may_be_misaligned(mnemonic));
    if (mnemonic == "CMPXCHG16B")
        shape.aligned = true;
    shape.uses_rcx = mnemonic == "CMPXCHG16B" || mnemonic == "CMPXCHG8B";
    shape.writes_rcx = is_one_of(mnemonic, {"PCMPESTRI", "PCMPISTRI", "VPCMPESTRI", "VPCMPISTRI"});
    if (shape.writes_rcx ||
        is_one_of(mnemonic, {"PCMPESTRM", "PCMPISTRM", "VPCMPESTRM", "VPCMPISTRM"}))
        shape.writes_reg = false;
    shape.writes_flags = writes_flags(mnemonic);
    shape.may_divide = mnemonic == "DIV" || mnemonic == "IDIV";
    // IMUL with one operand, like MUL, writes rAX and rDX only.
    if (row.name == "IMUL_Eb" || row.name == "IMUL_Ev")
        shape.writes_rm = shape.writes_memory = false;
    shape.indexes_bits =
        mnemonic[0] == 'B' && mnemonic[1] == 'T' && shape.reg != RegisterClass::kAbsent;
    shape.register_only |= shape.indexes_bits;
}

Shape make_shape(const InstructionRow& row) {
    Shape shape;
    const bool ends = (row.attributes & (attribute::kEnd | attribute::kAlone)) != 0;
    const Result<Encoding> parsed = parse_encoding(row);
    CHECK(parsed.ok());
    const Encoding& encoding = *parsed;
    const std::vector<Name> words = words_of(row.name);
    const Name mnemonic = words[0];
    const bool vex = is_vex(encoding.map);
    shape.kind = ends ? Kind::kHelperEnd : Kind::kHelper;
    shape.reg = encoding.reg;
    shape.rm = encoding.rm;
    shape.vvvv = encoding.vvvv;
    shape.prefix = encoding.prefix;
    shape.opcode_register = encoding.opcode_register;
    if (has_own_kind(row.name, shape.kind))
        return shape;
    if (row.host == HostPolicy::kControl) {
        shape.kind = branch_kind(row.name);
        return shape;
    }
    if (ends || needs_helper(mnemonic) || (row.attributes & attribute::kRepeat) != 0 ||
        encoding.vsib)
        return shape;
    if (does_nothing(mnemonic)) {
        shape.kind = Kind::kNothing;
        return shape;
    }
    const bool allowed = row.host == HostPolicy::kSame || row.host == HostPolicy::kUndefinedFlags ||
                         row.host == HostPolicy::kUndefinedResult;
    if (!allowed || !is_usable_class(shape.reg) || !is_usable_class(shape.rm) ||
        !is_usable_class(shape.vvvv))
        return shape;
    if ((row.attributes & attribute::kDefault64) != 0) {
        shape.kind = stack_kind(row.name);
        return shape;
    }
    if (row.name == "LEA_Gv_M") {
        shape.kind = Kind::kLEA;
        return shape;
    }
    if (find_needs(row, mnemonic, vex, shape.needs) && read_operands(words, vex, shape)) {
        add_details(row, words, vex, shape);
        shape.kind = Kind::kNative;
    }
    return shape;
}

constexpr std::size_t kShapeCount = static_cast<std::size_t>(Instruction::kCount);

std::array<Shape, kShapeCount> make_shapes() {
    std::array<Shape, kShapeCount> shapes;
    for (std::size_t i = 1; i < kShapeCount; ++i)
        shapes[i] = make_shape(row_of(static_cast<Instruction>(i)));
    shapes[0].kind = Kind::kHelperEnd;
    return shapes;
}

}  // namespace

const Shape& shape_of(Instruction instruction) {
    static const std::array<Shape, kShapeCount> shapes = make_shapes();
    return shapes[static_cast<std::size_t>(instruction)];
}

unsigned memory_size(const Shape& shape, const Decoded& decoded, const RawInstruction& raw) {
    switch (shape.memory) {
        case MemorySize::kNone:
            return 0;
        case MemorySize::k1:
            return 1;
        case MemorySize::k2:
            return 2;
        case MemorySize::k4:
            return 4;
        case MemorySize::k8:
            return 8;
        case MemorySize::k16:
            return 16;
        case MemorySize::k32:
            return 32;
        case MemorySize::kOperand:
            return decoded.operand_size;
        case MemorySize::kOperandAtMost4:
            return std::min<unsigned>(decoded.operand_size, 4);
        case MemorySize::kRexW:
            return raw.rex_w ? 8 : 4;
        case MemorySize::kVector:
            return raw.vex && raw.vex_length != 0 ? 32 : 16;
    }
    CHECK(false);
}

}  // namespace uchronia::cpu::jit
