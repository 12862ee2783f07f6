// The lines of a history's log: what the command, the kernel's console, the kernel and the agent
// say, each with its moment.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "history/history.h"
#include "machine/outside.h"

namespace uchronia::cli {

enum class LogSource : u8 {
    kOutput,
    kError,
    kConsole,
    kKernel,  // a line of its log
    kReport,  // of the kernel about itself
    kAgent,
    kVisitOutput,
    kVisitError,
    kCount,
};
const char* name_of(LogSource source);

struct LogLine {
    Ticks tick;  // where the line was complete, from the run's start
    VirtualTime time;
    LogSource source = LogSource::kOutput;
    std::string text;  // without the newline
    // Of a report: what it is; of the agent and the kernel: how grave.
    std::string kind = {};
    // Of the kernel, and on the console: as its own clock has it.
    std::optional<VirtualTime> kernel_time = {};
};

// For a person: one line, which steers no terminal.
std::string log_text(const LogLine& line);
// One object without a newline.
std::string log_json(const LogLine& line);

// Makes lines of what a run tells.
class LogOutside final : public machine::SilentOutside {
  public:
    using Sink = std::function<void(const LogLine&)>;
    using Clock = std::function<std::pair<Ticks, VirtualTime>()>;
    // Both are called for each line; `now` tells the present moment from the run's start.
    LogOutside(Clock now, Sink sink) : now_(std::move(now)), sink_(std::move(sink)) {}

    void output(machine::OutputStream stream, std::span<const u8> bytes) override;
    void console(u8 byte) override;
    void kernel_report(u64 kind, std::string_view text) override;
    void agent_log(u64 level, std::string_view text) override;
    // What was written without a newline at its end.
    void finish();

  private:
    void add(LogSource source, std::string_view text);
    void end_line(LogSource source);
    void emit(LogLine line);
    void emit_kernel_line(std::string_view text);
    void emit_lines(LogSource source, std::string_view text, const std::string& kind);

    Clock now_;
    Sink sink_;
    std::map<LogSource, std::string> pending_;
};

}  // namespace uchronia::cli
