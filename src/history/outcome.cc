#include "history/outcome.h"

#include <csignal>
#include <cstring>

#include "base/check.h"
#include "guest/hypercall.h"

namespace uchronia::history {
namespace {

std::string signal_name(u64 number) {
    const char* name = number < NSIG ? ::sigabbrev_np(static_cast<int>(number)) : nullptr;
    return name == nullptr ? "" : " (SIG" + std::string(name) + ")";
}

std::string with_detail(const char* what, const std::string& detail) {
    return detail.empty() ? what : what + (": " + detail);
}

// The line of the console that names the panic, without the kernel's time stamp.
std::string panic_line(std::string_view console) {
    constexpr std::string_view kMark = "Kernel panic - not syncing: ";
    const std::size_t mark = console.rfind(kMark);
    if (mark == std::string_view::npos)
        return "";
    std::string_view line = console.substr(mark + kMark.size());
    line = line.substr(0, line.find_first_of("\r\n"));
    return std::string(line);
}

}  // namespace

bool succeeded(const Outcome& outcome) {
    return outcome.kind == OutcomeKind::kExited && outcome.code == 0;
}

std::string describe(const Outcome& outcome) {
    switch (outcome.kind) {
        case OutcomeKind::kExited:
            return "exit status " + std::to_string(outcome.code);
        case OutcomeKind::kSignaled:
            return "signal " + std::to_string(outcome.code) + signal_name(outcome.code);
        case OutcomeKind::kKernelPanic:
            return with_detail("kernel panic", outcome.detail);
        case OutcomeKind::kTimeout:
            return "time-out";
        case OutcomeKind::kAgentPanic:
            return with_detail("the agent in the guest failed", outcome.detail);
        case OutcomeKind::kPowerOff:
            return "the guest switched itself off";
        case OutcomeKind::kTripleFault:
            return outcome.detail.empty() ? "triple fault" : outcome.detail;
        case OutcomeKind::kUnimplemented:
            return with_detail("not implemented", outcome.detail);
        case OutcomeKind::kIdle:
            return with_detail("the guest waits for ever", outcome.detail);
        case OutcomeKind::kStopped:
            return "stopped before its end";
    }
    CHECK(false);
}

Outcome outcome_of(const machine::StopReason& reason, std::string_view console) {
    using machine::Stop;
    switch (reason.stop) {
        case Stop::kExited:
        case Stop::kVisitEnded:
            return {reason.exit_kind == UCHRONIA_SIGNALED ? OutcomeKind::kSignaled
                                                          : OutcomeKind::kExited,
                    reason.exit_code, ""};
        case Stop::kTime:
            return {OutcomeKind::kTimeout, 0, ""};
        case Stop::kAgentPanic:
            return {OutcomeKind::kAgentPanic, 0, reason.message};
        case Stop::kPowerOff:
            return {OutcomeKind::kPowerOff, 0, ""};
        case Stop::kReset:
            return {OutcomeKind::kKernelPanic, 0, panic_line(console)};
        case Stop::kTripleFault:
            return {OutcomeKind::kTripleFault, 0, reason.message};
        case Stop::kUnimplemented:
            return {OutcomeKind::kUnimplemented, 0, reason.message};
        case Stop::kIdle:
            return {OutcomeKind::kIdle, 0, reason.message};
        case Stop::kTick:
        case Stop::kReady:
        case Stop::kInterrupted:
        case Stop::kDebugger:
            break;
    }
    CHECK(false);
}

}  // namespace uchronia::history
