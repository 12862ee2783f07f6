#include "base/utf8.h"

#include "base/types.h"

namespace uchronia {

std::size_t utf8_length(std::string_view text, std::size_t i) {
    const u8 first = static_cast<u8>(text[i]);
    if (first < 0x80)
        return 1;
    const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || i + length > text.size())
        return 0;
    u32 character = first & (0xffu >> (length + 1));
    for (std::size_t k = 1; k < length; ++k) {
        const u8 next = static_cast<u8>(text[i + k]);
        if ((next & 0xc0) != 0x80)
            return 0;
        character = character << 6 | (next & 0x3f);
    }
    constexpr u32 kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const bool is_surrogate = character >= 0xd800 && character < 0xe000;
    return character < kSmallest[length] || character > 0x10ffff || is_surrogate ? 0 : length;
}

}  // namespace uchronia
