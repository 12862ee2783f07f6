// Stack instructions and branches.
//
// A branch inside the page is a jump to the target's entry. A branch to another page checks that it
// was linked under the address space's present key, and otherwise, like every indirect branch, goes
// through the jump table of the vCPU.
#include "cpu/jit/block_translator.h"
#include "cpu/jit/frame_layout.h"

namespace uchronia::cpu::jit {

using namespace frame;

namespace {

constexpr u8 kMoveImmediate = 0xc7;

i32 page_part(i64 target) {
    return static_cast<i32>(target & ~static_cast<i64>(kPageMask));
}
i32 offset_part(i64 target) {
    return static_cast<i32>(target & static_cast<i64>(kPageMask));
}

}  // namespace

void BlockTranslator::put_push(unsigned index) {
    const Item& item = items_[index];
    const RawInstruction& raw = item.raw;
    const Memory operand = put_stack_access(index, AccessKind::kWrite, -8);
    const u8 guest = raw.has_modrm ? raw.rm : raw.opcode_register;
    if (!raw.has_modrm && !item.shape->opcode_register) {
        note_access_of(index);
        hot_.rm(kMoveImmediate, 0, operand);
        hot_.value(static_cast<i32>(item.decoded.op.immediate));
        move_stack(item, -8);
    } else if (kHome[guest] != kNoRegister) {
        note_access_of(index);
        hot_.store(operand, kHome[guest]);
        move_stack(item, -8);
    } else {
        put_pushed_value(index, operand, [&] { put_slot_load(kScratch, guest); });
    }
    put_slow_paths(index, SiteKind::kSlow);
}

// Pushes what `load` puts into rcx, by an operand that may need rcx before that.
template <class Load>
void BlockTranslator::put_pushed_value(unsigned index, Memory operand, Load load) {
    if (operand.index == kScratch) {
        hot_.lea(kScratch2, operand);
        operand = {.base = kScratch2};
    }
    load();
    note_access_of(index);
    hot_.store(operand, kScratch);
    move_stack(items_[index], -8);
}

// Loads the 8-byte memory operand into rcx.
void BlockTranslator::put_load_operand(unsigned index) {
    save_flags_if_live(index);
    const HostRegister address = put_address(items_[index]);
    put_check(address, 8, AccessKind::kRead, Alignment::kAny);
    note_access();
    hot_.load(kScratch, Memory{.base = kScratch2, .index = address});
}

void BlockTranslator::put_push_memory(unsigned index) {
    put_load_operand(index);
    hot_.store(at(kValue), kScratch);
    const Memory operand = put_stack_access(index, AccessKind::kWrite, -8);
    put_pushed_value(index, operand, [&] { hot_.load(kScratch, at(kValue)); });
    settle_stack();  // the slow path comes back behind this
    put_slow_paths(index, SiteKind::kSlow);
}

// 64 bits, without RF and VM.
void BlockTranslator::put_push_flags(unsigned index) {
    save_flags_if_live(index);
    put_flags_image(hot_, 0);
    hot_.and_(kScratch, ~static_cast<i32>(rflags::kRF | rflags::kVM));
    hot_.store(at(kValue), kScratch);
    note_clobbered_flags();
    put_pushed_value(index, put_stack_access(index, AccessKind::kWrite, -8),
                     [&] { hot_.load(kScratch, at(kValue)); });
    put_slow_paths(index, SiteKind::kSlow);
}

void BlockTranslator::put_pop(unsigned index) {
    const u8 guest = items_[index].raw.opcode_register;
    const Memory operand = put_stack_access(index, AccessKind::kRead, 0);
    note_access_of(index);
    if (kHome[guest] != kNoRegister) {
        hot_.load(kHome[guest], operand);
    } else {
        hot_.load(kScratch, operand);
        put_slot_store(guest, kScratch);
    }
    if (guest != kRSP)
        move_stack(items_[index], 8);
    put_slow_paths(index, SiteKind::kSlow);
}

void BlockTranslator::put_leave(unsigned index) {
    save_flags_if_live(index);
    put_check(kHostRBP, 8, AccessKind::kRead, Alignment::kAny);
    hot_.lea(kScratch, Memory{.base = kHostRBP, .displacement = 8});
    note_access();
    hot_.load(kHostRBP, Memory{.base = kScratch2, .index = kHostRBP});
    hot_.move(kStackRegister, kScratch);
    put_slow_paths(index, SiteKind::kSlow);
}

// Makes the jump lead to a place in this page.
void BlockTranslator::put_link(unsigned index, Jump jump, i64 target) {
    cold_.bind(jump);
    Site site = site_at(index, SiteKind::kLink);
    site.target = static_cast<i32>(target);
    put_site(site, flags_ == Where::kHost ? Spill::kYes : Spill::kNo);
    const auto flags = flags_ == Where::kHost     ? EntryFlags::kInHost
                       : flags_ == Where::kMemory ? EntryFlags::kInMemory
                                                  : EntryFlags::kInBoth;
    parts_.links.push_back({static_cast<u16>(target), flags, jump.field});
}

// Goes on at an address relative to the page.
void BlockTranslator::put_edge(unsigned index, i64 target) {
    if (can_link(target))
        put_link(index, hot_.jump(), target);
    else
        put_cross_page(index, target);
}

void BlockTranslator::put_cross_page(unsigned index, i64 target) {
    if (flags_ == Where::kHost)
        put_spill();
    hot_.add(at(kPageBase), page_part(target));
    hot_.compare32(at(kLinkKey), 0);
    const u8* key = hot_.here() - CrossLink::kKeySize;
    const Jump linked = hot_.jump_if(condition::kZero);
    // Not linked under this key: by the jump table.
    cold_.bind(linked);
    cold_.bind(hot_.jump());
    cold_.load(kScratch, at(kPageBase));
    cold_.lea(kScratch, Memory{.base = kScratch, .displacement = offset_part(target)});
    Site site = site_at(index, SiteKind::kCross);
    site.target = static_cast<i32>(target);
    site.resume = static_cast<u32>(key - store_.hot());
    cold_.call(at(kLookupStub));
    put_site_number(cold_, site);
}

// Goes to the address in rcx at the end of an instruction that has added `released` to RSP.
void BlockTranslator::put_lookup(unsigned index, i32 released) {
    put_table_look(hot_, 0);
    cold_.bind(hot_.jump_if(condition::kNotZero));
    put_table_jump(hot_);
    Site site = site_at(index, SiteKind::kIndirect);
    site.target = released;
    put_site(site);
}

void BlockTranslator::put_jump(unsigned index) {
    put_edge(index, static_cast<i64>(items_[index].decoded.op.immediate));
}

void BlockTranslator::put_jump_if(unsigned index) {
    const Item& item = items_[index];
    if (flags_ == Where::kMemory) {
        put_reload(Scratch::kFree);
        flags_ = Where::kBoth;
    }
    const i64 target = static_cast<i64>(item.decoded.op.immediate);
    const i64 next = item.offset + item.decoded.op.length;
    const Jump taken = hot_.jump_if(item.raw.opcode & 15);
    if (can_link(target)) {
        put_link(index, taken, target);
        put_edge(index, next);
        return;
    }
    put_edge(index, next);
    hot_.bind(taken);
    put_cross_page(index, target);
}

// The operand of an indirect branch, to rcx.
void BlockTranslator::put_branch_target(unsigned index) {
    const Item& item = items_[index];
    if ((item.decoded.op.flags & op_flag::kMemory) != 0) {
        put_load_operand(index);
    } else {
        save_flags_if_live(index);
        const HostRegister target = scratch_or(item.raw.rm, kScratch);
        if (target != kScratch)
            hot_.move(kScratch, target);
    }
}

// Leaves to the slow path if rcx is not canonical.
void BlockTranslator::put_canonical_check() {
    hot_.move(kScratch2, kScratch);
    hot_.shift_left(kScratch2, 16);
    hot_.shift_right_signed(kScratch2, 16);
    hot_.compare(kScratch2, kScratch);
    put_miss_if(condition::kNotZero);
}

void BlockTranslator::put_jump_indirect(unsigned index) {
    put_branch_target(index);
    put_lookup(index, 0);
    put_slow_paths(index, SiteKind::kEnd);
}

void BlockTranslator::put_push_return_address(unsigned index) {
    const Item& item = items_[index];
    const i32 after = item.offset + item.decoded.op.length;
    put_pushed_value(index, put_stack_access(index, AccessKind::kWrite, -8), [&] {
        hot_.load(kScratch, at(kPageBase));
        hot_.lea(kScratch, Memory{.base = kScratch, .displacement = after});
    });
    settle_stack();
}

void BlockTranslator::put_call(unsigned index) {
    put_push_return_address(index);
    put_edge(index, static_cast<i64>(items_[index].decoded.op.immediate));
    put_slow_paths(index, SiteKind::kEnd);
}

void BlockTranslator::put_call_indirect(unsigned index) {
    put_branch_target(index);
    // A target that is not canonical must fault before anything is pushed.
    put_canonical_check();
    hot_.store(at(kValue), kScratch);
    put_push_return_address(index);
    hot_.load(kScratch, at(kValue));
    put_lookup(index, 0);
    put_slow_paths(index, SiteKind::kEnd);
}

void BlockTranslator::put_return(unsigned index) {
    const Item& item = items_[index];
    const i32 released =
        8 + (item.raw.immediate_size != 0 ? static_cast<u16>(item.decoded.op.immediate) : 0);
    const Memory operand = put_stack_access(index, AccessKind::kRead, 0);
    note_access_of(index);
    hot_.load(kScratch, operand);
    move_stack(item, released);
    settle_stack();
    save_flags_if_live(index);
    put_lookup(index, released);
    put_slow_paths(index, SiteKind::kEnd);
}

}  // namespace uchronia::cpu::jit
