// Makes a case: bytes that decode to the row, in any of its forms; then registers such that the
// memory operand, if there is one, lies where it should; then what the instruction uses besides.
//
// Every address that an instruction can reach is chosen here, because the host executes it in this
// process: nothing but the data pages and the empty space around them may be touched.
#include <algorithm>

#include "base/check.h"
#include "cpu/decode/encoding.h"
#include "cpu/state.h"
#include "tests/witness/case.h"
#include "tests/witness/values.h"

namespace uchronia::witness {

using namespace cpu;

namespace {

class Generator {
  public:
    Generator(Instruction row, Random& random)
        : instruction_(row), row_(row_of(row)), random_(random) {
        const Result<Encoding> encoding = parse_encoding(row_);
        CHECK(encoding.ok());
        encoding_ = encoding.value();
    }

    Case make() {
        // Some choices of bytes are other instructions (66 before an NP row): choose again.
        for (unsigned attempt = 0; attempt < 10'000; ++attempt) {
            case_ = {};
            case_.memory_template = random_.below(kTemplateCount);
            case_.before = random_state(random_);
            case_.before.rip = kCode + 0x400 + random_.below(0x700);
            write_code();
            if (decode_code() && place_operands())
                return case_;
        }
        CHECK(false);
    }

  private:
    bool mnemonic_is(std::string_view prefix) const { return row_.name.starts_with(prefix); }
    bool has_operand(std::string_view operand) const {
        return row_.name.find(operand) != std::string_view::npos;
    }
    bool is_bit_string() const {
        return mnemonic_is("BT") && has_operand("_Gv") && (op().flags & op_flag::kMemory) != 0;
    }
    bool has_attribute(u16 bit) const { return (row_.attributes & bit) != 0; }
    bool branches() const { return row_.host == HostPolicy::kControl; }
    u64& gpr(unsigned number) { return case_.before.gpr[number]; }
    const Op& op() const { return case_.decoded.op; }

    void put(u64 value, unsigned size) {
        for (unsigned i = 0; i < size; ++i)
            case_.code.push_back(static_cast<u8>(value >> (8 * i)));
    }
    void set_displacement(u64 value) {
        for (unsigned i = 0; i < 4; ++i)
            case_.code[displacement_at_ + i] = static_cast<u8>(value >> (8 * i));
    }

    void write_code();
    void write_prefixes();
    void write_vex();
    void write_modrm();
    void write_immediate(ImmediateKind kind);
    bool decode_code();
    bool place_operands();
    bool place_memory_operand();
    bool place_vector_memory_operand();
    void place_implicit_memory();
    void place_branch();
    void place_flags();
    void shape_values();
    void make_equal_to_accumulator();
    bool branches_into_itself() const;
    u64 memory_target();

    const Instruction instruction_;
    const InstructionRow& row_;
    Random& random_;
    Encoding encoding_;
    Case case_;
    bool operand_size_prefix_ = false, address_size_prefix_ = false;
    bool rex_w_ = false;
    bool gs_prefix_ = false;
    std::size_t displacement_at_ = 0;  // of a 4-byte displacement; 0 if there is none
    u64 target_ = 0;                   // address of the memory operand
};

void Generator::write_code() {
    displacement_at_ = 0;
    if (is_vex(encoding_.map))
        write_vex();
    else
        write_prefixes();
    put(encoding_.opcode + (encoding_.opcode_register ? random_.below(8) : 0), 1);
    if (encoding_.modrm != ModRMUse::kAbsent)
        write_modrm();
    for (const ImmediateKind kind : encoding_.immediates)
        write_immediate(kind);
}

void Generator::write_prefixes() {
    // 66 on near branches means other things to different vendors.
    operand_size_prefix_ =
        encoding_.prefix == MandatoryPrefix::k66 || (random_.percent(20) && !branches());
    address_size_prefix_ = random_.percent(10);
    if (operand_size_prefix_)
        put(0x66, 1);
    if (address_size_prefix_)
        put(0x67, 1);
    gs_prefix_ = random_.percent(10);
    if (gs_prefix_)
        put(0x65, 1);
    if (random_.percent(3))
        put(random_.percent(50) ? 0x3e : 0x2e, 1);
    // AMD's LOCK MOV CR0 is MOV CR8 in legacy code; ours has none.
    const u32 lock_chance = has_attribute(attribute::kLockable) ? 20 : 2;
    if (encoding_.reg != RegisterClass::kControl && random_.percent(lock_chance))
        put(0xf0, 1);
    if (encoding_.prefix == MandatoryPrefix::kF2)
        put(0xf2, 1);
    else if (encoding_.prefix == MandatoryPrefix::kF3)
        put(0xf3, 1);
    else if (mnemonic_is("LOOP"))
        ;  // AMD takes F2 and F3 for a condition here, which no manual says
    else if (has_attribute(attribute::kRepeat) && random_.percent(60))
        put(random_.percent(50) ? 0xf2 : 0xf3, 1);
    else if (encoding_.map == OpcodeMap::kOneByte && encoding_.opcode != 0x90 && random_.percent(3))
        put(random_.percent(50) ? 0xf2 : 0xf3, 1);  // ignored
    rex_w_ = encoding_.rex_w == RexW::k1 || (encoding_.rex_w == RexW::kAny && random_.percent(30));
    if (rex_w_ || random_.percent(35))
        put(0x40 | (rex_w_ ? 8 : 0) | random_.below(8), 1);
    if (encoding_.map != OpcodeMap::kOneByte)
        put(0x0f, 1);
    if (encoding_.map == OpcodeMap::k0F38)
        put(0x38, 1);
    if (encoding_.map == OpcodeMap::k0F3A)
        put(0x3a, 1);
}

// VEX and the prefixes that may stand before it. LOCK may not: #UD.
void Generator::write_vex() {
    operand_size_prefix_ = false;
    address_size_prefix_ = random_.percent(10);
    if (address_size_prefix_)
        put(0x67, 1);
    gs_prefix_ = random_.percent(10);
    if (gs_prefix_)
        put(0x65, 1);
    if (random_.percent(3))
        put(random_.percent(50) ? 0x3e : 0x2e, 1);
    if (random_.percent(1))
        put(0xf0, 1);
    rex_w_ = encoding_.rex_w == RexW::k1 || (encoding_.rex_w == RexW::kAny && random_.percent(40));
    const bool l = encoding_.length == VectorLength::k256 ||
                   (encoding_.length == VectorLength::kAny && random_.percent(30));
    const u32 vvvv = encoding_.vvvv == RegisterClass::kAbsent ? 15 : random_.below(16);
    const u32 pp = encoding_.prefix == MandatoryPrefix::k66   ? 1
                   : encoding_.prefix == MandatoryPrefix::kF3 ? 2
                   : encoding_.prefix == MandatoryPrefix::kF2 ? 3
                                                              : 0;
    const u32 low = vvvv << 3 | (l ? 4 : 0) | pp;
    if (encoding_.map == OpcodeMap::kVEX0F && !rex_w_ && random_.percent(50)) {
        put(0xc5, 1);
        put(random_.below(2) << 7 | low, 1);
        return;
    }
    put(0xc4, 1);
    const u32 map = 1 + static_cast<u32>(encoding_.map) - static_cast<u32>(OpcodeMap::kVEX0F);
    put(random_.below(8) << 5 | map, 1);
    put((rex_w_ ? 0x80 : 0) | low, 1);
}

void Generator::write_modrm() {
    u8 modrm = static_cast<u8>(random_.next());
    if (encoding_.modrm == ModRMUse::kWhole) {
        put(encoding_.modrm_value, 1);
        return;
    }
    if (encoding_.modrm == ModRMUse::kDigit)
        modrm = static_cast<u8>((modrm & 0xc7) | (encoding_.modrm_value << 3));
    if (encoding_.form == RMForm::kRegister ||
        (encoding_.form == RMForm::kAny && random_.percent(40)))
        modrm |= 0xc0;
    else if (modrm >= 0xc0)
        modrm = static_cast<u8>(modrm & 0x3f) | static_cast<u8>(random_.below(3) << 6);
    if (encoding_.vsib)
        modrm = static_cast<u8>((modrm & 0xf8) | 4);
    put(modrm, 1);
    if (modrm >= 0xc0)
        return;
    const unsigned mod = modrm >> 6;
    unsigned base = modrm & 7;
    if (base == 4) {
        const u8 sib = static_cast<u8>(random_.next());
        put(sib, 1);
        base = sib & 7;
    }
    if (mod == 1) {
        put(random_.next(), 1);
    } else if (mod == 2 || (mod == 0 && base == 5)) {
        displacement_at_ = case_.code.size();
        put(static_cast<u64>(static_cast<i64>(static_cast<i16>(random_.next()))), 4);
    }
}

void Generator::write_immediate(ImmediateKind kind) {
    const unsigned z = operand_size_prefix_ && !rex_w_ ? 2 : 4;
    const u64 value = integer_value(random_);
    switch (kind) {
        case ImmediateKind::kAbsent:
            return;
        case ImmediateKind::kByte:
        case ImmediateKind::kRegister:
            return put(value, 1);
        case ImmediateKind::kWord:
            return put(value, 2);
        case ImmediateKind::kDword:
            return put(value, 4);
        case ImmediateKind::kZ:
            return put(value, z);
        case ImmediateKind::kV:
            return put(value, rex_w_ ? 8 : z);
        case ImmediateKind::kRelativeByte:
            return put(random_.next(), 1);
        case ImmediateKind::kRelativeZ:
            return put(static_cast<u64>(static_cast<i64>(random_.below(0x700)) - 0x380), 4);
        case ImmediateKind::kAddress:
            target_ = memory_target() & (address_size_prefix_ ? 0x7fffffff : ~u64{0});
            return put(target_ - (gs_prefix_ ? kGSBase : 0), address_size_prefix_ ? 4 : 8);
    }
}

// False if the bytes are something else than the row.
bool Generator::decode_code() {
    const u16 offset = static_cast<u16>(case_.before.rip & kPageMask);
    if (decode(case_.code, CodeMode::k64, offset, case_.decoded) != DecodeStatus::kDone)
        return false;
    if (case_.decoded.instruction == instruction_)
        return case_.code.size() == op().length;
    // #UD by LOCK, or by a register that does not exist.
    const bool locked = std::find(case_.code.begin(), case_.code.end(), 0xf0) != case_.code.end();
    return case_.decoded.instruction == Instruction::kUndefined && locked &&
           case_.code.size() == op().length;
}

u64 Generator::memory_target() {
    // A branch may only read its target where place_branch puts one, or fault.
    const u32 kind =
        branches() ? random_.below(91) + (random_.percent(3) ? 98 : 0) : random_.below(100);
    if (kind < 70)
        return kData + 0x400 + 16 * random_.below(0x180);
    if (kind < 84)
        return kData + 0x400 + random_.below(0x1800);
    if (kind < 91)
        return kData + kPageSize - random_.below(64);
    if (kind < 94)
        return kReadOnlyPage + random_.below(0xf00);
    if (kind < 96)
        return kReadOnlyPage - random_.below(64);
    if (kind < 98)
        return kUnmappedPage - random_.below(64);
    if (kind < 99)
        return kUnmappedPage + random_.below(0xf00);
    return u64{1} << 63 | kData;  // not canonical
}

// False if the chosen form cannot address what it should.
bool Generator::place_memory_operand() {
    target_ = memory_target();
    if (address_size_prefix_ || op().base == kPageBaseSlot || op().base == kZeroSlot)
        target_ &= 0x7fffffff;
    const u64 offset = target_ - (op().segment == kGS ? kGSBase : 0);
    if (is_bit_string() && (op().reg == 8 * op().base || op().reg == 8 * op().index))
        return false;
    // What RSP holds may also be used as the stack, and a displacement has 32 bits.
    const bool near_index = op().base == kZeroSlot || op().base == kRSP;
    if (op().index != kZeroSlot && op().index != op().base)
        gpr(op().index) = integer_value(random_) & (near_index ? 0xff : ~u64{0});
    const u64 index = op().index == kZeroSlot ? 0 : gpr(op().index) << op().scale;
    if (op().base == kPageBaseSlot) {
        set_displacement(offset - case_.before.rip - op().length);
    } else if (op().base == kZeroSlot) {
        set_displacement(offset - index);
    } else if (op().base == op().index) {
        const u64 displacement = static_cast<u64>(i64{op().displacement});
        if ((offset >> 63) != 0)
            return false;
        const u64 factor = 1 + (u64{1} << op().scale);
        gpr(op().base) = (offset - displacement) / factor;
        target_ -= (offset - displacement) % factor;
    } else {
        gpr(op().base) = offset - index - static_cast<u64>(i64{op().displacement});
        if (address_size_prefix_)
            gpr(op().base) += random_.next() << 32;
    }
    return decode_code();
}

// The index register gets small numbers, so that all elements lie near the target.
bool Generator::place_vector_memory_operand() {
    target_ = memory_target();
    if (address_size_prefix_ || op().base == kZeroSlot)
        target_ &= 0x7fffffff;
    const u64 offset = target_ - (op().segment == kGS ? kGSBase : 0);
    if (op().base == kZeroSlot)
        set_displacement(offset);
    else
        gpr(op().base) = offset - static_cast<u64>(i64{op().displacement}) +
                         (address_size_prefix_ ? random_.next() << 32 : 0);
    const bool wide = has_operand("_vm64");
    const auto index = [&] { return static_cast<u64>(static_cast<i64>(random_.below(128)) - 64); };
    const auto indices = [&] { return wide ? index() : (index() & 0xffffffff) | index() << 32; };
    case_.before.fx.xmm[op().index] = {indices(), indices()};
    case_.before.upper[op().index] = {indices(), indices()};
    return decode_code();
}

bool Generator::place_operands() {
    if (branches())
        case_.ending = Ending::kBranches;
    shape_values();
    const bool has_modrm_memory =
        (op().flags & op_flag::kMemory) != 0 && encoding_.modrm != ModRMUse::kAbsent;
    place_implicit_memory();
    if (has_modrm_memory &&
        !(encoding_.vsib ? place_vector_memory_operand() : place_memory_operand()))
        return false;
    // A branch through RSP would push onto the code page.
    if (branches() && encoding_.modrm != ModRMUse::kAbsent && !has_modrm_memory &&
        op().rm == 8 * kRSP)
        return false;
    if (branches_into_itself())
        return false;
    if (branches())
        place_branch();
    if (mnemonic_is("POPF"))
        place_flags();
    if (mnemonic_is("CMPXCHG") && random_.percent(50))
        make_equal_to_accumulator();
    return true;
}

// A relative branch to a byte of the instruction would run that, perhaps for ever.
bool Generator::branches_into_itself() const {
    const bool relative = encoding_.immediates[0] == ImmediateKind::kRelativeByte ||
                          encoding_.immediates[0] == ImmediateKind::kRelativeZ;
    return relative && op().immediate - op().offset < op().length;
}

void Generator::make_equal_to_accumulator() {
    if ((op().flags & op_flag::kMemory) == 0) {
        if (op().rm % 8 == 0)
            gpr(op().rm / 8) = gpr(kRAX);
        return;
    }
    const bool pair = mnemonic_is("CMPXCHG8B") || mnemonic_is("CMPXCHG16B");
    const u64 wide = mnemonic_is("CMPXCHG16B") ? 8 : 4;
    case_.patches.push_back({target_, gpr(kRAX)});
    if (pair)
        case_.patches.push_back({target_ + wide, gpr(kRDX)});
}

// Pointers that the instruction uses without naming them in ModRM.
void Generator::place_implicit_memory() {
    const u64 high = address_size_prefix_ ? random_.next() << 32 : 0;
    const u64 segment = op().segment == kGS ? kGSBase : 0;
    const auto pointer = [&] {
        const u64 target = memory_target();
        return address_size_prefix_ ? target & 0x7fffffff : target;
    };
    const auto safe_pointer = [&] { return kData + kPageSize + random_.below(0x800); };
    // Which operand of CMPS faults first is left open, so that only one may.
    const bool source_safe = mnemonic_is("CMPS") && random_.percent(50);
    const bool destination_safe = mnemonic_is("CMPS") && !source_safe;
    if (mnemonic_is("CMPS"))
        case_.before.rflags &= ~rflags::kAC;
    if (has_operand("_X"))
        gpr(kRSI) = (source_safe ? safe_pointer() : pointer()) - segment + high;
    if (has_operand("_Y"))
        gpr(kRDI) = (destination_safe ? safe_pointer() : pointer()) + high;
    if (has_attribute(attribute::kRepeat))
        gpr(kRCX) = random_.below(random_.percent(10) ? 400 : 20) + high;
    if (source_safe && random_.percent(60))
        gpr(kRDI) = gpr(kRSI) + segment;  // equal for a while
    if (mnemonic_is("XLAT"))
        gpr(kRBX) = pointer() - segment - (gpr(kRAX) & 0xff) + high;
    // Which bytes that are not selected fault is left open; the host checks all, we do not.
    if (mnemonic_is("MASKMOV") || mnemonic_is("VMASKMOVDQU")) {
        case_.before.rflags &= ~rflags::kAC;
        gpr(kRDI) = kData + 0x400 + random_.below(0x1800) - segment + high;
    }
    if (mnemonic_is("LEAVE") || mnemonic_is("ENTER"))
        gpr(kRBP) = kData + 0x800 + 8 * random_.below(128);
    const bool uses_stack = mnemonic_is("PUSH") || mnemonic_is("POP_") || mnemonic_is("CALL") ||
                            mnemonic_is("RET") || mnemonic_is("ENTER");
    if (uses_stack && random_.percent(15))
        gpr(kRSP) = memory_target();
    if (mnemonic_is("LEAVE") && random_.percent(15))
        gpr(kRBP) = memory_target();
    // The bit string of BT, BTS, BTR, BTC reaches as far as its index says.
    if (is_bit_string())
        gpr(op().reg / 8) = static_cast<u64>(static_cast<i64>(random_.below(8192)) - 4096);
    if (mnemonic_is("LOOP") || mnemonic_is("JRCXZ"))
        gpr(kRCX) = random_.percent(60) ? random_.below(3) + high : integer_value(random_);
}

// POPF must not set TF, which traps after the next instruction, or NT.
void Generator::place_flags() {
    constexpr u64 kSafe = 0x240cd7;  // arithmetic, DF, AC, ID
    case_.patches.push_back(
        {gpr(kRSP), random_.next() & (random_.percent(90) ? kSafe & ~0x40000u : kSafe)});
}

// The target of an indirect branch lies in the code page, clear of the instruction.
void Generator::place_branch() {
    const u64 target = kCode + 0xc00 + random_.below(0x300);
    if (mnemonic_is("RET"))
        case_.patches.push_back({gpr(kRSP), target});
    else if (mnemonic_is("JMP_Ev") || mnemonic_is("CALL_Ev")) {
        if ((op().flags & op_flag::kMemory) != 0)
            case_.patches.push_back({target_, target});
        else
            gpr(op().rm / 8) = target;
    }
}

// Values with which the instruction does more than its most common case.
void Generator::shape_values() {
    if (mnemonic_is("DIV_") && random_.percent(70)) {
        gpr(kRDX) = random_.below(16);
        if (case_.decoded.operand_size == 2 || has_operand("_Eb"))
            gpr(kRAX) &= 0xfff;
    }
    if (mnemonic_is("IDIV_") && random_.percent(70)) {
        gpr(kRAX) = static_cast<u64>(static_cast<i64>(static_cast<i8>(gpr(kRAX))));
        gpr(kRDX) = (gpr(kRAX) >> 63) != 0 ? ~u64{0} : 0;
    }
    if (mnemonic_is("PCMPESTR") || mnemonic_is("VPCMPESTR")) {
        gpr(kRAX) = static_cast<u64>(static_cast<i64>(random_.below(40)) - 20);
        gpr(kRDX) = static_cast<u64>(static_cast<i64>(random_.below(40)) - 20);
    }
    if (has_operand("_CL") && random_.percent(60))
        gpr(kRCX) = (gpr(kRCX) & ~u64{0xff}) | random_.below(70);
}

}  // namespace

Case make_case(Instruction row, u64 seed, u64 number) {
    Random random(case_seed(seed, static_cast<u64>(row), number));
    return Generator(row, random).make();
}

}  // namespace uchronia::witness
