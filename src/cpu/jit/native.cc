// Instructions that the host executes itself: encoded again, with the registers in their homes and
// a memory operand that has been checked.
#include "cpu/jit/block_translator.h"
#include "cpu/jit/frame_layout.h"

namespace uchronia::cpu::jit {

using namespace frame;

namespace {

// Whether a register can only be named with a REX prefix.
bool needs_rex(RegisterClass c, u8 host) {
    return c == RegisterClass::kByte && host >= kHostRSP && host <= kHostRDI;
}

bool is_in_slot(RegisterClass c, u8 number) {
    return is_general(c) && kHome[number] == kNoRegister;
}

}  // namespace

LegacyPrefixes BlockTranslator::prefixes_of(const Item& item) const {
    LegacyPrefixes result;
    const MandatoryPrefix prefix = item.shape->prefix;
    result.operand_size =
        prefix == MandatoryPrefix::k66 || (item.decoded.op.flags & op_flag::kOperand16) != 0;
    if (prefix == MandatoryPrefix::kF2 || prefix == MandatoryPrefix::kF3)
        result.repeat = prefix == MandatoryPrefix::kF2 ? 0xf2 : 0xf3;
    return result;
}

// Whether ModRM.rm, a register that is kept in memory, can be addressed there. Not where its upper
// half would have to be cleared.
bool BlockTranslator::can_be_slot(const Item& item) const {
    const Shape& shape = *item.shape;
    if (shape.register_only || shape.vvvv != RegisterClass::kAbsent)
        return false;
    if (shape.writes_reg && shape.writes_rm)  // XADD and XCHG: both may be the same
        return false;
    // A part that is written there would hold up whoever reads the whole.
    // (EXTRACTPS and PEXTRB write less to memory than to a register, whatever REX.W says.)
    if (shape.needs != Needs::kNothing)
        return !shape.writes_rm || (shape.memory != MemorySize::kNone && memory_size(item) == 8);
    return !shape.writes_rm || (shape.rm != RegisterClass::kByte && item.decoded.operand_size == 8);
}

// Whether the operands fit into the two scratch registers, and high bytes can be named.
bool BlockTranslator::can_be_native(const Item& item) const {
    const Shape& shape = *item.shape;
    const RawInstruction& raw = item.raw;
    const bool memory = (item.decoded.op.flags & op_flag::kMemory) != 0;
    const u8 reg = item.reg();
    const bool high_reg = is_high_byte(shape.reg, reg, raw.has_rex);
    const bool high_rm = !memory && is_high_byte(shape.rm, raw.rm, raw.has_rex);
    const bool reg_slot = !high_reg && is_in_slot(shape.reg, reg);
    const bool rm_slot = !memory && !high_rm && is_in_slot(shape.rm, raw.rm);
    const bool vvvv_slot = is_in_slot(shape.vvvv, raw.vvvv);
    if ((high_reg && reg == 5) || (high_rm && raw.rm == 5))
        return false;  // CH is not in CH
    if (memory) {
        if (shape.indexes_bits || shape.memory == MemorySize::kNone)
            return false;
        if (high_reg && shape.opcode_register)
            return false;
        const unsigned needed = (reg_slot ? 1 : 0) + (vvvv_slot ? 1 : 0) +
                                (shape.uses_cl || shape.uses_rcx ? 1 : 0) + (high_reg ? 1 : 0);
        return needed <= 1;
    }
    if (high_reg || high_rm) {
        // No REX: the other operand must be one of the old registers, in its home.
        const auto plain = [&](RegisterClass c, u8 number, bool high) {
            return !is_general(c) || high || number == kRAX || number == kRDX || number == kRBX;
        };
        return plain(shape.reg, reg, high_reg) &&
               (!raw.has_modrm || plain(shape.rm, raw.rm, high_rm)) && !shape.uses_cl;
    }
    // rcx for the first, r11 for the second; a source in ModRM.rm is read from memory.
    const bool rm_needs_register = rm_slot && !can_be_slot(item);
    const unsigned needed = (reg_slot ? 1 : 0) + (vvvv_slot ? 1 : 0) + (rm_needs_register ? 1 : 0) +
                            (shape.uses_cl ? 1 : 0);
    return needed <= 2;
}

void BlockTranslator::put_native(unsigned index) {
    const Item& item = items_[index];
    if (flags_to_fix(item) != 0)
        save_flags_if_live(index);
    if ((item.decoded.op.flags & op_flag::kMemory) != 0)
        put_native_memory(index);
    else if (item.raw.has_modrm)
        put_native_register(index);
    else
        put_native_plain(index);
    if (item.shape->writes_rcx)
        hot_.move32(kHome[kRCX], kScratch);
    if (item.shape->writes_flags)
        flags_ = Where::kHost;
    put_fix_up(item);
    if (item.group != 0 || is_aligned_on_stack(item))
        put_group_exits(index);
    else
        put_slow_paths(index, SiteKind::kSlow);
}

void BlockTranslator::put_native_memory(unsigned index) {
    const Item& item = items_[index];
    const Shape& shape = *item.shape;
    const RawInstruction& raw = item.raw;
    const bool high = is_high_byte(shape.reg, raw.reg, raw.has_rex);
    const bool reg_slot = !high && is_in_slot(shape.reg, raw.reg);
    const bool vvvv_slot = is_in_slot(shape.vvvv, raw.vvvv);
    const bool needs = needs_flags(item, live_before(index));
    Memory operand{.base = kScratch2};
    if (item.group != 0) {
        operand = put_group_operand(index);
    } else if (item.on_stack) {
        if (shape.may_divide)
            save_flags_if_live(index);
        operand = put_stack_operand(item.decoded.op.displacement);
    } else {
        save_flags_if_live(index);
        operand.index = put_address(item);
        put_check(operand.index, memory_size(item),
                  shape.writes_memory ? AccessKind::kWrite : AccessKind::kRead,
                  shape.aligned ? Alignment::kNeeded : Alignment::kAny);
    }
    if (needs && flags_ == Where::kMemory) {
        put_reload(Scratch::kInUse);
        flags_ = Where::kBoth;
    }
    if (high) {  // no REX may be needed for the address
        hot_.lea(kScratch, operand);
        operand = {.base = kScratch};
    } else if (operand.index == kScratch && item.group == 0 &&
               (reg_slot || vvvv_slot || shape.uses_cl || shape.uses_rcx)) {
        hot_.lea(kScratch2, operand);
        operand = {.base = kScratch2};
    }
    u8 reg = raw.reg;
    u8 vvvv = raw.vvvv;
    if (is_general(shape.reg) && !high)
        reg = scratch_or(raw.reg, kScratch);
    if (is_general(shape.vvvv))
        vvvv = scratch_or(raw.vvvv, kScratch);
    if (shape.uses_cl || shape.uses_rcx)
        hot_.move(kScratch, kHome[kRCX]);
    note_access_of(index);
    encode(hot_, raw, prefixes_of(item), reg, vvvv, operand, !high && needs_rex(shape.reg, reg));
    if (reg_slot && shape.writes_reg)
        put_slot_store(raw.reg, kScratch);
    if (vvvv_slot && shape.writes_vvvv)
        put_slot_store(raw.vvvv, kScratch);
}

void BlockTranslator::put_native_register(unsigned index) {
    const Item& item = items_[index];
    const Shape& shape = *item.shape;
    const RawInstruction& raw = item.raw;
    if (shape.may_divide)
        save_flags_if_live(index);
    if (needs_flags(item, live_before(index)) && flags_ == Where::kMemory) {
        put_reload(item.group == 0 ? Scratch::kFree : Scratch::kInUse);
        flags_ = Where::kBoth;
    }
    const bool high_reg = is_high_byte(shape.reg, raw.reg, raw.has_rex);
    const bool high_rm = is_high_byte(shape.rm, raw.rm, raw.has_rex);
    const bool reg_slot = !high_reg && is_in_slot(shape.reg, raw.reg);
    const bool rm_slot = !high_rm && is_in_slot(shape.rm, raw.rm);
    const bool vvvv_slot = is_in_slot(shape.vvvv, raw.vvvv);
    const bool rm_register = rm_slot && !can_be_slot(item);
    // Scratch registers in the order reg, vvvv, rm; the count has rcx for itself.
    HostRegister free[2] = {kScratch, kScratch2};
    unsigned used = 0;
    if (shape.uses_cl) {
        free[0] = kScratch2;
        hot_.move(kScratch, kHome[kRCX]);
    }
    HostRegister reg_scratch = kNoRegister, vvvv_scratch = kNoRegister, rm_scratch = kNoRegister;
    u8 reg = raw.reg, vvvv = raw.vvvv, rm = raw.rm;
    if (reg_slot) {
        reg_scratch = free[used++];
        put_slot_load(reg_scratch, raw.reg);
        reg = reg_scratch;
    } else if (is_general(shape.reg) && !high_reg) {
        reg = kHome[raw.reg];
    }
    if (vvvv_slot) {
        vvvv_scratch = free[used++];
        put_slot_load(vvvv_scratch, raw.vvvv);
        vvvv = vvvv_scratch;
    } else if (is_general(shape.vvvv)) {
        vvvv = kHome[raw.vvvv];
    }
    if (rm_register) {
        rm_scratch = reg_slot && raw.rm == raw.reg ? reg_scratch : free[used++];
        if (rm_scratch != reg_scratch)
            put_slot_load(rm_scratch, raw.rm);
        rm = rm_scratch;
    } else if (is_general(shape.rm) && !high_rm && !rm_slot) {
        rm = kHome[raw.rm];
    }
    const bool may_have_rex = !high_reg && !high_rm;
    const bool reg_needs_rex = may_have_rex && needs_rex(shape.reg, reg);
    if (shape.may_divide)
        note_access();
    if (rm_slot && !rm_register)
        encode(hot_, raw, prefixes_of(item), reg, vvvv, at(gpr(raw.rm)), reg_needs_rex);
    else
        encode(hot_, raw, prefixes_of(item), reg, vvvv, rm,
               reg_needs_rex || (may_have_rex && needs_rex(shape.rm, rm)));
    // What MULX writes last is ModRM.reg, and XADD ModRM.rm, if both are the same register.
    if (vvvv_slot && shape.writes_vvvv)
        put_slot_store(raw.vvvv, vvvv_scratch);
    if (reg_slot && shape.writes_reg)
        put_slot_store(raw.reg, reg_scratch);
    if (rm_register && shape.writes_rm)
        put_slot_store(raw.rm, rm_scratch);
}

void BlockTranslator::put_native_plain(unsigned index) {
    const Item& item = items_[index];
    const Shape& shape = *item.shape;
    const RawInstruction& raw = item.raw;
    if (needs_flags(item, live_before(index)) && flags_ == Where::kMemory) {
        put_reload(item.group == 0 ? Scratch::kFree : Scratch::kInUse);
        flags_ = Where::kBoth;
    }
    const u8 guest = raw.opcode_register;
    const bool high = shape.opcode_register && is_high_byte(shape.reg, guest, raw.has_rex);
    const bool slot = shape.opcode_register && !high && is_in_slot(shape.reg, guest);
    u8 reg = guest;
    if (shape.opcode_register && !high)
        reg = scratch_or(guest, kScratch);
    encode_plain(hot_, raw, prefixes_of(item), shape.opcode_register, reg,
                 shape.opcode_register && !high && needs_rex(shape.reg, reg));
    if (slot && shape.writes_reg)
        put_slot_store(guest, kScratch);
}

// LEA computes an address as put_address does, but without the segment, and must keep the flags.
void BlockTranslator::put_lea(const Item& item) {
    const Op& op = item.decoded.op;
    const HostRegister home = kHome[item.raw.reg];
    const HostRegister to = home == kNoRegister ? kScratch : home;
    Memory m{.displacement = op.displacement};
    if (op.base == kPageBaseSlot) {
        hot_.load(kScratch, at(kPageBase));
        m.base = kScratch;
    } else if (op.base != kZeroSlot) {
        m.base = scratch_or(op.base, kScratch);
    }
    if (op.index != kZeroSlot) {
        m.index = scratch_or(op.index, kScratch2);
        m.scale = op.scale;
    }
    const unsigned size = item.decoded.operand_size;
    const bool address32 = (op.flags & op_flag::kAddress32) != 0;
    if (size == 2) {
        // A 16-bit destination keeps its other bits.
        hot_.lea(kScratch, m);
        if (home == kNoRegister) {
            hot_.byte(0x66);
            hot_.rm32(0x89, kScratch, at(gpr(item.raw.reg)));
        } else {
            hot_.byte(0x66);
            hot_.rr32(0x8b, to, kScratch);
        }
        return;
    }
    if (size == 4 || address32)
        hot_.rm32(0x8d, to, m);
    else
        hot_.lea(to, m);
    if (home == kNoRegister)
        put_slot_store(item.raw.reg, kScratch);
}

}  // namespace uchronia::cpu::jit
