#include "profile/guest_view.h"

#include <algorithm>

namespace uchronia::profile {

bool GuestView::read(u64 address, std::span<u8> bytes) {
    for (u64 done = 0; done < bytes.size();) {
        const u64 at = address + done;
        const u64 size = std::min<u64>(bytes.size() - done, kPageSize - (at & kPageMask));
        u64 physical = 0;
        if (!translate(at, physical) || !read_physical(physical, bytes.subspan(done, size)))
            return false;
        done += size;
    }
    return true;
}

std::string GuestView::text(u64 address, u64 most) {
    constexpr u64 kPiece = 32;
    std::string result;
    while (result.size() < most) {
        u8 piece[kPiece];
        const u64 at = address + result.size();
        const u64 size = std::min({kPiece, most - result.size(), kPageSize - (at & kPageMask)});
        if (!read(at, {piece, size}))
            break;
        u8* const end = std::find(piece, piece + size, u8{0});
        result.append(piece, end);
        if (end != piece + size)
            break;
    }
    return result;
}

}  // namespace uchronia::profile
