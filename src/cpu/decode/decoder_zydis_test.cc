// The decoder against Zydis (an independent decoder, used in tests only): validity, length and
// every operand, over random bytes after each opcode of the table and over fully random bytes.
//
// The two disagree on purpose where the model lacks an instruction and where Zydis is stricter than
// hardware; both are listed here with the reason.
#include <Zydis/Zydis.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "cpu/decode/decoder.h"
#include "cpu/decode/encoding.h"
#include "cpu/state.h"

namespace uchronia::cpu {
namespace {

constexpr u64 kSeed = 0x5eed'0001;
constexpr u16 kPageOffset = 0x123;

class Random {
  public:
    explicit Random(u64 seed) : state_(seed) {}
    u64 next() {  // splitmix64
        u64 z = (state_ += 0x9e3779b97f4a7c15);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
    u32 below(u32 limit) { return static_cast<u32>(next() % limit); }
    bool one_in(u32 n) { return below(n) == 0; }

  private:
    u64 state_;
};

using Bytes = std::array<u8, 20>;

std::string text_of(const Bytes& bytes) {
    std::string text;
    for (std::size_t i = 0; i < 15; ++i) {
        char byte[4];
        std::snprintf(byte, sizeof byte, "%02x ", bytes[i]);
        text += byte;
    }
    return text;
}

// VEX of the row, with everything that it leaves open at random, and sometimes what it forbids. The
// opcode byte follows.
std::size_t put_vex(Random& random, const Encoding& encoding, Bytes& bytes, std::size_t at) {
    const unsigned pp = encoding.prefix == MandatoryPrefix::k66   ? 1
                        : encoding.prefix == MandatoryPrefix::kF3 ? 2
                        : encoding.prefix == MandatoryPrefix::kF2 ? 3
                                                                  : 0;
    const unsigned map = static_cast<unsigned>(encoding.map) - unsigned(OpcodeMap::kVEX0F) + 1;
    unsigned w = random.below(2), l = random.below(2), vvvv = random.below(16);
    if (!random.one_in(8)) {
        if (encoding.rex_w != RexW::kAny)
            w = encoding.rex_w == RexW::k1;
        if (encoding.length != VectorLength::kAny)
            l = encoding.length == VectorLength::k256;
        if (encoding.vvvv == RegisterClass::kAbsent)
            vvvv = 15;
    }
    const unsigned low = vvvv << 3 | l << 2 | pp;
    if (map == 1 && w == 0 && random.one_in(2)) {
        bytes[at++] = 0xc5;
        bytes[at++] = static_cast<u8>(random.below(2) << 7 | low);
        return at;
    }
    bytes[at++] = 0xc4;
    bytes[at++] =
        static_cast<u8>(random.below(8) << 5 | (random.one_in(50) ? random.below(32) : map));
    bytes[at++] = static_cast<u8>(w << 7 | low);
    return at;
}

std::size_t put_prefixes(Random& random, const Encoding& encoding, Bytes& bytes, std::size_t at) {
    if (encoding.prefix == MandatoryPrefix::k66)
        bytes[at++] = 0x66;
    else if (encoding.prefix == MandatoryPrefix::kF2)
        bytes[at++] = 0xf2;
    else if (encoding.prefix == MandatoryPrefix::kF3)
        bytes[at++] = 0xf3;
    if (encoding.rex_w == RexW::k1)
        bytes[at++] = static_cast<u8>(0x48 | random.below(8));
    else if (random.one_in(3))
        bytes[at++] = static_cast<u8>(0x40 | random.below(16));
    if (encoding.map != OpcodeMap::kOneByte)
        bytes[at++] = 0x0f;
    if (encoding.map == OpcodeMap::k0F38)
        bytes[at++] = 0x38;
    if (encoding.map == OpcodeMap::k0F3A)
        bytes[at++] = 0x3a;
    return at;
}

// Random bytes that start with an instruction of the row, and with prefixes that may change that.
Bytes random_instruction(Random& random, const Encoding& encoding) {
    Bytes bytes;
    for (u8& byte : bytes)
        byte = static_cast<u8>(random.next());
    const bool vex = is_vex(encoding.map);
    std::size_t at = 0;
    static constexpr u8 kPrefixes[] = {0x64, 0x65, 0x2e, 0x3e, 0x67, 0x67,
                                       0x48, 0x66, 0x66, 0xf2, 0xf3, 0xf0};
    // Those that VEX forbids are the last ones.
    const u32 choices = vex && !random.one_in(8) ? 6 : u32{std::size(kPrefixes)};
    while (at < 4 && random.one_in(3))
        bytes[at++] = kPrefixes[random.below(choices)];
    at = vex ? put_vex(random, encoding, bytes, at) : put_prefixes(random, encoding, bytes, at);
    bytes[at++] =
        static_cast<u8>(encoding.opcode + (encoding.opcode_register ? random.below(8) : 0));
    u8& modrm = bytes[at];
    if (encoding.modrm == ModRMUse::kWhole)
        modrm = encoding.modrm_value;
    if (encoding.modrm == ModRMUse::kDigit)
        modrm = static_cast<u8>((modrm & 0xc7) | (encoding.modrm_value << 3));
    if (encoding.modrm != ModRMUse::kWhole && encoding.form == RMForm::kRegister)
        modrm |= 0xc0;
    if (encoding.form == RMForm::kMemory && modrm >= 0xc0)
        modrm = static_cast<u8>(modrm & 0x7f);
    if (encoding.vsib && !random.one_in(8))
        modrm = static_cast<u8>((modrm & 0xf8) | 4);
    return bytes;
}

struct Reference {
    bool valid = false;
    bool too_long = false;
    ZydisDecodedInstruction instruction;
    std::array<ZydisDecodedOperand, ZYDIS_MAX_OPERAND_COUNT> operands;
    std::string mnemonic() const { return ZydisMnemonicGetString(instruction.mnemonic); }
};

class ReferenceDecoder {
  public:
    explicit ReferenceDecoder(CodeMode mode) {
        if (mode == CodeMode::k64)
            ZydisDecoderInit(&decoder_, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
        else if (mode == CodeMode::k32)
            ZydisDecoderInit(&decoder_, ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32);
        else
            ZydisDecoderInit(&decoder_, ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16);
        for (const ZydisDecoderMode absent :
             {ZYDIS_DECODER_MODE_MPX, ZYDIS_DECODER_MODE_CET, ZYDIS_DECODER_MODE_WBNOINVD,
              ZYDIS_DECODER_MODE_CLDEMOTE})
            ZydisDecoderEnableMode(&decoder_, absent, ZYAN_FALSE);
    }
    Reference decode(const Bytes& bytes) const {
        Reference r;
        const ZyanStatus status = ZydisDecoderDecodeFull(&decoder_, bytes.data(), bytes.size(),
                                                         &r.instruction, r.operands.data());
        r.valid = ZYAN_SUCCESS(status);
        r.too_long = status == ZYDIS_STATUS_INSTRUCTION_TOO_LONG;
        return r;
    }

  private:
    ZydisDecoder decoder_;
};

// Valid for Zydis, deliberately absent from the model.
bool is_absent(const Reference& reference) {
    const std::string isa_set = ZydisISASetGetString(reference.instruction.meta.isa_set);
    static constexpr std::string_view kAbsentSets[] = {"ADOX_ADCX",
                                                       "AMD",
                                                       "AMD3DNOW",
                                                       "AMD_INVLPGB",
                                                       "AVX_VNNI",
                                                       "AVX_GFNI",
                                                       "FMA4",
                                                       "XOP",
                                                       "VAES",
                                                       "VPCLMULQDQ",
                                                       "CET",
                                                       "CLDEMOTE",
                                                       "CLZERO",
                                                       "ENQCMD",
                                                       "GFNI",
                                                       "HRESET",
                                                       "INVPCID",
                                                       "KEYLOCKER",
                                                       "KEYLOCKER_WIDE",
                                                       "LWP",
                                                       "MCOMMIT",
                                                       "MONITOR",
                                                       "MONITORX",
                                                       "MOVDIR",
                                                       "MPX",
                                                       "PADLOCK_ACE",
                                                       "PADLOCK_PHE",
                                                       "PADLOCK_PMM",
                                                       "PADLOCK_RNG",
                                                       "PCONFIG",
                                                       "PKU",
                                                       "PT",
                                                       "RDPID",
                                                       "RDPRU",
                                                       "RTM",
                                                       "SERIALIZE",
                                                       "SGX",
                                                       "SGX_ENCLV",
                                                       "SHA",
                                                       "SMX",
                                                       "SNP",
                                                       "SSE4A",
                                                       "SVM",
                                                       "TDX",
                                                       "TSX_LDTRK",
                                                       "UINTR",
                                                       "VMFUNC",
                                                       "VTX",
                                                       "WAITPKG",
                                                       "XSAVEC",
                                                       "XSAVES"};
    if (std::find(std::begin(kAbsentSets), std::end(kAbsentSets), isa_set) != std::end(kAbsentSets))
        return true;
    if (isa_set.starts_with("AVX512") || isa_set.starts_with("AMX") || isa_set.starts_with("KNC"))
        return true;
    const ZydisInstructionEncoding encoding = reference.instruction.encoding;
    if (encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY && encoding != ZYDIS_INSTRUCTION_ENCODING_VEX)
        return true;
    // UD0-UD2 are #UD by definition, RSM is outside SMM, SYSENTER and SYSEXIT are in AMD's long
    // mode, as is the register form of 0F 0D on AMD.
    static constexpr std::string_view kAbsent[] = {"ud0", "ud1",      "ud2",
                                                   "rsm", "sysenter", "sysexit"};
    if (isa_set == "PREFETCH_NOP")
        return true;
    return std::find(std::begin(kAbsent), std::end(kAbsent), reference.mnemonic()) !=
           std::end(kAbsent);
}

u8 offset_of(ZydisRegister r) {
    const int id = ZydisRegisterGetId(r);
    if (ZydisRegisterGetClass(r) != ZYDIS_REGCLASS_GPR8)
        return static_cast<u8>(8 * id);
    const int number = r - ZYDIS_REGISTER_AL;  // AL-BL, AH-BH, SPL-DIL, R8B-R15B
    if (number >= 8)
        return static_cast<u8>(8 * (number - 4));
    return static_cast<u8>(number < 4 ? 8 * number : 8 * (number - 4) + 1);
}

bool is_general(ZydisRegister r) {
    const ZydisRegisterClass c = ZydisRegisterGetClass(r);
    return c == ZYDIS_REGCLASS_GPR8 || c == ZYDIS_REGCLASS_GPR16 || c == ZYDIS_REGCLASS_GPR32 ||
           c == ZYDIS_REGCLASS_GPR64;
}

u8 slot_of(ZydisRegister r) {
    if (r == ZYDIS_REGISTER_NONE)
        return kZeroSlot;
    if (r == ZYDIS_REGISTER_RIP || r == ZYDIS_REGISTER_EIP)
        return kPageBaseSlot;
    return static_cast<u8>(ZydisRegisterGetId(r));
}

u8 segment_of(ZydisRegister r, CodeMode mode) {
    if (mode != CodeMode::k64)
        return static_cast<u8>(ZydisRegisterGetId(r));
    return r == ZYDIS_REGISTER_FS ? kFS : r == ZYDIS_REGISTER_GS ? kGS : kFlatSegment;
}

// Zydis 4.0 takes R13 for the base where there is none: mod 0 with SIB.base 5, which does not look
// at REX.B (APM vol. 3, 1.4.2).
bool is_base_misread(const Reference& reference) {
    const auto& raw = reference.instruction.raw;
    if (reference.instruction.machine_mode != ZYDIS_MACHINE_MODE_LONG_64)
        return false;
    const bool b = reference.instruction.encoding == ZYDIS_INSTRUCTION_ENCODING_VEX
                       ? raw.vex.B == 0
                       : raw.rex.B == 1;
    return raw.modrm.mod == 0 && raw.modrm.rm == 4 && raw.sib.base == 5 && b;
}

void compare_memory(const Reference& reference, const ZydisDecodedOperand& operand, const Op& op,
                    CodeMode mode) {
    const ZydisDecodedOperandMem& mem = operand.mem;
    // Stack and destination string operands take no override.
    const bool overridable = operand.encoding != ZYDIS_OPERAND_ENCODING_NONE ||
                             mem.base == ZYDIS_REGISTER_RSI || mem.base == ZYDIS_REGISTER_RBX;
    if (mem.type != ZYDIS_MEMOP_TYPE_AGEN && overridable) {
        EXPECT_EQ(op.segment, segment_of(mem.segment, mode));
    }
    if (operand.encoding == ZYDIS_OPERAND_ENCODING_DISP16_32_64) {
        const unsigned width = reference.instruction.address_width;
        const u64 mask = width == 64 ? ~u64{0} : (u64{1} << width) - 1;
        EXPECT_EQ(op.immediate, static_cast<u64>(mem.disp.value) & mask);
        return;
    }
    if (operand.encoding != ZYDIS_OPERAND_ENCODING_MODRM_RM)
        return;
    if (is_base_misread(reference))
        return;
    EXPECT_EQ(op.base, slot_of(mem.base));
    EXPECT_EQ(op.index, mem.type == ZYDIS_MEMOP_TYPE_VSIB ? ZydisRegisterGetId(mem.index)
                                                          : slot_of(mem.index));
    if (mem.index != ZYDIS_REGISTER_NONE) {
        EXPECT_EQ(1u << op.scale, mem.scale);
    }
    i64 displacement = mem.disp.value;
    if (op.base == kPageBaseSlot)
        displacement += kPageOffset + reference.instruction.length;
    EXPECT_EQ(op.displacement, displacement);
    EXPECT_NE(op.flags & op_flag::kMemory, 0);
}

void compare_register(const ZydisDecodedOperand& operand, const Op& op) {
    // Hints name no register; Zydis gives them one.
    const std::string_view name = row_of(Instruction{op.id}).name;
    if (name.starts_with("HINT") || name == "NOP_Ev")
        return;
    const ZydisRegister r = operand.reg.value;
    const u8 expected = is_general(r) ? offset_of(r) : static_cast<u8>(ZydisRegisterGetId(r));
    if (operand.encoding == ZYDIS_OPERAND_ENCODING_MODRM_REG) {
        EXPECT_EQ(op.reg, expected);
    } else if (operand.encoding == ZYDIS_OPERAND_ENCODING_MODRM_RM) {
        EXPECT_EQ(op.rm, expected);
    } else if (operand.encoding == ZYDIS_OPERAND_ENCODING_OPCODE) {
        EXPECT_EQ(is_general(r) ? op.reg : op.rm, expected);
    } else if (operand.encoding == ZYDIS_OPERAND_ENCODING_NDSNDD) {
        EXPECT_EQ(vex_vvvv(&op), expected);
    } else if (operand.encoding == ZYDIS_OPERAND_ENCODING_IS4) {
        EXPECT_EQ(vex_is4(&op), expected);
    }
}

void compare_immediates(const Reference& reference, const Op& op) {
    const auto* raw = reference.instruction.raw.imm;
    if (raw[0].size == 0)
        return;
    // Of a register in an immediate (is4), bit 7 does not count outside 64-bit mode.
    const bool legacy = (op.flags & op_flag::kLegacy) != 0;
    if (legacy && row_of(Instruction{op.id}).encoding.ends_with("is4"))
        return;
    if (raw[0].is_relative) {
        EXPECT_EQ(op.immediate,
                  static_cast<u64>(raw[0].value.s + kPageOffset + reference.instruction.length));
        return;
    }
    const u64 mask = raw[0].size == 64 ? ~u64{0} : (u64{1} << raw[0].size) - 1;
    EXPECT_EQ(op.immediate & mask, raw[0].value.u & mask);
    if (raw[1].size != 0) {
        EXPECT_EQ((op.immediate >> raw[0].size) & 0xff, raw[1].value.u & 0xff);
    }
}

// The mnemonics of rows whose name is not Zydis's mnemonic for all their forms.
bool names_agree(std::string_view row_name, std::string_view zydis) {
    static constexpr std::pair<std::string_view, std::string_view> kAliases[] = {
        {"TEST1", "test"},
        {"SAL", "shl"},
        {"CBW", "cwde"},
        {"CBW", "cdqe"},
        {"CWD", "cdq"},
        {"CWD", "cqo"},
        {"MOVD", "movq"},
        {"PEXTRD", "pextrq"},
        {"PINSRD", "pinsrq"},
        {"VMOVD", "vmovq"},
        {"VPEXTRD", "vpextrq"},
        {"VPINSRD", "vpinsrq"},
        {"HINT18", "nop"},
        {"HINT19", "nop"},
        {"HINT1A", "nop"},
        {"HINT1B", "nop"},
        {"HINT1C", "nop"},
        {"HINT1D", "nop"},
        {"HINT1E", "nop"},
        {"HYPERCALL", ""},
        {"XCHG", "nop"},
        {"IRET", "iretd"},
        {"IRET", "iretq"},
        {"PUSHF", "pushfq"},
        {"POPF", "popfq"},
        {"RETF", "ret"},
        {"CALLF", "call"},
        {"JMPF", "jmp"},
        {"JRCXZ", "jecxz"},
        {"JRCXZ", "jcxz"},
        {"LOOPNZ", "loopne"},
        {"LOOPZ", "loope"},
        {"FCOM2", "fcom"},
        {"FCOMP3", "fcomp"},
        {"FCOMP5", "fcomp"},
        {"FXCH4", "fxch"},
        {"FXCH7", "fxch"},
        {"FSTP1", "fstpnce"},
        {"FSTP8", "fstp"},
        {"FSTP9", "fstp"},
        {"FNENI", "feni8087_nop"},
        {"FNDISI", "fdisi8087_nop"},
        {"FNSETPM", "fsetpm287_nop"},
        {"XLAT", "xlatb"},
        {"INT3", "int3"},
        {"SYSRET", "sysret"},
        {"PREFETCH", "prefetchw"},
        {"PREFETCH", "prefetchwt1"},
        {"HINT18", "prefetchnta"},
        {"HINT18", "prefetcht0"},
        {"HINT18", "prefetcht1"},
        {"HINT18", "prefetcht2"},
        {"PREFETCH", "nop"},
        {"XCHG", "pause"}};  // F3 with REX.B: hardware exchanges
    const std::string_view mnemonic = row_name.substr(0, row_name.find('_'));
    const auto equal = [](char a, char b) { return std::tolower(a) == b; };
    if (std::equal(mnemonic.begin(), mnemonic.end(), zydis.begin(), zydis.end(), equal))
        return true;
    // String instructions: MOVS is movsb, movsw, movsd, movsq.
    if (zydis.size() == mnemonic.size() + 1 &&
        std::equal(mnemonic.begin(), mnemonic.end(), zydis.begin(), zydis.end() - 1, equal))
        return true;
    return std::find(std::begin(kAliases), std::end(kAliases), std::pair(mnemonic, zydis)) !=
           std::end(kAliases);
}

// Defined here although Zydis refuses it: each with its reason.
bool is_more_lenient(const Decoded& decoded, const Reference& reference, CodeMode mode) {
    if (decoded.instruction == Instruction::HYPERCALL || reference.too_long)
        return true;
    // Outside 64-bit mode the handlers of SWAPGS and of the FS and GS bases raise #UD.
    const std::string_view name = row_of(decoded.instruction).name;
    return mode != CodeMode::k64 && (name == "SWAPGS" || name.find("SBASE") != name.npos);
}

class Comparison {
  public:
    explicit Comparison(CodeMode mode) : mode_(mode), decoder_(mode) {}

    void run(const Bytes& bytes) {
        SCOPED_TRACE("seed " + std::to_string(kSeed) + ", bytes " + text_of(bytes));
        Decoded decoded;
        Reference reference;
        if (!exist_in_both(bytes, decoded, reference))
            return;
        // #UD comes before any operand, so that UD0's and UD1's are not decoded.
        if (row_of(decoded.instruction).host == HostPolicy::kFaulting &&
            reference.mnemonic().starts_with("ud"))
            return;
        SCOPED_TRACE(std::string(row_of(decoded.instruction).name));
        compare(decoded, reference);
        check_truncation(bytes, decoded);
    }

    // Whether both decoders know the instruction. That only one does must have a reason.
    bool exist_in_both(const Bytes& bytes, Decoded& decoded, Reference& reference) const {
        const DecodeStatus status =
            uchronia::cpu::decode({bytes.data(), 15}, mode_, kPageOffset, decoded);
        reference = decoder_.decode(bytes);
        const bool defined =
            status == DecodeStatus::kDone && decoded.instruction != Instruction::kUndefined;
        if (defined && !reference.valid && !is_more_lenient(decoded, reference, mode_))
            ADD_FAILURE() << row_of(decoded.instruction).name
                          << " is invalid for Zydis: " << text_of(bytes);
        if (!defined && reference.valid && !is_absent(reference))
            ADD_FAILURE() << reference.mnemonic() << " of "
                          << ZydisISASetGetString(reference.instruction.meta.isa_set)
                          << " is missing: " << text_of(bytes);
        return defined && reference.valid;
    }

  private:
    void compare(const Decoded& decoded, const Reference& reference) const {
        const Op& op = decoded.op;
        EXPECT_EQ(op.length, reference.instruction.length);
        EXPECT_TRUE(names_agree(row_of(decoded.instruction).name, reference.mnemonic()))
            << row_of(decoded.instruction).name << " is " << reference.mnemonic();
        for (unsigned i = 0; i < reference.instruction.operand_count; ++i) {
            const ZydisDecodedOperand& operand = reference.operands[i];
            if (operand.type == ZYDIS_OPERAND_TYPE_MEMORY)
                compare_memory(reference, operand, op, mode_);
            else if (operand.type == ZYDIS_OPERAND_TYPE_REGISTER)
                compare_register(operand, op);
        }
        compare_immediates(reference, op);
    }

    void check_truncation(const Bytes& bytes, const Decoded& decoded) const {
        Decoded again;
        EXPECT_EQ(decode({bytes.data(), decoded.op.length}, mode_, kPageOffset, again),
                  DecodeStatus::kDone);
        EXPECT_EQ(again.op.length, decoded.op.length);
        EXPECT_EQ(
            decode({bytes.data(), decoded.op.length - std::size_t{1}}, mode_, kPageOffset, again),
            DecodeStatus::kNeedsMore);
    }

    const CodeMode mode_;
    ReferenceDecoder decoder_;
};

class DecoderAgainstZydis : public testing::TestWithParam<CodeMode> {
  protected:
    Comparison comparison{GetParam()};
};

TEST_P(DecoderAgainstZydis, EveryRow) {
    Random random(kSeed);
    for (u16 i = 1; i < static_cast<u16>(Instruction::kCount); ++i) {
        const InstructionRow& row = row_of(Instruction{i});
        const Result<Encoding> encoding = parse_encoding(row);
        ASSERT_TRUE(encoding.ok());
        SCOPED_TRACE(std::string(row.name));
        for (unsigned n = 0; n < 200; ++n)
            comparison.run(random_instruction(random, encoding.value()));
    }
}

// Every opcode byte of every map behind each prefix and W, with each ModRM.reg and with memory and
// all registers as ModRM.rm: no row is missing in the table, and none too many.
TEST_P(DecoderAgainstZydis, EveryOpcodeExistsInBoth) {
    Decoded decoded;
    Reference reference;
    const auto try_all = [&](std::vector<u8> start) {
        Bytes bytes{};
        std::copy(start.begin(), start.end(), bytes.begin());
        for (unsigned opcode = 0; opcode < 256; ++opcode) {
            bytes[start.size()] = static_cast<u8>(opcode);
            for (unsigned modrm = 0; modrm < 256; ++modrm) {
                const bool memory = modrm < 0xc0;
                if (memory && (modrm & 0xc7) != 0)
                    continue;
                bytes[start.size() + 1] = static_cast<u8>(modrm);
                comparison.exist_in_both(bytes, decoded, reference);
            }
        }
    };
    for (const u8 prefix : std::to_array<u8>({0x3e, 0x66, 0xf2, 0xf3})) {  // 3E does nothing
        for (const u8 rex : std::to_array<u8>({0x40, 0x48})) {
            try_all({prefix, rex});
            try_all({prefix, rex, 0x0f});
            try_all({prefix, rex, 0x0f, 0x38});
            try_all({prefix, rex, 0x0f, 0x3a});
        }
    }
    for (unsigned map = 1; map <= 3; ++map)
        for (unsigned w_l_pp = 0; w_l_pp < 16; ++w_l_pp)
            for (const unsigned vvvv : {0, 15})
                try_all({0xc4, static_cast<u8>(0xe0 | map),
                         static_cast<u8>((w_l_pp & 8) << 4 | vvvv << 3 | (w_l_pp & 7))});
}

TEST_P(DecoderAgainstZydis, RandomBytes) {
    Random random(kSeed);
    for (unsigned n = 0; n < 100'000; ++n) {
        Bytes bytes;
        for (u8& byte : bytes)
            byte = static_cast<u8>(random.next());
        if (random.one_in(2))
            bytes[0] = 0x0f;
        comparison.run(bytes);
    }
}

INSTANTIATE_TEST_SUITE_P(Modes, DecoderAgainstZydis,
                         testing::Values(CodeMode::k64, CodeMode::k32, CodeMode::k16),
                         [](const auto& test) {
                             return std::string(test.param == CodeMode::k64   ? "In64Bits"
                                                : test.param == CodeMode::k32 ? "In32Bits"
                                                                              : "In16Bits");
                         });

}  // namespace
}  // namespace uchronia::cpu
