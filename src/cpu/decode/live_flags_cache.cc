#include "cpu/decode/live_flags_cache.h"

#include <bit>
#include <cstring>

namespace uchronia::cpu {
namespace {

// Calls visit(bytes of a line in the page, place of the line's copy) until it returns false.
template <typename Visit>
bool each_line(u64 lines, const u8* page, Visit visit) {
    for (u64 copy = 0; lines != 0; lines &= lines - 1, copy += kScannedLine) {
        const auto line = static_cast<u64>(std::countr_zero(lines));
        if (!visit(page + line * kScannedLine, copy))
            return false;
    }
    return true;
}

}  // namespace

u8 LiveFlagsCache::find(std::span<const u8, kPageSize> page, u64 page_number, u16 offset) {
    Entry& entry = entries_[(offset ^ page_number * 0x9e3) % kEntries];
    if (entry.lines != 0 && entry.offset == offset &&
        each_line(entry.lines, page.data(), [&](const u8* line, u64 copy) {
            return std::memcmp(line, &entry.bytes[copy], kScannedLine) == 0;
        }))
        return entry.live;
    const LiveFlags found = live_flags(page, offset, CodeMode::k64);
    if (static_cast<std::size_t>(std::popcount(found.lines)) > kMostLines)
        return found.live;
    entry.lines = found.lines;
    entry.offset = offset;
    entry.live = found.live;
    each_line(found.lines, page.data(), [&](const u8* line, u64 copy) {
        std::memcpy(&entry.bytes[copy], line, kScannedLine);
        return true;
    });
    return found.live;
}

}  // namespace uchronia::cpu
