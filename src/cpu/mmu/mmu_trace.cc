// What is cached about a page, and forgetting exactly that: the reverse list (page to FSPT
// entries), the traces (page to the ranges that it maps as a page table) and decoded code.

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/check.h"
#include "cpu/execution.h"
#include "cpu/mmu/mmu.h"
#include "cpu/vcpu.h"

namespace uchronia::cpu {
namespace {

constexpr u64 kCodeLine = kPageSize / 64;  // bytes that a bit of lines_of stands for

// More entries than this of one page are not worth keeping.
constexpr std::size_t kLongestOverflow = 32;
// After so many stores that no cached translation depended on, with no walk in between, a page is
// taken to be a page table no longer.
constexpr u32 kUselessStores = 32;
// A page table that is used at more places than this (a guest can make it millions) is forgotten
// and found again.
constexpr std::size_t kMostUses = 64;

unsigned level_shift(unsigned level) {
    return static_cast<unsigned>(kPageBits) + 9 * (level - 1);
}

u64 sign_extended(u64 address) {
    return static_cast<u64>(static_cast<i64>(address << 16) >> 16);
}

}  // namespace

void MMU::add_reverse(u64 page_number, TableEntry* entry) {
    PageState& state = changeable(page_number);
    for (TableEntry*& slot : state.reverse) {
        if (slot == entry)
            return;
        if (slot == nullptr) {
            slot = entry;
            return;
        }
    }
    if (state.reverse_overflow == 0) {
        overflow_.emplace_back();
        state.reverse_overflow = static_cast<u32>(overflow_.size());
    }
    std::vector<TableEntry*>& more = overflow_[state.reverse_overflow - 1];
    if (std::find(more.begin(), more.end(), entry) != more.end())
        return;
    if (more.size() >= kLongestOverflow) {
        const TableEntry kept = *entry;
        clear_entries(page_number, Forget::kAll);
        *entry = kept;
        state.reverse[0] = entry;
        return;
    }
    more.push_back(entry);
}

// A listed entry may meanwhile serve another page: clearing it is always allowed.
void MMU::clear_entries(u64 page_number, Forget what) {
    ++page_clearings_;
    PageState& state = pages_[page_number];
    const auto clear = [what](TableEntry* entry) {
        entry->write = 0;
        if (what == Forget::kAll)
            entry->read = 0;
    };
    for (TableEntry*& slot : state.reverse) {
        if (slot == nullptr)
            continue;
        clear(slot);
        if (what == Forget::kAll)
            slot = nullptr;
    }
    if (state.reverse_overflow == 0)
        return;
    std::vector<TableEntry*>& more = overflow_[state.reverse_overflow - 1];
    for (TableEntry* entry : more)
        clear(entry);
    if (what == Forget::kAll)
        more.clear();
}

MMU::TracedPage& MMU::traced(u64 page_number) {
    PageState& state = changeable(page_number);
    if (state.trace == 0) {
        clear_entries(page_number, Forget::kWrites);
        if (free_traces_.empty()) {
            traces_.emplace_back();
            state.trace = static_cast<u32>(traces_.size());
        } else {
            state.trace = free_traces_.back() + 1;
            free_traces_.pop_back();
        }
    }
    return traces_[state.trace - 1];
}

// Notes that what is now cached of `table` for `address` (entries and code lookups) was read
// through the walk's page tables. The root is traced by its address space.
void MMU::trace_walk(u64 address, const Walk& walk, HalfTable* table) {
    for (unsigned i = 1; i < walk.table_count; ++i) {
        const unsigned level = 4 - i;
        const u64 base = sign_extended(address & ~((u64{1} << level_shift(level + 1)) - 1));
        TracedPage& page = traced(walk.table_pages[i]);
        page.useless_stores = 0;
        const auto is_same = [&](const Trace& use) {
            return use.table == table && use.base == base && use.level == level;
        };
        if (std::any_of(page.uses.begin(), page.uses.end(), is_same))
            continue;
        if (page.uses.size() >= kMostUses)
            forget_other_uses(page, address, table);
        page.uses.push_back({table, base, level});
    }
}

// Forgets what was cached through a page table, but for its uses in walks of `address`.
void MMU::forget_other_uses(TracedPage& page, u64 address, const HalfTable* table) {
    std::erase_if(page.uses, [&](const Trace& use) {
        const u64 size = u64{1} << level_shift(use.level + 1);
        if (use.table == table && address - use.base < size)
            return false;
        use.table->clear(use.base, size);
        code_mapping_changed(use.table);
        return true;
    });
}

// A store to a page that walks have read: writes it, then forgets what the changed entries gave.
void MMU::store_to_table(u64 page_number, u64 offset, const void* data, u32 size) {
    ++counters_.table_stores;
    u8* page = memory_.write_page(page_number);
    const u64 first = offset & ~u64{7};
    for (u64 at = first; at < offset + size; at += 8) {
        u64 before, after;
        std::memcpy(&before, page + at, sizeof before);
        const u64 from = std::max(at, offset);
        const u64 to = std::min(at + 8, offset + size);
        std::memcpy(page + from, static_cast<const u8*>(data) + (from - offset), to - from);
        std::memcpy(&after, page + at, sizeof after);
        if (before != after)
            entry_changed(page_number, static_cast<unsigned>(at / 8), before);
        if (pages_[page_number].trace == 0)
            continue;
        TracedPage& table = traces_[pages_[page_number].trace - 1];
        if ((before & pte::kPresent) == 0 && ++table.useless_stores > kUselessStores)
            forget_table(page_number);
    }
}

void MMU::entry_changed(u64 page_number, unsigned index, u64 before) {
    const u32 trace = pages_[page_number].trace;
    if (trace == 0)
        return;
    const bool root = traces_[trace - 1].root;
    if (root && index >= 256)
        upper_root_entry_changed(page_number);
    if ((before & pte::kPresent) == 0)
        return;  // nothing is cached of what is not present
    if (root && index < 256)
        lower_root_entry_changed(page_number, index);
    const bool to_code = leads_to_code(before);
    for (const Trace& use : traces_[trace - 1].uses) {
        const unsigned shift = level_shift(use.level);
        use.table->clear(use.base + (u64{index} << shift), u64{1} << shift);
        if (use.level > 1 || to_code)
            code_mapping_changed(use.table);
        ++counters_.invalidations;
    }
}

bool MMU::leads_to_code(u64 entry) const {
    const u64 target = (entry & pte::kAddressMask) >> kPageBits;
    return target < pages_.size() && pages_[target].code_lines != 0;
}

bool MMU::is_root(u64 page_number) const {
    const u32 trace = pages_[page_number].trace;
    return trace != 0 && traces_[trace - 1].root;
}

void MMU::lower_root_entry_changed(u64 page_number, unsigned index) {
    for (const AddressSpace* space : spaces_with_root(page_number)) {
        for (HalfTable* table : {space->user_low, space->supervisor_low}) {
            if (table == nullptr)
                continue;
            table->clear(u64{index} << 39, u64{1} << 39);
            code_mapping_changed(table);
        }
    }
}

// The root now shares its upper table with others than before.
void MMU::upper_root_entry_changed(u64 page_number) {
    for (AddressSpace* space : spaces_with_root(page_number)) {
        if (!is_current(*space))
            drop_space(*space);
    }
    for (AddressSpace* space : spaces_with_root(page_number)) {
        detach_high_table(*space);
        attach_high_table(*space);
        refresh_contexts();
    }
}

// The page is no page table any more (or everything read through it is stale): forgets all that was
// cached through it.
void MMU::forget_table(u64 page_number) {
    const u32 trace = pages_[page_number].trace;
    if (trace == 0)
        return;
    TracedPage& page = traces_[trace - 1];
    for (const Trace& use : page.uses) {
        use.table->clear(use.base, u64{1} << level_shift(use.level + 1));
        code_mapping_changed(use.table);
    }
    page.uses.clear();
    page.useless_stores = 0;
    if (page.root) {
        upper_root_entry_changed(page_number);
        for (const AddressSpace* space : spaces_with_root(page_number)) {
            for (HalfTable* table : {space->user_low, space->supervisor_low}) {
                if (table == nullptr)
                    continue;
                table->clear_all();
                code_mapping_changed(table);
            }
        }
        return;  // stays traced as a root, if it is current
    }
    pages_[page_number].trace = 0;
    free_traces_.push_back(trace - 1);
}

void MMU::invalidate_code(u64 page_number) {
    ++counters_.code_drops;
    pages_[page_number].code_lines = 0;
    for (CodeObserver* observer : code_observers_)
        observer->code_changed(page_number);
}

void MMU::code_mapping_changed(HalfTable* table) {
    if (++table->code_epoch == 0)
        table->id = next_id_++;  // so that no key ever comes back
    refresh_contexts();
}

void MMU::page_moved(u64 page_number) {
    clear_entries(page_number, Forget::kAll);
}

void MMU::page_replaced(u64 page_number, const u8* before) {
    page_moved(page_number);
    const PageState& state = pages_[page_number];
    const u8* now = memory_.read_page(page_number);
    if (state.trace != 0)
        table_replaced(page_number, before, now);
    for (u64 lines = state.code_lines; lines != 0; lines &= lines - 1) {
        const u64 at = static_cast<u64>(std::countr_zero(lines)) * kCodeLine;
        if (std::memcmp(before + at, now + at, kCodeLine) != 0)
            return invalidate_code(page_number);
    }
}

// A page table with other contents: forgets what the changed entries gave.
void MMU::table_replaced(u64 page_number, const u8* before, const u8* now) {
    static constexpr unsigned kManyChanges = 32;
    unsigned changes = 0;
    for (unsigned i = 0; i < kPageSize / 8; ++i) {
        u64 old_entry, new_entry;
        std::memcpy(&old_entry, before + i * 8, sizeof old_entry);
        std::memcpy(&new_entry, now + i * 8, sizeof new_entry);
        if (old_entry == new_entry)
            continue;
        if (++changes > kManyChanges)
            return forget_table(page_number);
        entry_changed(page_number, i, old_entry);
    }
}

void MMU::page_protected(u64 page_number) {
    clear_entries(page_number, Forget::kWrites);
}

void MMU::page_written(u64 page_number, u64 offset, u64 size) {
    if (page_number >= pages_.size() || size == 0)
        return;
    forget_table(page_number);
    if ((pages_[page_number].code_lines & lines_of(offset, size)) != 0)
        invalidate_code(page_number);
}

}  // namespace uchronia::cpu
