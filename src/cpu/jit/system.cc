// System instructions that need nothing of the engine as long as nothing out of the ordinary
// happens: the interrupt flag, the flags as a whole, selectors and segment bases, control registers
// read, time. And BT with its family where the bit number is in a register, which kernels set their
// flags with.
//
// Whatever makes one of them special (a pending interrupt, a missing feature, a fault) is left to
// its interpreter function, before anything has changed.
// Source: APM vol. 3, chapters 3 and 4.
#include "cpu/jit/block_translator.h"
#include "cpu/jit/frame_layout.h"

namespace uchronia::cpu::jit {

using namespace frame;

namespace {

constexpr u8 kLessOrEqual = 14;

struct ControlRegister {
    u8 number;
    i32 offset;
};
constexpr ControlRegister kReadable[] = {{0, kCR0}, {2, kCR2}, {3, kCR3}, {4, kCR4}};

i32 offset_of_control(u8 number) {
    for (const ControlRegister& r : kReadable) {
        if (r.number == number)
            return r.offset;
    }
    return 0;
}

// BT, BTS, BTR, BTC of two registers; keeps all flags but CF.
void put_bit_operation(Assembler& out, u8 opcode, bool wide, HostRegister value,
                       HostRegister number) {
    const u8 rex =
        static_cast<u8>(Assembler::rex_bits(number, static_cast<u8>(value)) | (wide ? 8 : 0));
    if (rex != 0)
        out.byte(0x40 | rex);
    out.byte(0x0f);
    out.byte(opcode);
    out.modrm_register(number, value);
}

}  // namespace

// Whether the instruction, of Kind::kSystem, is translated in this mode.
bool BlockTranslator::can_be_system(const Item& item) const {
    const bool kernel = (mode_ & mode_bit::kKernel) != 0;
    const bool memory = (item.decoded.op.flags & op_flag::kMemory) != 0;
    switch (item.decoded.instruction) {
        case Instruction::CLD:
        case Instruction::STD:
        case Instruction::RDTSC:
        case Instruction::RDTSCP:
        case Instruction::RDFSBASE_Ry:
        case Instruction::RDGSBASE_Ry:
        case Instruction::WRFSBASE_Ry:
        case Instruction::WRGSBASE_Ry:
            return true;
        case Instruction::MOV_Ev_Sw:
            return item.raw.reg <= kGS && (memory || item.decoded.operand_size != 2);
        case Instruction::STI:
        case Instruction::CLAC:
        case Instruction::STAC:
        case Instruction::INVLPG_Mb:
            return kernel;
        case Instruction::SYSCALL:
            return !kernel;
        case Instruction::SYSRET:
            return kernel && item.decoded.operand_size == 8;
        case Instruction::MOV_Ry_Cy:
            return kernel && offset_of_control(item.raw.reg) != 0;
        default:
            return false;
    }
}

void BlockTranslator::put_system(unsigned index) {
    const Item& item = items_[index];
    const Instruction instruction = item.decoded.instruction;
    if (instruction == Instruction::SYSCALL || instruction == Instruction::SYSRET)
        return put_privilege_change(index);
    switch (instruction) {
        case Instruction::CLD:
        case Instruction::STD:
            put_direction(index);
            break;
        case Instruction::RDTSC:
        case Instruction::RDTSCP:
            put_read_time(index);
            break;
        case Instruction::RDFSBASE_Ry:
        case Instruction::RDGSBASE_Ry:
            put_read_base(index);
            break;
        case Instruction::WRFSBASE_Ry:
        case Instruction::WRGSBASE_Ry:
            put_write_base(index);
            break;
        case Instruction::MOV_Ev_Sw:
            put_read_selector(index);
            break;
        case Instruction::STI:
            put_set_interrupts(index);
            break;
        case Instruction::CLAC:
        case Instruction::STAC:
            put_access_flag(index);
            break;
        case Instruction::MOV_Ry_Cy:
            hot_.load(kScratch, at(offset_of_control(item.raw.reg)));
            put_result(item.raw.rm, kScratch);
            break;
        default:  // INVLPG: no translation could be stale
            break;
    }
    note_clobbered_flags();
    if (ended_ && index + 1 == count_)
        put_edge(index, item.offset + item.decoded.op.length);
    const bool ends = (item.decoded.attributes & (attribute::kEnd | attribute::kAlone)) != 0;
    put_slow_paths(index, ends ? SiteKind::kEnd : SiteKind::kSlow);
}

// A 64-bit result; of a 32-bit operation it has been extended.
void BlockTranslator::put_result(u8 guest, HostRegister from) {
    if (kHome[guest] == kNoRegister)
        put_slot_store(guest, from);
    else
        hot_.move(kHome[guest], from);
}

void BlockTranslator::put_direction(unsigned index) {
    save_flags_if_live(index);
    constexpr i32 kDirection = static_cast<i32>(rflags::kDF);
    if (items_[index].decoded.instruction == Instruction::CLD)
        hot_.and_(at(kSystemFlags), ~kDirection);
    else
        hot_.or_(at(kSystemFlags), kDirection);
}

// With CPL 0. The shadow ends with the next instruction, which nothing comes before: unless an
// interrupt waits, or the run ends here.
void BlockTranslator::put_set_interrupts(unsigned index) {
    save_flags_if_live(index);
    hot_.test32(at(kAttention), 0xff);
    put_miss_if(condition::kNotZero);
    hot_.test(kBudgetRegister, kBudgetRegister);
    put_miss_if(kLessOrEqual);
    hot_.or_(at(kSystemFlags), static_cast<i32>(rflags::kIF));
}

// The stub goes on at the target, or leaves for the site.
void BlockTranslator::put_privilege_change(unsigned index) {
    const Item& item = items_[index];
    const bool call = item.decoded.instruction == Instruction::SYSCALL;
    save_flags_if_live(index);
    if (call) {
        hot_.load(kScratch, at(kPageBase));
        hot_.lea(kScratch,
                 Memory{.base = kScratch, .displacement = item.offset + item.decoded.op.length});
    }
    hot_.call(at(call ? kSystemCallStub : kSystemReturnStub));
    put_site_number(hot_, site_at(index, SiteKind::kEnd));
}

void BlockTranslator::put_access_flag(unsigned index) {
    const bool sets = items_[index].decoded.instruction == Instruction::STAC;
    save_flags_if_live(index);
    hot_.call(at(kAccessStubs + (sets ? 8 : 0)));
    put_miss_if(condition::kNotZero);
}

// The time stamp counter follows from the budget. (A block of its own.)
void BlockTranslator::put_read_time(unsigned index) {
    save_flags_if_live(index);
    if ((mode_ & mode_bit::kKernel) == 0) {
        hot_.test32(at(kCR4), static_cast<i32>(cr4::kTSD));
        put_miss_if(condition::kNotZero);
    }
    hot_.call(at(kTimeStub));
    put_miss_if(condition::kZero);
    hot_.add(kScratch, at(kTSCOffset));
    hot_.move32(kHostRAX, kScratch);
    hot_.rorx(kScratch, kScratch, 32);
    hot_.move32(kHostRDX, kScratch);
    if (items_[index].decoded.instruction == Instruction::RDTSCP)
        hot_.load(kHome[kRCX], at(kTSCAux));
}

void BlockTranslator::put_check_base_instructions(unsigned index) {
    save_flags_if_live(index);
    hot_.test32(at(kCR4), static_cast<i32>(cr4::kFSGSBASE));
    put_miss_if(condition::kZero);
}

void BlockTranslator::put_read_base(unsigned index) {
    const Item& item = items_[index];
    const u8 segment = item.decoded.instruction == Instruction::RDFSBASE_Ry ? kFS : kGS;
    put_check_base_instructions(index);
    if (item.raw.rex_w)
        hot_.load(kScratch, at(segment_base(segment)));
    else
        hot_.load32(kScratch, at(segment_base(segment)));
    put_result(item.raw.rm, kScratch);
}

void BlockTranslator::put_write_base(unsigned index) {
    const Item& item = items_[index];
    const u8 segment = item.decoded.instruction == Instruction::WRFSBASE_Ry ? kFS : kGS;
    put_check_base_instructions(index);
    const HostRegister from = scratch_or(item.raw.rm, kScratch);
    if (!item.raw.rex_w) {
        hot_.move32(kScratch, from);
    } else {
        if (from != kScratch)
            hot_.move(kScratch, from);
        put_canonical_check();
    }
    hot_.store(at(segment_base(segment)), kScratch);
    hot_.store(at(kSegmentBases + 8 * segment), kScratch);
}

void BlockTranslator::put_read_selector(unsigned index) {
    const Item& item = items_[index];
    const Memory selector = at(segment_selector(item.raw.reg));
    if ((item.decoded.op.flags & op_flag::kMemory) == 0) {
        hot_.load16(kScratch, selector);
        return put_result(item.raw.rm, kScratch);
    }
    save_flags_if_live(index);
    const HostRegister address = put_address(item);
    put_check(address, 2, AccessKind::kWrite, Alignment::kAny);
    hot_.lea(kScratch2, Memory{.base = kScratch2, .index = address});
    hot_.load16(kScratch, selector);
    note_access();
    hot_.store16(Memory{.base = kScratch2}, kScratch);
}

// BT, BTS, BTR or BTC of memory, with the bit number in a register: operands of 4 or 8 bytes.
bool BlockTranslator::can_be_bit_string(const Item& item) {
    const Op& op = item.decoded.op;
    return item.shape->indexes_bits && (op.flags & op_flag::kMemory) != 0 &&
           (op.flags & op_flag::kAddress32) == 0 && item.decoded.operand_size >= 4 &&
           can_be_fixed(item);
}

void BlockTranslator::put_bit_string(unsigned index) {
    const Item& item = items_[index];
    const bool wide = item.decoded.operand_size == 8;
    const bool writes = item.decoded.instruction != Instruction::BT_Ev_Gv;
    const u8 number = item.raw.reg;
    const bool in_slot = kHome[number] == kNoRegister;
    const bool needs = needs_flags(item, live_before(index));
    save_flags_if_live(index);
    // The number is signed, and reaches beyond the operand.
    const HostRegister address = put_address(item);
    if (wide) {
        if (in_slot)
            put_slot_load(kScratch2, number);
        else
            hot_.move(kScratch2, kHome[number]);
    } else if (in_slot) {
        hot_.rm(0x63, kScratch2, at(gpr(number)));  // MOVSXD
    } else {
        hot_.rr(0x63, kScratch2, kHome[number]);
    }
    hot_.shift_right_signed(kScratch2, wide ? 6 : 5);
    hot_.lea(kScratch,
             Memory{.base = address, .index = kScratch2, .scale = static_cast<u8>(wide ? 3 : 2)});
    put_check(kScratch, wide ? 8 : 4, writes ? AccessKind::kWrite : AccessKind::kRead,
              Alignment::kAny);
    note_clobbered_flags();
    if (needs && flags_ == Where::kMemory) {
        put_reload(Scratch::kInUse);
        flags_ = Where::kBoth;
    }
    hot_.lea(kScratch2, Memory{.base = kScratch2, .index = kScratch});
    note_access();
    if (wide)
        hot_.load(kScratch, Memory{.base = kScratch2});
    else
        hot_.load32(kScratch, Memory{.base = kScratch2});
    HostRegister bit = kHome[number];
    if (in_slot) {
        if (writes)
            hot_.store(at(kValue), kScratch2);
        put_slot_load(kScratch2, number);
        bit = kScratch2;
    }
    put_bit_operation(hot_, item.raw.opcode, wide, kScratch, bit);
    if (writes) {
        if (in_slot)
            hot_.load(kScratch2, at(kValue));
        if (wide)
            hot_.store(Memory{.base = kScratch2}, kScratch);
        else
            hot_.store32(Memory{.base = kScratch2}, kScratch);
    }
    flags_ = Where::kHost;
    put_fix_up(item);
    put_slow_paths(index, SiteKind::kSlow);
}

}  // namespace uchronia::cpu::jit
