#include "history/recorded_input.h"

#include <algorithm>

namespace uchronia::history {

u64 read_recorded(std::span<const u8> recorded, u64 offset, std::span<u8> bytes) {
    if (offset > recorded.size())
        return 0;
    const u64 count = std::min<u64>(bytes.size(), recorded.size() - offset);
    std::copy_n(recorded.data() + offset, count, bytes.data());
    return count;
}

u64 read_and_record(std::vector<u8>& recorded, u64 offset, std::span<u8> bytes,
                    const LiveBytes& live) {
    const u64 known = read_recorded(recorded, offset, bytes);
    if (known == bytes.size() || offset > recorded.size())
        return known;
    const std::span<u8> rest = bytes.subspan(known);
    const u64 count = live(offset + known, rest);
    recorded.insert(recorded.end(), rest.begin(),
                    rest.begin() + static_cast<std::ptrdiff_t>(count));
    return known + count;
}

}  // namespace uchronia::history
