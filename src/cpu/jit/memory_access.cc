// Memory operands of translated code: the address, the look into the flat software page table, and
// the slow paths (docs/decisions/0013 says why nothing else can be reached).
#include "cpu/jit/block_translator.h"
#include "cpu/jit/frame_layout.h"
#include "cpu/mmu/mmu.h"

namespace uchronia::cpu::jit {

using namespace frame;

namespace {

unsigned log_of(unsigned size) {
    unsigned log = 0;
    while ((1u << log) < size)
        ++log;
    return log;
}

}  // namespace

void BlockTranslator::put_slot_load(HostRegister to, u8 guest) {
    hot_.load(to, at(gpr(guest)));
}

void BlockTranslator::put_slot_store(u8 guest, HostRegister from) {
    hot_.store(at(gpr(guest)), from);
}

// The register that holds a guest register; one in memory is loaded into `scratch`.
HostRegister BlockTranslator::scratch_or(u8 guest, HostRegister scratch) {
    if (kHome[guest] != kNoRegister)
        return kHome[guest];
    put_slot_load(scratch, guest);
    return scratch;
}

// The register that holds the linear address of the memory operand: rcx, or the home of its base.
// Clobbers r11 and, with a segment, the flags.
HostRegister BlockTranslator::put_address(const Item& item) {
    const Op& op = item.decoded.op;
    Memory m{.displacement = op.displacement};
    const bool is_base = op.base < 16 && op.index == kZeroSlot && op.displacement == 0 &&
                         op.segment == kFlatSegment && (op.flags & op_flag::kAddress32) == 0;
    if (is_base && kHome[op.base] != kNoRegister)
        return kHome[op.base];
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
    if (m.base != kNoRegister && m.index == kNoRegister && m.displacement == 0) {
        if (m.base != kScratch)
            hot_.move(kScratch, m.base);
    } else {
        hot_.lea(kScratch, m);
    }
    if ((op.flags & op_flag::kAddress32) != 0)
        hot_.move32(kScratch, kScratch);
    if (op.segment != kFlatSegment)
        hot_.add(kScratch, at(kSegmentBases + 8 * op.segment));
    return kScratch;
}

// In a build that checks walks: the engine compares the entry that will be used with a page walk.
void BlockTranslator::put_verification(HostRegister address) {
    if (address != kScratch)
        hot_.move(kScratch, address);
    hot_.load(kScratch2, at(kValue));
    hot_.store(at(kSaved), kScratch2);
    hot_.call(at(kLeaveStub));
    Site site = site_at(0, SiteKind::kVerify);
    site.resume = static_cast<u32>(hot_.here() + 4 - store_.hot());
    put_site_number(hot_, site);
    hot_.load(kScratch, at(kValue));
    hot_.load(kScratch2, at(kSaved));
    hot_.store(at(kValue), kScratch2);
}

// Leaves to the instruction's slow path.
void BlockTranslator::put_miss_if(u8 condition) {
    misses_[miss_count_++] = hot_.jump_if(condition);
}

// Goes to the slow path if `size` bytes from an address on are not in one page.
void BlockTranslator::put_page_check(HostRegister address, i32 size) {
    hot_.lea32(kScratch2, Memory{.base = address, .displacement = size - 1});
    hot_.xor32(kScratch2, address);
    hot_.test32(kScratch2, kPageSize);
    put_miss_if(condition::kNotZero);
}

// Turns the index in r11 into the addend, or goes to the slow path.
void BlockTranslator::put_entry(AccessKind kind) {
    hot_.load(kScratch2,
              table_entry(kScratch2, kind == AccessKind::kWrite ? offsetof(TableEntry, write)
                                                                : offsetof(TableEntry, read)));
    hot_.test(kScratch2, kScratch2);
    put_miss_if(condition::kZero);
    note_clobbered_flags();
}

// The addend for an address to r11, or goes to the slow path.
void BlockTranslator::put_check(HostRegister address, unsigned size, AccessKind kind,
                                Alignment alignment) {
    if constexpr (kCheckWalks)
        put_verification(address);
    // Large operands are often misaligned, so the check is exact at once; small ones are not, and
    // are looked at again in the cold area if they are.
    const bool exact = size >= 16 && alignment == Alignment::kAny;
    if (exact)
        put_page_check(address, static_cast<i32>(size));
    put_index(hot_, address, 0);
    if (size > 1 && !exact) {
        hot_.test_low_byte(address, static_cast<u8>(size - 1));
        const Jump jump = hot_.jump_if(condition::kNotZero);
        if (alignment == Alignment::kNeeded)
            misses_[miss_count_++] = jump;
        else
            crosses_[cross_count_++] = {jump, hot_.here(), address, log_of(size)};
    }
    put_entry(kind);
}

// The 8 bytes at RSP + offset, checked. Where the head has done that, the flags stay as they are.
Memory BlockTranslator::put_stack_access(unsigned index, AccessKind kind, i32 offset) {
    if (items_[index].on_stack)
        return put_stack_operand(offset);
    save_flags_if_live(index);
    HostRegister address = kStackRegister;
    if (offset != 0) {
        address = kScratch;
        hot_.lea(address, Memory{.base = kStackRegister, .displacement = offset});
    }
    put_check(address, 8, kind, Alignment::kAny);
    return {.base = kScratch2, .index = address};
}

// The host instruction that comes next may fault: on an address that is not canonical, or as it
// divides.
void BlockTranslator::note_access() {
    accesses_[access_count_++] = {hot_.here(), flags_ != Where::kMemory};
}
// Not if the head has checked the access: the stack's page is plain memory.
void BlockTranslator::note_access_of(unsigned index) {
    const Item& item = items_[index];
    if (!item.on_stack || item.shape->aligned || item.shape->may_divide)
        note_access();
}

// What the jumps of the present instruction lead to; its hot code is complete.
void BlockTranslator::put_slow_paths(unsigned index, SiteKind kind) {
    if (miss_count_ == 0 && cross_count_ == 0 && access_count_ == 0)
        return;
    std::array<Jump, 2> crossing{};
    for (unsigned i = 0; i < cross_count_; ++i) {
        // The stub comes back behind the jump if the access does cross.
        cold_.bind(crosses_[i].from);
        if (crosses_[i].address != kScratch)
            cold_.move(kScratch, crosses_[i].address);
        cold_.call(at(cross_stub(crosses_[i].log_size)));
        cold_.jump(crosses_[i].back);
        if (i + 1 < cross_count_)
            crossing[i] = cold_.jump();
    }
    for (unsigned i = 0; i + 1 < cross_count_; ++i)
        cold_.bind(crossing[i]);
    for (unsigned i = 0; i < miss_count_; ++i)
        cold_.bind(misses_[i]);
    for (unsigned i = 0; i < access_count_; ++i)
        store_.add_access(accesses_[i].at, cold_.here(), accesses_[i].flags_in_host);
    Site site = site_at(index, kind);
    site.resume = static_cast<u32>(hot_.here() - store_.hot());
    put_site(site);
}

}  // namespace uchronia::cpu::jit
