// Source: APM vol. 3, 1.2-1.8 (instruction encoding), vol. 2, 8.2.7 (#UD).
#include "cpu/decode/decoder.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <limits>
#include <type_traits>

#include "cpu/decode/decode_table.h"
#include "cpu/state.h"

namespace uchronia::cpu {

namespace {

constexpr u8 kRexB = 1, kRexX = 2, kRexR = 4, kRexW = 8;

struct Prefixes {
    bool operand_size = false;  // 66
    bool address_size = false;  // 67
    bool lock = false;
    u8 repeat = 0;                   // F2 or F3, the last of them
    u8 segment = kSegmentSlotCount;  // the last override, or none
    u8 rex = 0;                      // from VEX too: W, R, X and B
    u8 vex_vvvv = 0;
    bool vex_l = false;
    MandatoryPrefix vex_prefix = MandatoryPrefix::kNone;
};

u8 extended(unsigned field, u8 rex, u8 bit) {
    return static_cast<u8>(field | ((rex & bit) != 0 ? 8u : 0u));
}

class InstructionDecoder {
  public:
    InstructionDecoder(std::span<const u8> bytes, CodeMode mode, u16 page_offset, Decoded& decoded)
        : bytes_(bytes),
          limit_(std::min<std::size_t>(bytes.size(), kLongestInstruction)),
          mode_(mode),
          page_offset_(page_offset),
          table_(decode_table(mode)),
          decoded_(decoded) {}

    DecodeStatus run();

  private:
    template <class T>
    T read();
    template <class T>
    u64 read_signed();

    void read_prefixes();
    void add_legacy_prefix(u8 byte);
    void read_opcode();
    bool starts_vex();
    void read_vex();
    const Form* find_form();
    // Of an operand or address outside 64-bit mode.
    unsigned legacy_size(bool toggled) const { return (mode_ == CodeMode::k16) != toggled ? 2 : 4; }
    void set_address_size();
    void set_operand_size(const Form& form);
    void set_flags(const Form& form);
    void decode_vvvv(const Encoding& encoding);
    u8 register_operand(RegisterClass kind, unsigned field, u8 rex_bit);
    void decode_memory();
    void decode_memory16();
    u8 decode_sib(unsigned mod);
    u8 default_segment() const { return mode_ == CodeMode::k64 ? kFlatSegment : kDS; }
    unsigned size_of(ImmediateKind kind) const;
    u64 read_immediate(ImmediateKind kind);
    void decode_immediates(const Encoding& encoding);
    void finish_rip_relative();
    bool is_allowed(const Form& form) const;
    void define(const Form& form);
    DecodeStatus undefined();
    DecodeStatus finish();

    const std::span<const u8> bytes_;
    const std::size_t limit_;  // of position_
    const CodeMode mode_;
    const u16 page_offset_;
    const DecodeTable& table_;
    Decoded& decoded_;
    std::size_t position_ = 0;
    DecodeStatus status_ = DecodeStatus::kDone;
    Prefixes prefixes_;
    OpcodeMap map_ = OpcodeMap::kOneByte;
    u8 opcode_ = 0;
    const DecodeTable::Opcode* entry_ = nullptr;
    u8 modrm_ = 0;
    unsigned address_bytes_ = 8;
    unsigned operand_bytes_ = 4;
    bool vsib_ = false;
    bool memory_ = false;
    bool rip_relative_ = false;
    bool relative_branch_ = false;
    bool bad_register_ = false;
};

// The next little-endian value; after the end, sets the status and gives 0.
template <class T>
inline T InstructionDecoder::read() {
    T value = 0;
    if (sizeof(T) <= limit_ - position_) [[likely]] {
        std::memcpy(&value, bytes_.data() + position_, sizeof value);
        position_ += sizeof value;
        return value;
    }
    position_ = limit_;
    if (status_ == DecodeStatus::kDone)
        status_ = limit_ == kLongestInstruction ? DecodeStatus::kTooLong : DecodeStatus::kNeedsMore;
    return value;
}

// The same, sign-extended.
template <class T>
inline u64 InstructionDecoder::read_signed() {
    return static_cast<u64>(i64{static_cast<std::make_signed_t<T>>(read<T>())});
}

constexpr std::array<bool, 256> make_legacy_prefixes() {
    std::array<bool, 256> result{};
    for (const int byte : {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3})
        result[static_cast<std::size_t>(byte)] = true;
    return result;
}
constexpr std::array<bool, 256> kIsLegacyPrefix = make_legacy_prefixes();

// Prefixes up to and including the first opcode byte. A REX counts only directly before the opcode.
void InstructionDecoder::read_prefixes() {
    for (;;) {
        const u8 byte = read<u8>();
        if (mode_ == CodeMode::k64 && (byte & 0xf0) == 0x40) {
            prefixes_.rex = byte;
        } else if (kIsLegacyPrefix[byte]) {
            add_legacy_prefix(byte);
            prefixes_.rex = 0;
        } else {
            opcode_ = byte;
            return;
        }
        // After the end of the bytes, read gives 0, which is no prefix.
    }
}

void InstructionDecoder::add_legacy_prefix(u8 byte) {
    switch (byte) {
        case 0x66:
            prefixes_.operand_size = true;
            break;
        case 0x67:
            prefixes_.address_size = true;
            break;
        case 0xf0:
            prefixes_.lock = true;
            break;
        case 0xf2:
        case 0xf3:
            prefixes_.repeat = byte;
            break;
        case 0x64:
            prefixes_.segment = kFS;
            break;
        case 0x65:
            prefixes_.segment = kGS;
            break;
        default:  // ES to DS: ignored in 64-bit mode, they do not undo FS or GS either
            if (mode_ != CodeMode::k64)
                prefixes_.segment = static_cast<u8>((byte >> 3) & 3);
    }
}

void InstructionDecoder::read_opcode() {
    read_prefixes();
    if (starts_vex()) {
        read_vex();
        return;
    }
    if (mode_ != CodeMode::k64 && opcode_ == 0x82)
        opcode_ = 0x80;  // the same instructions (APM vol. 3, appendix A.1.1)
    if (status_ != DecodeStatus::kDone || opcode_ != 0x0f)
        return;
    map_ = OpcodeMap::k0F;
    opcode_ = read<u8>();
    if (opcode_ != 0x38 && opcode_ != 0x3a)
        return;
    map_ = opcode_ == 0x38 ? OpcodeMap::k0F38 : OpcodeMap::k0F3A;
    opcode_ = read<u8>();
}

// Outside 64-bit mode, C4 and C5 with a memory operand are LES and LDS.
bool InstructionDecoder::starts_vex() {
    if (status_ != DecodeStatus::kDone || (opcode_ & 0xfe) != 0xc4)
        return false;
    if (mode_ == CodeMode::k64)
        return true;
    return position_ < limit_ && bytes_[position_] >= 0xc0;
}

// The rest of the prefix, and the opcode byte. R, X, B and vvvv stand inverted. Reserved values and
// prefixes that must not come before VEX are #UD (APM vol. 3, 1.8).
void InstructionDecoder::read_vex() {
    const bool long_form = opcode_ == 0xc4;
    bad_register_ =
        prefixes_.operand_size || prefixes_.repeat != 0 || prefixes_.lock || prefixes_.rex != 0;
    const u8 first = read<u8>();
    const u8 last = long_form ? read<u8>() : first;
    const unsigned map = long_form ? first & 31u : 1;
    const u8 rxb = static_cast<u8>(~first >> 5) & (long_form ? 7 : 4);
    prefixes_.rex = static_cast<u8>(0x40 | rxb | (long_form && (last & 0x80) != 0 ? kRexW : 0));
    prefixes_.vex_vvvv = static_cast<u8>((~last >> 3) & 15);
    prefixes_.vex_l = (last & 4) != 0;
    constexpr MandatoryPrefix kVEXPrefixes[] = {MandatoryPrefix::kNone, MandatoryPrefix::k66,
                                                MandatoryPrefix::kF3, MandatoryPrefix::kF2};
    prefixes_.vex_prefix = kVEXPrefixes[last & 3];
    if (mode_ != CodeMode::k64)  // eight registers
        prefixes_.rex &= static_cast<u8>(~kRexB);
    bad_register_ |= map < 1 || map > 3;
    if (!bad_register_) {
        constexpr OpcodeMap kMaps[] = {OpcodeMap::kVEX0F, OpcodeMap::kVEX0F38, OpcodeMap::kVEX0F3A};
        map_ = kMaps[map - 1];
    }
    opcode_ = read<u8>();
}

// F2 and F3 win over 66 (APM vol. 3, 1.2.1 and appendix A.1.2).
const Form* InstructionDecoder::find_form() {
    Selector selector{prefixes_.vex_prefix, prefixes_.rex, modrm_, prefixes_.vex_l};
    if (prefixes_.repeat != 0)
        selector.prefix = prefixes_.repeat == 0xf2 ? MandatoryPrefix::kF2 : MandatoryPrefix::kF3;
    else if (prefixes_.operand_size)
        selector.prefix = MandatoryPrefix::k66;
    return table_.find(*entry_, selector);
}

void InstructionDecoder::set_address_size() {
    if (mode_ == CodeMode::k64)
        address_bytes_ = prefixes_.address_size ? 4 : 8;
    else
        address_bytes_ = legacy_size(prefixes_.address_size);
}

void InstructionDecoder::set_operand_size(const Form& form) {
    const bool toggled = prefixes_.operand_size && !form.encoding.ignores_66 &&
                         form.encoding.prefix != MandatoryPrefix::k66;
    if (mode_ != CodeMode::k64) {
        operand_bytes_ = form.encoding.ignores_66 ? 4 : legacy_size(toggled);
        return;
    }
    if ((form.attributes & attribute::kForce64) != 0 || (prefixes_.rex & kRexW) != 0)
        operand_bytes_ = 8;
    else if (toggled)
        operand_bytes_ = 2;
    else
        operand_bytes_ = (form.attributes & attribute::kDefault64) != 0 ? 8 : 4;
}

void InstructionDecoder::set_flags(const Form& form) {
    u8 flags = 0;
    if (address_bytes_ == 4)
        flags |= op_flag::kAddress32;
    if (prefixes_.repeat != 0 && (form.attributes & attribute::kRepeat) != 0) {
        // F2 repeats instructions without a condition just as F3 does.
        const bool repne =
            prefixes_.repeat == 0xf2 && (form.attributes & attribute::kRepeatCondition) != 0;
        flags |= repne ? op_flag::kRepne : op_flag::kRep;
    }
    if (prefixes_.lock)
        flags |= op_flag::kLock;
    if (memory_)
        flags |= op_flag::kMemory;
    if ((prefixes_.rex & kRexW) != 0)
        flags |= op_flag::kRexW;
    if (operand_bytes_ == 2)
        flags |= op_flag::kOperand16;
    if (mode_ != CodeMode::k64)
        flags |= op_flag::kLegacy;
    decoded_.op.flags = flags;
}

u8 InstructionDecoder::register_operand(RegisterClass kind, unsigned field, u8 rex_bit) {
    const u8 number = extended(field, prefixes_.rex, rex_bit);
    switch (kind) {
        case RegisterClass::kAbsent:
            return 0;
        case RegisterClass::kGeneral:
            return static_cast<u8>(8 * number);
        case RegisterClass::kByte:
            if (prefixes_.rex == 0 && number >= 4)
                return static_cast<u8>(8 * (number - 4) + 1);
            return static_cast<u8>(8 * number);
        case RegisterClass::kVector:
            return number;
        case RegisterClass::kX87:
            return static_cast<u8>(field);
        case RegisterClass::kSegment:
            bad_register_ |= field > kGS;
            return static_cast<u8>(field);
        case RegisterClass::kControl:
            bad_register_ |= !(number == 0 || (number >= 2 && number <= 4) || number == 8);
            return number;
        case RegisterClass::kDebug:
            bad_register_ |= number > 7;
            return number;
    }
    return 0;
}

// In Op::immediate, above the immediate byte.
void InstructionDecoder::decode_vvvv(const Encoding& encoding) {
    Op& op = decoded_.op;
    if (mode_ != CodeMode::k64 && encoding.immediates[0] == ImmediateKind::kRegister)
        op.immediate &= 0x7f;  // eight registers
    if (encoding.vvvv == RegisterClass::kAbsent) {
        bad_register_ |= prefixes_.vex_vvvv != 0;
        op.immediate &= 0xff;
        return;
    }
    if (mode_ != CodeMode::k64)
        prefixes_.vex_vvvv &= 7;
    const u8 scale = encoding.vvvv == RegisterClass::kGeneral ? 8 : 1;
    op.immediate = (op.immediate & 0xff) | u64{prefixes_.vex_vvvv} * scale << 8;
    // A gather's three vector registers are three.
    if (vsib_)
        bad_register_ |=
            prefixes_.vex_vvvv == op.reg || prefixes_.vex_vvvv == op.index || op.index == op.reg;
}

// The base register's field (for the default segment); sets index, scale and base.
u8 InstructionDecoder::decode_sib(unsigned mod) {
    Op& op = decoded_.op;
    const u8 sib = read<u8>();
    const u8 index = extended((sib >> 3) & 7u, prefixes_.rex, kRexX);
    if (vsib_ || index != kRSP) {
        op.index = index;
        op.scale = static_cast<u8>(sib >> 6);
    }
    const u8 field = sib & 7u;
    if (field != kRBP || mod != 0)
        op.base = extended(field, prefixes_.rex, kRexB);
    return field;
}

// 16-bit addressing (APM vol. 3, table 1-15): no SIB byte, and so no VSIB.
void InstructionDecoder::decode_memory16() {
    struct Registers {
        u8 base, index;
    };
    static constexpr Registers kForms[8] = {
        {kRBX, kRSI},      {kRBX, kRDI},      {kRBP, kRSI},      {kRBP, kRDI},
        {kRSI, kZeroSlot}, {kRDI, kZeroSlot}, {kRBP, kZeroSlot}, {kRBX, kZeroSlot},
    };
    Op& op = decoded_.op;
    const unsigned mod = modrm_ >> 6;
    const unsigned field = modrm_ & 7u;
    const bool direct = mod == 0 && field == 6;
    bad_register_ |= vsib_;
    if (!direct) {
        op.base = kForms[field].base;
        op.index = kForms[field].index;
    }
    if (mod == 1)
        op.displacement = static_cast<i32>(read_signed<u8>());
    else if (mod == 2 || direct)
        op.displacement = static_cast<i32>(read_signed<u16>());
    if (prefixes_.segment == kSegmentSlotCount && op.base == kRBP)
        op.segment = kSS;
}

void InstructionDecoder::decode_memory() {
    if (address_bytes_ == 2)
        return decode_memory16();
    Op& op = decoded_.op;
    const unsigned mod = modrm_ >> 6;
    u8 field = modrm_ & 7u;
    bad_register_ |= vsib_ && field != kRSP;
    if (field == kRSP) {
        field = decode_sib(mod);
    } else if (field == kRBP && mod == 0) {
        rip_relative_ = mode_ == CodeMode::k64;
        op.base = rip_relative_ ? kPageBaseSlot : kZeroSlot;
    } else {
        op.base = extended(field, prefixes_.rex, kRexB);
    }
    if (mod == 1)
        op.displacement = static_cast<i32>(read_signed<u8>());
    else if (mod == 2 || (field == kRBP && mod == 0))
        op.displacement = static_cast<i32>(read<u32>());
    if (prefixes_.segment == kSegmentSlotCount && mode_ != CodeMode::k64 &&
        (op.base == kRSP || op.base == kRBP))
        op.segment = kSS;
}

unsigned InstructionDecoder::size_of(ImmediateKind kind) const {
    switch (kind) {
        case ImmediateKind::kAbsent:
            return 0;
        case ImmediateKind::kByte:
        case ImmediateKind::kRegister:
        case ImmediateKind::kRelativeByte:
            return 1;
        case ImmediateKind::kWord:
            return 2;
        case ImmediateKind::kDword:
            return 4;
        case ImmediateKind::kZ:
        case ImmediateKind::kRelativeZ:
            return std::min(operand_bytes_, 4u);
        case ImmediateKind::kV:
            return operand_bytes_;
        case ImmediateKind::kAddress:
            return address_bytes_;
    }
    return 0;
}

// Sign-extended; addresses are zero-extended.
u64 InstructionDecoder::read_immediate(ImmediateKind kind) {
    switch (size_of(kind)) {
        case 1:
            return read_signed<u8>();
        case 2:
            return kind == ImmediateKind::kAddress ? read<u16>() : read_signed<u16>();
        case 4:
            return kind == ImmediateKind::kAddress ? read<u32>() : read_signed<u32>();
        case 8:
            return read<u64>();
        default:
            return 0;
    }
}

void InstructionDecoder::decode_immediates(const Encoding& encoding) {
    const auto [first, second] = encoding.immediates;
    if (first == ImmediateKind::kAbsent)
        return;
    u64 value = read_immediate(first);
    if (second != ImmediateKind::kAbsent) {
        const auto low_bytes = [](u64 all, unsigned count) {
            return all & ((u64{1} << (8 * count)) - 1);
        };
        const unsigned size = size_of(first);
        const u64 upper = low_bytes(read_immediate(second), size_of(second));
        value = low_bytes(value, size) | upper << (8 * size);
    }
    memory_ |= first == ImmediateKind::kAddress;
    relative_branch_ = first == ImmediateKind::kRelativeByte || first == ImmediateKind::kRelativeZ;
    decoded_.op.immediate = value;
}

// Displacements from the next instruction become displacements from the page. The few that then
// leave 32 bits (within a page of +2 GiB) have no form in Op and are #UD.
void InstructionDecoder::finish_rip_relative() {
    Op& op = decoded_.op;
    const i64 displacement = i64{op.displacement} + page_offset_ + static_cast<i64>(position_);
    bad_register_ |= displacement > std::numeric_limits<i32>::max();
    op.displacement = static_cast<i32>(displacement);
}

// The #UD conditions that follow from the bytes alone.
bool InstructionDecoder::is_allowed(const Form& form) const {
    if (bad_register_)
        return false;
    const bool to_segment = form.encoding.reg == RegisterClass::kSegment && opcode_ == 0x8e &&
                            map_ == OpcodeMap::kOneByte;
    if (to_segment && decoded_.op.reg == kCS)
        return false;
    return !prefixes_.lock || ((form.attributes & attribute::kLockable) != 0 && memory_);
}

DecodeStatus InstructionDecoder::finish() {
    Op& op = decoded_.op;
    op.length = static_cast<u8>(position_);
    op.offset = page_offset_;
    op.id = static_cast<u16>(decoded_.instruction);
    decoded_.operand_size = static_cast<u8>(operand_bytes_);
    return status_;
}

DecodeStatus InstructionDecoder::undefined() {
    decoded_.instruction = Instruction::kUndefined;
    decoded_.attributes = 0;
    decoded_.op.flags = 0;
    return finish();
}

void InstructionDecoder::define(const Form& form) {
    const Encoding& encoding = form.encoding;
    Op& op = decoded_.op;
    set_operand_size(form);
    vsib_ = encoding.vsib;
    if (entry_->has_modrm) {
        op.reg = register_operand(encoding.reg, (modrm_ >> 3) & 7u, kRexR);
        memory_ = modrm_ < 0xc0 && !encoding.mod_ignored;
        if (memory_)
            decode_memory();
        else
            op.rm = register_operand(encoding.rm, modrm_ & 7u, kRexB);
    } else if (encoding.opcode_register) {
        op.reg = register_operand(encoding.reg, opcode_ & 7u, kRexB);
    }
    decode_immediates(encoding);
    if (is_vex(map_))
        decode_vvvv(encoding);
    if (map_ == OpcodeMap::kOneByte && (opcode_ & 0xf8) == 0xd8)  // for the x87 opcode register
        op.immediate = (u64{opcode_ & 7u} << 8) | modrm_;
    if (rip_relative_)
        finish_rip_relative();
    if (relative_branch_)
        op.immediate += u64{page_offset_} + position_;
    set_flags(form);
}

DecodeStatus InstructionDecoder::run() {
    decoded_ = Decoded{};
    decoded_.op.base = decoded_.op.index = kZeroSlot;
    read_opcode();
    if (status_ != DecodeStatus::kDone)
        return status_;
    if (bad_register_)
        return undefined();
    decoded_.op.segment =
        prefixes_.segment != kSegmentSlotCount ? prefixes_.segment : default_segment();
    set_address_size();
    entry_ = &table_.opcode(map_, opcode_);
    if (!entry_->defined)
        return undefined();
    if (entry_->has_modrm)
        modrm_ = read<u8>();
    if (status_ != DecodeStatus::kDone)
        return status_;
    const Form* form = find_form();
    if (form == nullptr)
        return undefined();
    decoded_.instruction = form->instruction;
    decoded_.attributes = form->attributes;
    define(*form);
    if (status_ != DecodeStatus::kDone)
        return status_;
    return is_allowed(*form) ? finish() : undefined();
}

}  // namespace

DecodeStatus decode(std::span<const u8> bytes, CodeMode mode, u16 page_offset, Decoded& decoded) {
    return InstructionDecoder(bytes, mode, page_offset, decoded).run();
}

}  // namespace uchronia::cpu
