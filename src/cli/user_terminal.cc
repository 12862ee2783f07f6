#include "cli/user_terminal.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "host/clock.h"

namespace uchronia::cli {
namespace {

// How far the guest's time may be ahead of the user's, and how far behind it may fall before that
// is forgotten; nanoseconds.
constexpr u64 kAhead = 10'000'000;
constexpr u64 kBehind = 50'000'000;

}  // namespace

UserTerminal::~UserTerminal() {
    if (is_raw_)
        ::tcsetattr(STDIN_FILENO, TCSADRAIN, &settings_);
}

Status UserTerminal::check() {
    if (::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1)
        return {};
    return Error{
        "a shell needs a terminal, and standard input or output is none; 'uchronia exec' runs one "
        "command without a terminal"};
}

void UserTerminal::make_raw() {
    if (::tcgetattr(STDIN_FILENO, &settings_) != 0)
        return;
    termios raw = settings_;
    ::cfmakeraw(&raw);
    is_raw_ = ::tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

history::TerminalInput UserTerminal::window() const {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0)
        size = {.ws_row = 24, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0};
    return {.at = {},
            .kind = history::TerminalInput::Kind::kWindow,
            .rows = size.ws_row,
            .columns = size.ws_col};
}

VirtualTime UserTerminal::limit(VirtualTime time) {
    const u64 now = host::monotonic_nanoseconds();
    if (!is_anchored_) {
        is_anchored_ = true;
        host_anchor_ = now;
        guest_anchor_ = time;
    }
    // What the guest had to work for longer is not made up for later.
    const VirtualTime there = guest_anchor_ + VirtualTime(now - host_anchor_);
    if (there > time + VirtualTime(kBehind)) {
        host_anchor_ = now;
        guest_anchor_ = time;
    }
    return std::max(time, guest_anchor_ + VirtualTime(now - host_anchor_)) + VirtualTime(kAhead);
}

bool UserTerminal::wait_for_key(u64 nanoseconds) const {
    pollfd waits[2] = {{ended_ ? -1 : STDIN_FILENO, POLLIN, 0}, {interrupt_, POLLIN, 0}};
    const timespec timeout{.tv_sec = static_cast<time_t>(nanoseconds / 1'000'000'000),
                           .tv_nsec = static_cast<long>(nanoseconds % 1'000'000'000)};
    return ::ppoll(waits, 2, &timeout, nullptr) > 0 && waits[0].revents != 0;
}

std::vector<history::TerminalInput> UserTerminal::take(VirtualTime time) {
    const u64 now = host::monotonic_nanoseconds();
    const VirtualTime there = guest_anchor_ + VirtualTime(now - host_anchor_);
    std::vector<history::TerminalInput> inputs;
    const bool has_key = wait_for_key(time > there ? (time - there).value : 0);
    history::TerminalInput size = window();
    if (size.rows != rows_ || size.columns != columns_) {
        rows_ = size.rows;
        columns_ = size.columns;
        inputs.push_back(size);
    }
    if (!has_key)
        return inputs;
    std::string typed(history::kMostTyped, '\0');
    const ssize_t count = ::read(STDIN_FILENO, typed.data(), typed.size());
    if (count < 0 && (errno == EINTR || errno == EAGAIN))
        return inputs;
    ended_ = count <= 0;
    typed.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    inputs.push_back({.at = {},
                      .kind = ended_ ? history::TerminalInput::Kind::kHangUp
                                     : history::TerminalInput::Kind::kTyped,
                      .typed = typed});
    return inputs;
}

}  // namespace uchronia::cli
