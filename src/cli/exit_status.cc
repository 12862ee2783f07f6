#include "cli/exit_status.h"

#include "base/check.h"

namespace uchronia::cli {

int exit_status_of(const history::Outcome& outcome) {
    using history::OutcomeKind;
    switch (outcome.kind) {
        case OutcomeKind::kExited:
            return static_cast<int>(outcome.code & 0xff);
        case OutcomeKind::kSignaled:
            return kSignalBase + static_cast<int>(outcome.code & 0x7f);
        case OutcomeKind::kKernelPanic:
            return kKernelPanic;
        case OutcomeKind::kTimeout:
            return kTimeout;
        case OutcomeKind::kAgentPanic:
            return kBootFailed;
        case OutcomeKind::kPowerOff:
        case OutcomeKind::kTripleFault:
        case OutcomeKind::kUnimplemented:
        case OutcomeKind::kIdle:
            return kMachineStopped;
        case OutcomeKind::kStopped:
            return kInterrupted;
    }
    CHECK(false);
}

}  // namespace uchronia::cli
