// What a machine tells and asks the world outside: the command's output and input, and reports.
//
// Nothing here may change what the guest does, but for the input's bytes, which are part of the
// history.
#pragma once

#include <span>
#include <string_view>

#include "base/types.h"

namespace uchronia::machine {

enum class OutputStream : u8 {
    kOutput = 1,
    kError = 2,
    // Of a command that was called into the guest (machine/calls.h).
    kVisitOutput = 3,
    kVisitError = 4,
};

inline bool is_of_visit(OutputStream stream) {
    return stream >= OutputStream::kVisitOutput;
}
inline bool is_error(OutputStream stream) {
    return stream == OutputStream::kError || stream == OutputStream::kVisitError;
}

class Outside {
  public:
    virtual ~Outside() = default;
    virtual void output(OutputStream stream, std::span<const u8> bytes) = 0;
    // Fills `bytes` from `offset` of standard input; fewer only at its end.
    virtual u64 input(u64 offset, std::span<u8> bytes) = 0;
    // A byte on the serial console.
    virtual void console(u8 byte) = 0;
    // A kernel report (UchroniaReportKind) or a line of the agent (UchroniaLogLevel).
    virtual void kernel_report(u64 kind, std::string_view text) = 0;
    virtual void agent_log(u64 level, std::string_view text) = 0;
    // The next bytes of the files that come out (UchroniaFileRecord). Most do not want them.
    virtual void files(std::span<const u8>) {}
    // The same of a visit.
    virtual void visit_files(std::span<const u8>) {}
    // The agent has come to the command of a visit: what that says follows.
    virtual void visit_began() {}
};

// Nobody listens, and there is no input.
class SilentOutside : public Outside {
  public:
    void output(OutputStream, std::span<const u8>) override {}
    u64 input(u64, std::span<u8>) override { return 0; }
    void console(u8) override {}
    void kernel_report(u64, std::string_view) override {}
    void agent_log(u64, std::string_view) override {}
};

}  // namespace uchronia::machine
