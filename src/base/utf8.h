// Which bytes of a text are characters in UTF-8.
//
// Source: RFC 3629.
#pragma once

#include <cstddef>
#include <string_view>

namespace uchronia {

// How many bytes the character at text[i] has; 0 if it is none.
std::size_t utf8_length(std::string_view text, std::size_t i);

}  // namespace uchronia
