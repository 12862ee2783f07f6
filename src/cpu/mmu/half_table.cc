#include "cpu/mmu/half_table.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace uchronia::cpu {
namespace {

constexpr u64 kBitmapBytes = kTableEntryCount / (4096 / sizeof(TableEntry)) / 8;
constexpr u64 kHalfBytes = kTableEntryCount * sizeof(TableEntry);
constexpr u64 kTableBytes = 2 * kHalfBytes;

}  // namespace

HalfTable::HalfTable()
    : memory_(kHalfBytes),
      both_halves_(static_cast<TableEntry*>(host::reserve(kTableBytes))),
      entries_(both_halves_),
      used_bitmap_(static_cast<u64*>(host::reserve(kBitmapBytes))) {
    map_entries();
}

HalfTable::~HalfTable() {
    host::release(both_halves_, kTableBytes);
    host::release(used_bitmap_, kBitmapBytes);
}

void HalfTable::set_half(Half half) {
    CHECK(used_chunks_.empty());
    TableEntry* entries = both_halves_ + (half == Half::kUpper ? kTableEntryCount : 0);
    if (entries == entries_)
        return;
    entries_ = entries;
    host::renew(both_halves_, kTableBytes);
    map_entries();
}

void HalfTable::map_entries() {
    if (memory_.usable())
        memory_.map(entries_);
}

bool HalfTable::is_used(u64 chunk) const {
    return ((used_bitmap_[chunk / 64] >> (chunk % 64)) & 1) != 0;
}

TableEntry& HalfTable::entry_for_fill(u64 address) {
    const u64 index = (address >> kPageBits) & kTableIndexMask;
    const u64 chunk = index / kChunkEntries;
    if (!is_used(chunk)) {
        used_bitmap_[chunk / 64] |= u64{1} << (chunk % 64);
        used_chunks_.push_back(static_cast<u32>(chunk));
    }
    return entries_[index];
}

void HalfTable::clear_entries(u64 first, u64 count) {
    std::fill_n(entries_ + first, count, TableEntry{});
}

void HalfTable::clear(u64 address, u64 size) {
    ++clearings;
    const u64 first = (address >> kPageBits) & kTableIndexMask;
    const u64 count = std::min(size >> kPageBits, kTableEntryCount - first);
    const u64 end = first + count;
    const u64 chunk_count = (count + kChunkEntries - 1) / kChunkEntries + 1;
    if (chunk_count > used_chunks_.size()) {
        for (const u32 chunk : used_chunks_) {
            const u64 from = std::max(first, chunk * kChunkEntries);
            const u64 to = std::min(end, (chunk + u64{1}) * kChunkEntries);
            if (from < to)
                clear_entries(from, to - from);
        }
        return;
    }
    for (u64 from = first; from < end;) {
        const u64 chunk = from / kChunkEntries;
        const u64 to = std::min(end, (chunk + 1) * kChunkEntries);
        if (is_used(chunk))
            clear_entries(from, to - from);
        from = to;
    }
}

void HalfTable::clear_all() {
    ++clearings;
    for (const u32 chunk : used_chunks_) {
        clear_entries(chunk * kChunkEntries, kChunkEntries);
        used_bitmap_[chunk / 64] &= ~(u64{1} << (chunk % 64));
    }
    used_chunks_.clear();
}

void HalfTable::renew() {
    ++clearings;
    host::renew(both_halves_, kTableBytes);
    if (memory_.usable())
        memory_.clear();
    map_entries();
    host::renew(used_bitmap_, kBitmapBytes);
    used_chunks_.clear();
}

}  // namespace uchronia::cpu
