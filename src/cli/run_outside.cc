#include "cli/run_outside.h"

#include <poll.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "cli/message.h"
#include "cli/units.h"
#include "guest/hypercall.h"

namespace uchronia::cli {
namespace {

// Waits until `descriptor` can be read (or written); false if `interrupt` comes first.
bool wait_for(int descriptor, short event, int interrupt) {
    while (true) {
        pollfd waits[2] = {{descriptor, event, 0}, {interrupt, POLLIN, 0}};
        if (::poll(waits, 2, -1) < 0 && errno == EINTR)
            continue;
        return waits[1].revents == 0;
    }
}

}  // namespace

machine::StandardInput standard_input_kind() {
    struct stat status {};
    if (::isatty(STDIN_FILENO) == 1 || ::fstat(STDIN_FILENO, &status) != 0)
        return machine::StandardInput::kNone;
    const bool is_null = S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3);
    return is_null ? machine::StandardInput::kNone : machine::StandardInput::kFromHost;
}

bool RunOutside::hears(machine::OutputStream stream) const {
    return hearing_ == Hearing::kAll ||
           (hearing_ == Hearing::kVisit && visit_began_ && is_of_visit(stream));
}

void RunOutside::fail(int error) {
    output_error_ = error;
    if (output_failed_)
        output_failed_();
}

void RunOutside::keep(std::string& kept, std::span<const u8> bytes) {
    if (output_error_ != 0)
        return;
    if (bytes.size() > most_kept_ - kept.size()) {
        say("the guest writes more than can be kept, " + format_count(most_kept_) + " bytes");
        return fail(EFBIG);
    }
    kept.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

void RunOutside::output(machine::OutputStream stream, std::span<const u8> bytes) {
    if (!hears(stream))
        return;
    const bool is_error = machine::is_error(stream);
    if (std::string* kept = is_error ? kept_errors_ : kept_output_;
        kept != nullptr && is_of_visit(stream)) {
        keep(*kept, bytes);
        return;
    }
    const int descriptor = is_error ? STDERR_FILENO : STDOUT_FILENO;
    while (!bytes.empty() && output_error_ == 0) {
        const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
        if (written >= 0) {
            bytes = bytes.subspan(static_cast<std::size_t>(written));
        } else if (errno == EAGAIN) {
            if (!wait_for(descriptor, POLLOUT, interrupt_))
                return;
        } else if (errno != EINTR) {
            fail(errno);
        }
    }
}

// Fills the whole buffer if the input goes on that long, so that the guest cannot see in which
// pieces it arrived.
u64 RunOutside::input(u64, std::span<u8> bytes) {
    u64 count = 0;
    while (count < bytes.size() && !input_ended_) {
        if (!wait_for(STDIN_FILENO, POLLIN, interrupt_)) {
            input_ended_ = true;
            break;
        }
        const ssize_t got = ::read(STDIN_FILENO, bytes.data() + count, bytes.size() - count);
        if (got > 0)
            count += static_cast<u64>(got);
        else if (got == 0 || (errno != EINTR && errno != EAGAIN))
            input_ended_ = true;
    }
    return count;
}

void RunOutside::console(u8 byte) {
    if (console_ == ConsoleUse::kShow && hearing_ != Hearing::kNothing)
        std::fputc(byte, stderr);
}

void RunOutside::kernel_report(u64 kind, std::string_view text) {
    if (hearing_ != Hearing::kNothing)
        say_kernel_report(kind, text);
}

void RunOutside::agent_log(u64 level, std::string_view text) {
    if (hearing_ == Hearing::kNothing)
        return;
    if (is_for_users(level) || console_ == ConsoleUse::kShow)
        say_agent_log(level, text);
}

void RunOutside::files(std::span<const u8> bytes) {
    if (out_ != nullptr)
        out_->receive(bytes);
}

void RunOutside::visit_files(std::span<const u8> bytes) {
    if (visit_out_ != nullptr)
        visit_out_->receive(bytes);
}

std::string report_name(u64 kind) {
    switch (kind) {
        case UCHRONIA_REPORT_WARNING:
            return "warning";
        case UCHRONIA_REPORT_OOPS:
            return "oops";
        case UCHRONIA_REPORT_STALL:
            return "stall";
        default:
            return "report " + std::to_string(kind);
    }
}

std::string level_name(u64 log_level) {
    return log_level == UCHRONIA_LOG_ERROR     ? "error"
           : log_level == UCHRONIA_LOG_WARNING ? "warning"
           : log_level == UCHRONIA_LOG_KERNEL  ? "kernel"
                                               : "note";
}

void say_kernel_report(u64 kind, std::string_view text) {
    say("the guest's kernel reports: " + report_name(kind));
    say(printable(text, "\n\t"));
}

bool is_for_users(u64 log_level) {
    return log_level <= UCHRONIA_LOG_WARNING;
}

void say_agent_log(u64 level, std::string_view text) {
    say("agent: " + level_name(level) + ": " + printable(text, "\n\t"));
}

}  // namespace uchronia::cli
