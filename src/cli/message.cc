#include "cli/message.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "base/types.h"
#include "base/utf8.h"

namespace uchronia::cli {
namespace {

// The control characters (ECMA-48, 5.2 and 5.3), and what is no character of UTF-8.
bool steers_terminals(std::string_view character) {
    const u8 first = static_cast<u8>(character[0]);
    if (character.size() == 1)
        return first < 0x20 || first >= 0x7f;
    return first == 0xc2 && static_cast<u8>(character[1]) < 0xa0;
}

}  // namespace

void say(std::string_view text) {
    while (!text.empty() && text.back() == '\n')
        text.remove_suffix(1);
    std::string lines;
    while (true) {
        const std::size_t end = text.find('\n');
        lines += "uchronia: ";
        lines += text.substr(0, end);
        lines += '\n';
        if (end == std::string_view::npos)
            break;
        text.remove_prefix(end + 1);
    }
    std::fwrite(lines.data(), 1, lines.size(), stderr);
    std::fflush(stderr);
}

int fail(const Error& error, int exit_status) {
    say(error.message);
    return exit_status;
}

std::string printable(std::string_view text, std::string_view kept) {
    std::string result;
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t length = std::max<std::size_t>(utf8_length(text, i), 1);
        const std::string_view character = text.substr(i, length);
        i += length;
        if (!steers_terminals(character) || kept.find(character) != std::string_view::npos) {
            result += character;
            continue;
        }
        for (const char c : character) {
            char escaped[8];
            std::snprintf(escaped, sizeof escaped, "\\x%02x", static_cast<u8>(c));
            result += escaped;
        }
    }
    return result;
}

bool errors_go_to_terminal() {
    return ::isatty(STDERR_FILENO) == 1;
}

}  // namespace uchronia::cli
