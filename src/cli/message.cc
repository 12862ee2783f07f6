#include "cli/message.h"

#include <unistd.h>

#include <cstdio>
#include <string>

#include "base/types.h"

namespace uchronia::cli {

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
    for (const char c : text) {
        const u8 byte = static_cast<u8>(c);
        if ((byte >= 0x20 && byte != 0x7f) || kept.find(c) != std::string_view::npos) {
            result += c;
            continue;
        }
        char escaped[8];
        std::snprintf(escaped, sizeof escaped, "\\x%02x", byte);
        result += escaped;
    }
    return result;
}

bool errors_go_to_terminal() {
    return ::isatty(STDERR_FILENO) == 1;
}

}  // namespace uchronia::cli
