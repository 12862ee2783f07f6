#include "cli/message.h"

#include <unistd.h>

#include <cstdio>
#include <string>

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

bool errors_go_to_terminal() {
    return ::isatty(STDERR_FILENO) == 1;
}

}  // namespace uchronia::cli
