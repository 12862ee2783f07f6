// Instructions by the instruction table: any row, in any encoding, with operands that mostly work.
#include <array>
#include <cstring>
#include <string_view>

#include "base/check.h"
#include "cpu/decode/encoding.h"
#include "tests/random/generator.h"

namespace uchronia::random {

using namespace cpu;

namespace {

struct Row {
    Encoding encoding;
    const InstructionRow* row;
};

enum Group { kInteger, kVector, kWide, kFloatingPoint, kSystem, kGroupCount };

Group group_of(const InstructionRow& row, const Encoding& encoding) {
    if ((row.attributes & attribute::kPrivileged) != 0 || row.feature == Feature::kXSAVE ||
        row.feature == Feature::kFXSR || row.host == HostPolicy::kPrivilegedState)
        return kSystem;
    if (row.feature == Feature::kFPU || row.feature == Feature::kMMX)
        return kFloatingPoint;
    if (row.feature == Feature::kAVX || row.feature == Feature::kAVX2 ||
        row.feature == Feature::kFMA || row.feature == Feature::kF16C)
        return kWide;
    if (encoding.reg == RegisterClass::kVector || encoding.rm == RegisterClass::kVector)
        return kVector;
    return kInteger;
}

const std::vector<Row>& rows(Group group) {
    static const std::array<std::vector<Row>, kGroupCount> result = [] {
        std::array<std::vector<Row>, kGroupCount> made;
        for (u16 i = 1; i < static_cast<u16>(Instruction::kCount); ++i) {
            const InstructionRow& row = row_of(static_cast<Instruction>(i));
            const Result<Encoding> encoding = parse_encoding(row);
            CHECK(encoding.ok());
            if (row.name != "HYPERCALL")
                made[group_of(row, *encoding)].push_back({*encoding, &row});
        }
        return made;
    }();
    return result[group];
}

class Writer {
  public:
    Writer(Random& random, const Setting& setting)
        : random_(random), setting_(setting), addresses_(random, setting) {}

    Piece write(const Row& row, bool want_memory) {
        encoding_ = &row.encoding;
        row_ = row.row;
        choose_form(want_memory);
        prepare();
        if (is_vex(encoding_->map))
            write_vex();
        else
            write_legacy();
        piece_.put(encoding_->opcode + (encoding_->opcode_register ? reg_ & 7 : 0));
        write_modrm();
        for (const ImmediateKind kind : encoding_->immediates)
            write_immediate(kind);
        piece_.end_instruction();
        return std::move(piece_);
    }

  private:
    enum class Mode : u8 { kRIP, kBase, kBaseIndex, kAbsolute, kIndexOnly };

    // The registers that the translator treats specially come more often.
    unsigned any_register() {
        static constexpr u8 kSpecial[] = {kRCX, kRCX, kR8, kR9, kR10, kR11, kRSP};
        if (random_.percent(45))
            return random_.pick(kSpecial);
        const unsigned r = random_.below(16);
        return r == kRSP && random_.percent(70) ? unsigned{kRAX} : r;
    }

    bool has_byte_register() const {
        return encoding_->reg == RegisterClass::kByte || encoding_->rm == RegisterClass::kByte;
    }

    void choose_form(bool want_memory) {
        const Encoding& e = *encoding_;
        if (e.modrm == ModRMUse::kRegister || e.modrm == ModRMUse::kDigit)
            memory_ = e.form == RMForm::kMemory ||
                      (e.form == RMForm::kAny && (want_memory || random_.percent(50)));
        if (e.mod_ignored)
            memory_ = false;
        reg_ = register_of(e.reg);
        rm_ = register_of(e.rm);
        vvvv_ = e.vvvv == RegisterClass::kAbsent ? 0 : register_of(e.vvvv);
        if (has_byte_register() && random_.percent(40)) {  // AH .. BH
            if (e.reg == RegisterClass::kByte)
                reg_ = 4 + random_.below(4);
            if (e.rm == RegisterClass::kByte && random_.percent(60))
                rm_ = 4 + random_.below(4);
            no_rex_ = true;
        }
        w_ = e.rex_w == RexW::k1 || (e.rex_w == RexW::kAny && random_.percent(35));
        if (no_rex_ && e.rex_w == RexW::kAny)
            w_ = false;
        operand16_ = !is_vex(e.map) && e.prefix == MandatoryPrefix::kAny && random_.percent(14);
        address32_ = memory_ && random_.percent(5);
        if (memory_)
            choose_mode();
    }

    unsigned register_of(RegisterClass c) {
        switch (c) {
            case RegisterClass::kGeneral:
            case RegisterClass::kByte:
                return any_register();
            case RegisterClass::kVector:
                return random_.below(16);
            case RegisterClass::kSegment:
                return random_.below(6);
            case RegisterClass::kControl: {
                static constexpr u8 kControls[] = {0, 2, 3, 4, 8};
                return random_.pick(kControls);
            }
            default:
                return random_.below(8);
        }
    }

    void choose_mode() {
        const u32 choice = random_.below(100);
        mode_ = choice < 25   ? Mode::kRIP
                : choice < 65 ? Mode::kBase
                : choice < 87 ? Mode::kBaseIndex
                : choice < 95 ? Mode::kAbsolute
                              : Mode::kIndexOnly;
        if (encoding_->vsib)
            mode_ = Mode::kBaseIndex;
        const unsigned most = no_rex_ ? 8 : 16;
        base_ = any_register() % most;
        index_ = encoding_->vsib ? random_.below(16) : any_register() % most;
        if (!encoding_->vsib && index_ == kRSP)
            index_ = kRCX;
        scale_ = random_.below(4);
        segment_ = random_.percent(10) ? (random_.percent(50) ? 0x64 : 0x65) : 0;
        if (encoding_->modrm == ModRMUse::kRegister || encoding_->modrm == ModRMUse::kDigit)
            displacement_size_ = random_.percent(30) ? 0 : random_.percent(60) ? 1 : 4;
        displacement_ = displacement_size_ == 1
                            ? static_cast<u64>(static_cast<i64>(static_cast<i8>(random_.next())))
                        : displacement_size_ == 4
                            ? static_cast<u64>(static_cast<i64>(random_.below(0x2000)) - 0x1000)
                            : 0;
    }

    // Constants into the registers that the instruction needs.
    void prepare() {
        const std::string_view name = row_->name;
        if (encoding_->implicit_address && encoding_->modrm == ModRMUse::kAbsent)
            prepare_string();
        if (memory_ && random_.percent(85))
            prepare_memory();
        if (name.find("_CL") != name.npos && random_.percent(40))
            piece_.put({0xb1, static_cast<u8>(random_.below(80))});  // MOV CL, x
        if (name.substr(0, 3) == "DIV" && random_.percent(60))
            piece_.put({0x31, 0xd2});  // XOR EDX, EDX
        if (name.substr(0, 4) == "IDIV" && random_.percent(60))
            piece_.put({0x48, 0x99});  // CQO
        if ((name.find("LDMXCSR") != name.npos) && memory_ && mode_ == Mode::kRIP)
            mode_ = Mode::kBase;
    }

    void prepare_memory() {
        u64 target = addresses_.data();
        if (mode_ == Mode::kRIP || mode_ == Mode::kAbsolute || mode_ == Mode::kIndexOnly)
            return;
        if (encoding_->vsib) {
            piece_.load(base_, target);
            return;  // the indices are whatever the vector holds
        }
        target -= displacement_;
        if (mode_ == Mode::kBaseIndex && index_ != base_) {
            const u64 index = random_.percent(70) ? random_.below(64) : random_.next();
            piece_.load(index_, index);
            target -= index << scale_;
        }
        if (base_ == index_ && mode_ == Mode::kBaseIndex)
            target /= 1 + (1u << scale_);
        piece_.load(base_, target);
    }

    void prepare_string() {
        if (random_.percent(85))
            piece_.load(kRCX, random_.percent(85) ? random_.below(48) : random_.below(3000));
        if (random_.percent(80))
            piece_.load(kRSI, addresses_.data());
        if (random_.percent(80))
            piece_.load(kRDI, addresses_.data());
        if (random_.percent(20))
            piece_.put(random_.percent(50) ? 0xfd : 0xfc);  // STD, CLD
        address32_ = random_.percent(8);
        if (random_.percent(8))
            segment_ = random_.percent(50) ? 0x64 : 0x65;
    }

    void write_prefixes() {
        if (segment_ != 0)
            piece_.put(segment_);
        else if (random_.percent(2))
            piece_.put(random_.percent(50) ? 0x2e : 0x3e);
        if (address32_)
            piece_.put(0x67);
    }

    unsigned rex_bits() const {
        unsigned bits = (w_ ? 8 : 0) | (reg_ >= 8 && !encoding_->opcode_register ? 4 : 0);
        if (encoding_->opcode_register)
            bits |= reg_ >= 8 ? 1 : 0;
        else if (memory_)
            bits |= (has_base() && base_ >= 8 ? 1 : 0) | (has_index() && index_ >= 8 ? 2 : 0);
        else
            bits |= rm_ >= 8 ? 1 : 0;
        return bits;
    }
    bool has_base() const { return mode_ == Mode::kBase || mode_ == Mode::kBaseIndex; }
    bool has_index() const { return mode_ == Mode::kBaseIndex || mode_ == Mode::kIndexOnly; }

    void write_legacy() {
        const u16 attributes = row_->attributes;
        write_prefixes();
        if ((attributes & attribute::kLockable) != 0 && memory_ && random_.percent(15))
            piece_.put(0xf0);
        if ((attributes & attribute::kRepeat) != 0 && random_.percent(65))
            piece_.put(random_.percent(60) ? 0xf3 : 0xf2);
        if (operand16_ || encoding_->prefix == MandatoryPrefix::k66)
            piece_.put(0x66);
        if (encoding_->prefix == MandatoryPrefix::kF2)
            piece_.put(0xf2);
        if (encoding_->prefix == MandatoryPrefix::kF3)
            piece_.put(0xf3);
        const unsigned bits = no_rex_ ? (w_ ? 8 : 0) : rex_bits();
        if (bits != 0 || (!no_rex_ && random_.percent(15)))
            piece_.put(0x40 | bits);
        const OpcodeMap map = encoding_->map;
        if (map != OpcodeMap::kOneByte)
            piece_.put(0x0f);
        if (map == OpcodeMap::k0F38)
            piece_.put(0x38);
        if (map == OpcodeMap::k0F3A)
            piece_.put(0x3a);
    }

    void write_vex() {
        const Encoding& e = *encoding_;
        write_prefixes();
        const bool l = e.length == VectorLength::k256 ||
                       (e.length == VectorLength::kAny && random_.percent(40));
        const unsigned vvvv = e.vvvv == RegisterClass::kAbsent ? 15 : 15 - vvvv_;
        const unsigned pp = e.prefix == MandatoryPrefix::k66   ? 1
                            : e.prefix == MandatoryPrefix::kF3 ? 2
                            : e.prefix == MandatoryPrefix::kF2 ? 3
                                                               : 0;
        const unsigned bits = rex_bits();
        const u64 last = vvvv << 3 | (l ? 4 : 0) | pp;
        if (e.map == OpcodeMap::kVEX0F && (bits & 11) == 0 && random_.percent(60)) {
            piece_.put(0xc5);
            piece_.put(((bits & 4) != 0 ? 0 : 0x80) | last);
            return;
        }
        const unsigned map =
            1 + static_cast<unsigned>(e.map) - static_cast<unsigned>(OpcodeMap::kVEX0F);
        piece_.put(0xc4);
        piece_.put((~bits & 7) << 5 | map);
        piece_.put(((bits & 8) != 0 ? 0x80 : 0) | last);
    }

    void write_modrm() {
        const Encoding& e = *encoding_;
        if (e.modrm == ModRMUse::kAbsent)
            return;
        if (e.modrm == ModRMUse::kWhole)
            return piece_.put(e.modrm_value);
        const unsigned reg = (e.modrm == ModRMUse::kDigit ? e.modrm_value : reg_) & 7;
        if (!memory_)
            return piece_.put(0xc0 | reg << 3 | (rm_ & 7));
        switch (mode_) {
            case Mode::kRIP:
                return piece_.rip_operand(reg, addresses_.near());
            case Mode::kAbsolute:
                piece_.put({static_cast<u8>(reg << 3 | 4), 0x25});
                return piece_.put(addresses_.near(), 4);
            case Mode::kIndexOnly:
                piece_.put(reg << 3 | 4);
                piece_.put(scale_ << 6 | (index_ & 7) << 3 | 5);
                return piece_.put(addresses_.near() - random_.below(64), 4);
            case Mode::kBase:
            case Mode::kBaseIndex:
                break;
        }
        unsigned size = displacement_size_;
        if (size == 0 && (base_ & 7) == 5)
            size = 1;
        const unsigned mod = size == 0 ? 0 : size == 1 ? 1 : 2;
        if (mode_ == Mode::kBaseIndex || (base_ & 7) == 4) {
            piece_.put(mod << 6 | reg << 3 | 4);
            const unsigned index = mode_ == Mode::kBaseIndex ? index_ & 7 : 4;
            piece_.put(scale_ << 6 | index << 3 | (base_ & 7));
        } else {
            piece_.put(mod << 6 | reg << 3 | (base_ & 7));
        }
        piece_.put(displacement_, size);
    }

    void write_immediate(ImmediateKind kind) {
        switch (kind) {
            case ImmediateKind::kAbsent:
                return;
            case ImmediateKind::kByte:
                return piece_.put(random_.percent(50) ? random_.below(70) : random_.next(), 1);
            case ImmediateKind::kRegister:
                return piece_.put(random_.next(), 1);
            case ImmediateKind::kRelativeByte:
                return piece_.hole(Hole::Kind::kRelative, 1, any_target(random_, setting_), 0);
            case ImmediateKind::kWord:
                return piece_.put(random_.below(64), 2);
            case ImmediateKind::kDword:
                return piece_.put(random_.next(), 4);
            case ImmediateKind::kZ:
                return piece_.put(value(), operand16_ ? 2 : 4);
            case ImmediateKind::kV:
                return piece_.put(value(), w_ ? 8 : operand16_ ? 2 : 4);
            case ImmediateKind::kRelativeZ:
                return piece_.hole(Hole::Kind::kRelative, 4, any_target(random_, setting_), 0);
            case ImmediateKind::kAddress:
                return piece_.put(addresses_.data(), address32_ ? 4 : 8);
        }
    }

    u64 value() {
        static constexpr u64 kValues[] = {
            0, 1, 2, ~u64{0}, 0x7f, 0x80, 0x7fff'ffff, 0x8000'0000, 0xff, 0x8000'0000'0000'0000};
        return random_.percent(50) ? random_.pick(kValues) : random_.next();
    }

    Random& random_;
    const Setting& setting_;
    Addresses addresses_;
    const Encoding* encoding_ = nullptr;
    const InstructionRow* row_ = nullptr;
    Piece piece_;
    bool memory_ = false, no_rex_ = false, w_ = false, operand16_ = false, address32_ = false;
    Mode mode_ = Mode::kRIP;
    unsigned reg_ = 0, rm_ = 0, vvvv_ = 0, base_ = 0, index_ = 0, scale_ = 0;
    unsigned segment_ = 0, displacement_size_ = 0;
    u64 displacement_ = 0;
};

}  // namespace

Piece make_instruction(Random& random, const Setting& setting) {
    const u32 choice = random.below(100);
    Group group = choice < 62   ? kInteger
                  : choice < 75 ? kVector
                  : choice < 90 ? kWide
                  : choice < 94 ? kFloatingPoint
                                : kSystem;
    if (group == kSystem && !setting.user && !random.percent(setting.system_percent))
        group = kInteger;
    const std::vector<Row>& list = rows(group);
    const Row& row = list[random.below(static_cast<u64>(list.size()))];
    return Writer(random, setting).write(row, false);
}

Piece make_instruction_of(Random& random, const Setting& setting,
                          std::initializer_list<const char*> names, bool memory) {
    const std::vector<Row>& list = rows(kInteger);
    const std::string_view wanted = names.begin()[random.below(names.size())];
    const u32 first = random.below(static_cast<u64>(list.size()));
    for (std::size_t i = 0; i < list.size(); ++i) {
        const Row& row = list[(first + i) % list.size()];
        if (row.row->name.substr(0, wanted.size()) == wanted)
            return Writer(random, setting).write(row, memory);
    }
    return make_instruction(random, setting);
}

}  // namespace uchronia::random
