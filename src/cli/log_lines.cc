#include "cli/log_lines.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/message.h"
#include "cli/run_outside.h"
#include "cli/units.h"
#include "guest/hypercall.h"

namespace uchronia::cli {
namespace {

using JSON = nlohmann::ordered_json;

// A guest that never ends its line must not fill the host's memory.
constexpr std::size_t kLongestLine = 65536;

constexpr const char* kNames[] = {"output", "error", "console",      "kernel",
                                  "report", "agent", "visit-output", "visit-error"};
static_assert(std::size(kNames) == static_cast<std::size_t>(LogSource::kCount));

LogSource source_of(machine::OutputStream stream) {
    switch (stream) {
        case machine::OutputStream::kOutput:
            return LogSource::kOutput;
        case machine::OutputStream::kError:
            return LogSource::kError;
        case machine::OutputStream::kVisitOutput:
            return LogSource::kVisitOutput;
        case machine::OutputStream::kVisitError:
            break;
    }
    return LogSource::kVisitError;
}

// "[    1.234567] text": the kernel's time in microseconds.
std::optional<VirtualTime> kernel_time_of(const std::string& line) {
    unsigned long long seconds = 0, microseconds = 0;
    int end = 0;
    if (std::sscanf(line.c_str(), "[%llu.%6llu]%n", &seconds, &microseconds, &end) != 2 || end == 0)
        return std::nullopt;
    return VirtualTime(seconds * 1'000'000'000 + microseconds * 1000);
}

}  // namespace

const char* name_of(LogSource source) {
    return kNames[static_cast<std::size_t>(source)];
}

std::string log_text(const LogLine& line) {
    char head[96];
    std::snprintf(head, sizeof head, "%3llu.%09llus %15s  %-12s ",
                  static_cast<unsigned long long>(line.time.value / 1'000'000'000),
                  static_cast<unsigned long long>(line.time.value % 1'000'000'000),
                  ("#" + std::to_string(line.tick.value)).c_str(), name_of(line.source));
    const std::string kind = line.kind.empty() ? "" : line.kind + ": ";
    return head + kind + printable(line.text, "\t");
}

std::string log_json(const LogLine& line) {
    JSON json = {{"tick", line.tick.value},
                 {"virtual_nanoseconds", line.time.value},
                 {"source", name_of(line.source)}};
    if (!line.kind.empty())
        json["kind"] = line.kind;
    if (line.kernel_time)
        json["kernel_nanoseconds"] = line.kernel_time->value;
    json["text"] = line.text;
    return json.dump(-1, ' ', false, JSON::error_handler_t::replace);
}

void LogOutside::output(machine::OutputStream stream, std::span<const u8> bytes) {
    add(source_of(stream), {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

void LogOutside::console(u8 byte) {
    const char c = static_cast<char>(byte);
    add(LogSource::kConsole, {&c, 1});
}

void LogOutside::kernel_report(u64 kind, std::string_view text) {
    emit_lines(LogSource::kReport, text, report_name(kind));
}

void LogOutside::agent_log(u64 level, std::string_view text) {
    if (level == UCHRONIA_LOG_KERNEL)
        emit_kernel_line(text);
    else
        emit_lines(LogSource::kAgent, text, level_name(level));
}

void LogOutside::finish() {
    for (auto& [source, text] : pending_) {
        if (!text.empty())
            end_line(source);
    }
}

void LogOutside::add(LogSource source, std::string_view text) {
    std::string& line = pending_[source];
    for (const char c : text) {
        if (c == '\n' || line.size() >= kLongestLine)
            end_line(source);
        if (c != '\n')
            line += c;
    }
}

void LogOutside::end_line(LogSource source) {
    std::string& text = pending_[source];
    // The kernel ends a line on the console by both.
    if (text.ends_with('\r'))
        text.pop_back();
    LogLine line{.tick = {}, .time = {}, .source = source, .text = text};
    if (source == LogSource::kConsole)
        line.kernel_time = kernel_time_of(text);
    text.clear();
    emit(std::move(line));
}

// "<6>[    1.234567] text".
void LogOutside::emit_kernel_line(std::string_view text) {
    static constexpr const char* kLevels[] = {"emerg",   "alert",  "crit", "err",
                                              "warning", "notice", "info", "debug"};
    LogLine line{.tick = {}, .time = {}, .source = LogSource::kKernel, .text = {}};
    if (text.size() >= 3 && text[0] == '<' && text[1] >= '0' && text[1] < '8' && text[2] == '>') {
        line.kind = kLevels[text[1] - '0'];
        text.remove_prefix(3);
    }
    line.text = text;
    line.kernel_time = kernel_time_of(line.text);
    emit(std::move(line));
}

void LogOutside::emit_lines(LogSource source, std::string_view text, const std::string& kind) {
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        emit({.tick = {},
              .time = {},
              .source = source,
              .text = std::string(text.substr(0, end)),
              .kind = kind});
        text.remove_prefix(std::min(end + 1, text.size()));
    }
}

void LogOutside::emit(LogLine line) {
    std::tie(line.tick, line.time) = now_();
    sink_(line);
}

}  // namespace uchronia::cli
