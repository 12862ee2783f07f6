// Accesses that share one look into the page table.
//
// Neighbouring instructions often access memory at one base register (and index) with different
// displacements: the fields of a structure, the elements of an unrolled loop. The first of such a
// group checks that the whole range lies in one page of plain memory, and the addend stays in r11
// for the others. Nothing may leave to the engine and come back in between, as that would lose r11:
// where the check fails, or an access faults, the rest of the block is done by its plain twin
// (mode_bit::kPlain) or the interpreter.
#include <algorithm>

#include "cpu/jit/block_translator.h"
#include "cpu/jit/frame_layout.h"
#include "cpu/mmu/mmu.h"

namespace uchronia::cpu::jit {

using namespace frame;

namespace {

constexpr i64 kLargestRange = 512;

}  // namespace

bool BlockTranslator::writes_register(const Item& item, u8 guest) const {
    const Shape& shape = *item.shape;
    const RawInstruction& raw = item.raw;
    if (item.kind == Kind::kNothing)
        return false;
    if (item.kind == Kind::kLEA)
        return raw.reg == guest;
    const auto is_guest = [&](RegisterClass c, u8 number) {
        // AH, CH, DH, BH are part of the registers four below their numbers.
        const bool high = is_high_byte(c, number, raw.has_rex);
        return is_general(c) && (high ? number - 4 : number) == guest;
    };
    const bool memory = (item.decoded.op.flags & op_flag::kMemory) != 0;
    const u8 reg = item.reg();
    return (shape.writes_reg && is_guest(shape.reg, reg)) ||
           (!memory && shape.writes_rm && is_guest(shape.rm, raw.rm)) ||
           (shape.writes_vvvv && is_guest(shape.vvvv, raw.vvvv)) ||
           writes_implicitly(item.decoded.instruction, guest);
}

// Registers that an instruction writes without naming them.
bool BlockTranslator::writes_implicitly(Instruction instruction, u8 guest) {
    if (guest != kRAX && guest != kRDX)
        return false;
    const std::string_view name = row_of(instruction).name;
    return name.find("_rAX") != name.npos || name.find("_AL") != name.npos || name == "CBW" ||
           name == "CWD" || name.substr(0, 3) == "MUL" || name == "IMUL_Ev" || name == "IMUL_Eb" ||
           name.substr(0, 3) == "DIV" || name.substr(0, 4) == "IDIV" ||
           name.substr(0, 7) == "CMPXCHG" || name == "LAHF";
}

// Whether the instruction leaves r11 alone, and rcx too if it is in use.
bool BlockTranslator::keeps_scratch(const Item& item, bool simple) {
    const Shape& shape = *item.shape;
    if (item.kind == Kind::kNothing)
        return true;
    const Op& op = item.decoded.op;
    const bool memory = (op.flags & op_flag::kMemory) != 0;
    const auto in_slot = [](u8 slot) { return slot < 16 && kHome[slot] == kNoRegister; };
    const u8 reg = item.reg();
    if (item.kind == Kind::kLEA)
        return op.base != kPageBaseSlot && !in_slot(op.base) && !in_slot(op.index) &&
               !in_slot(item.raw.reg) && item.decoded.operand_size != 2;
    if (item.kind != Kind::kNative || shape.may_divide || flags_to_fix(item) != 0 ||
        shape.uses_rcx || shape.writes_rcx || (differences_.inverts_flags() && shape.writes_flags))
        return false;
    unsigned slots = shape.uses_cl ? 1 : 0;
    slots += is_general(shape.reg) && in_slot(reg) ? 1 : 0;
    slots += is_general(shape.vvvv) && in_slot(item.raw.vvvv) ? 1 : 0;
    if (!memory && item.raw.has_modrm && is_general(shape.rm) && in_slot(item.raw.rm))
        slots += can_be_slot(item) ? 0 : 1;
    if (memory && is_high_byte(shape.reg, reg, item.raw.has_rex))
        return false;  // wants another form of address
    if (slots == 0)
        return true;
    // One is rcx; but the count of a shift takes it, and then others are in r11.
    return simple && slots == 1;
}

bool BlockTranslator::can_join(const Item& item) const {
    const Op& op = item.decoded.op;
    return item.kind == Kind::kNative && !item.on_stack && (op.flags & op_flag::kMemory) != 0 &&
           op.segment == kFlatSegment && (op.flags & op_flag::kAddress32) == 0 &&
           (op.base != kZeroSlot || op.index != kZeroSlot);
}

// Finds groups of two or more accesses.
void BlockTranslator::plan_groups() {
    for (unsigned first = 0; first < count_; ++first) {
        if (!can_join(items_[first]))
            continue;
        const Op& op = items_[first].decoded.op;
        Group group{.base = op.base, .index = op.index, .scale = op.scale};
        group.simple = op.index == kZeroSlot && op.base < 16 && kHome[op.base] != kNoRegister;
        if (!keeps_scratch(items_[first], group.simple))
            continue;
        unsigned members = 0;
        unsigned last = first;
        for (unsigned i = first; i < count_; ++i) {
            Item& item = items_[i];
            const Op& other = item.decoded.op;
            if (!keeps_scratch(item, group.simple))
                break;
            const bool memory = item.kind == Kind::kNative && (other.flags & op_flag::kMemory) != 0;
            if (memory) {
                if (!can_join(item) || other.base != group.base || other.index != group.index ||
                    other.scale != group.scale ||
                    !group.take(other.displacement, memory_size(item)))
                    break;
                group.writes |= item.shape->writes_memory;
                ++members;
                last = i;
            }
            if ((group.base < 16 && writes_register(item, group.base)) ||
                (group.index < 16 && writes_register(item, group.index)))
                break;
        }
        if (members < 2)
            continue;
        const u8 number = static_cast<u8>(group_count_ + 1);
        groups_[group_count_++] = group;
        for (unsigned i = first; i <= last; ++i) {
            items_[i].group = number;
            items_[i].opens_group = i == first;
        }
        first = last;
    }
}

bool BlockTranslator::Group::take(i64 displacement, unsigned size) {
    const i64 new_low = empty ? displacement : std::min(low, displacement);
    const i64 end = displacement + i64{size};
    const i64 new_high = empty ? end : std::max(high, end);
    if (new_high - new_low > kLargestRange)
        return false;
    low = new_low;
    high = new_high;
    empty = false;
    return true;
}

// The operand of a member; the first one makes the check.
Memory BlockTranslator::put_group_operand(unsigned index) {
    const Item& item = items_[index];
    const Group& group = groups_[item.group - 1];
    if (item.opens_group) {
        save_flags_if_live(index);
        Item address = item;
        address.decoded.op.displacement = static_cast<i32>(group.low);
        const HostRegister first = put_address(address);
        if constexpr (kCheckWalks)
            put_verification(first);
        put_page_check(first, static_cast<i32>(group.high - group.low));
        put_index(hot_, first, 0);
        put_entry(group.writes ? AccessKind::kWrite : AccessKind::kRead);
    }
    const i32 displacement = item.decoded.op.displacement;
    if (group.simple)
        return {.base = kScratch2, .index = kHome[group.base], .displacement = displacement};
    return {.base = kScratch2,
            .index = kScratch,
            .displacement = static_cast<i32>(displacement - group.low)};
}

// Where the check or an access of a group fails: the rest of the block is done in another way.
void BlockTranslator::put_group_exits(unsigned index) {
    if (miss_count_ == 0 && access_count_ == 0)
        return;
    for (unsigned i = 0; i < miss_count_; ++i)
        cold_.bind(misses_[i]);
    for (unsigned i = 0; i < access_count_; ++i)
        store_.add_access(accesses_[i].at, cold_.here(), accesses_[i].flags_in_host);
    put_twin_site(index);
}

// The rest of the block from an instruction on, by the plain twin: it takes its ticks itself. The
// call becomes a jump to it.
void BlockTranslator::put_twin_site(unsigned index) {
    cold_.add(kBudgetRegister, static_cast<i32>(count_ - index));
    Site site = site_at(index, SiteKind::kTwin);
    site.resume = static_cast<u32>(cold_.here() - store_.cold());
    put_site(site);
}

}  // namespace uchronia::cpu::jit
