#include "cli/boot_progress.h"

#include <cstdio>

#include "cli/message.h"
#include "cli/run_outside.h"

namespace uchronia::cli {
namespace {

constexpr std::size_t kWidth = 78;

}  // namespace

BootProgress::BootProgress(const std::string& kernel_name) : on_terminal_(errors_go_to_terminal()) {
    say("booting the base image once, with " + kernel_name);
}

void BootProgress::finish() {
    if (on_terminal_)
        std::fputs("\r\x1b[K", stderr);
}

void BootProgress::show(const std::string& line) {
    std::string plain;
    for (const char c : line.substr(0, kWidth))
        plain += c < ' ' || c == 0x7f ? ' ' : c;
    std::fprintf(stderr, "\r\x1b[K%s", plain.c_str());
    std::fflush(stderr);
}

void BootProgress::output(machine::OutputStream, std::span<const u8>) {}

u64 BootProgress::input(u64, std::span<u8>) {
    return 0;
}

void BootProgress::console(u8 byte) {
    if (byte != '\n' && line_.size() < kWidth) {
        line_ += static_cast<char>(byte);
        return;
    }
    if (byte != '\n')
        return;
    if (on_terminal_)
        show(line_);
    line_.clear();
}

void BootProgress::kernel_report(u64 kind, std::string_view text) {
    finish();
    say_kernel_report(kind, text);
}

void BootProgress::agent_log(u64 level, std::string_view text) {
    if (!is_for_users(level))
        return;
    finish();
    say_agent_log(level, text);
}

}  // namespace uchronia::cli
