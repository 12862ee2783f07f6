#include "cli/report.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/exit_status.h"
#include "cli/units.h"
#include "machine/statistics.h"

namespace uchronia::cli {
namespace {

using Statistics = machine::Machine::Statistics;

void row(const char* name, const std::string& value) {
    std::fprintf(stderr, "uchronia: %-20s %s\n", name, value.c_str());
}

std::string hexadecimal(u64 number) {
    return machine::to_hex_number(number);
}

// "0x61 (3), 0x1ab (1)", the first few.
template <class Number>
std::string list_of(const std::vector<std::pair<Number, u64>>& counts) {
    constexpr std::size_t kShown = 12;
    std::string text;
    for (std::size_t i = 0; i < counts.size() && i < kShown; ++i)
        text += (i == 0 ? "" : ", ") + hexadecimal(counts[i].first) + " (" +
                std::to_string(counts[i].second) + ")";
    if (counts.size() > kShown)
        text += " and " + std::to_string(counts.size() - kShown) + " more";
    return text.empty() ? "none" : text;
}

std::string speed(u64 ticks, u64 nanoseconds) {
    char text[48];
    const double rate =
        nanoseconds == 0 ? 0 : static_cast<double>(ticks) * 1000 / static_cast<double>(nanoseconds);
    std::snprintf(text, sizeof text, "%.1f million ticks/s", rate);
    return text;
}

void report_text(const history::RunResult& result, const Statistics& statistics, u64 pages,
                 const std::string& host_differences, u64 host_nanoseconds) {
    row("outcome", history::describe(result.outcome));
    row("ticks", format_count(result.ticks.value));
    row("virtual time", format_seconds(result.time.value));
    row("host time",
        format_seconds(host_nanoseconds) + ", " + speed(result.ticks.value, host_nanoseconds));
    row("pages written", format_count(pages) + " of 4 KiB");
    for (const machine::Counter& counter : machine::counters_of(statistics))
        row(std::string(counter.name).c_str(), format_count(counter.value) +
                                                   (counter.unit.empty() ? "" : " ") +
                                                   std::string(counter.unit));
    row("decisions", format_count(statistics.decisions[0]) + " entropy, " +
                         format_count(statistics.decisions[1]) + " quantum, " +
                         format_count(statistics.decisions[2]) + " stall, " +
                         format_count(statistics.decisions[3]) + " turn");
    row("unknown ports", list_of(statistics.unknown_ports));
    row("unknown MSRs", list_of(statistics.unknown_msrs));
    row("host differs in", host_differences);
    row("state hash", to_hex(result.state));
}

template <class Number>
nlohmann::ordered_json json_of(const std::vector<std::pair<Number, u64>>& counts) {
    nlohmann::ordered_json object = nlohmann::ordered_json::object();
    for (const auto& [number, count] : counts)
        object[hexadecimal(number)] = count;
    return object;
}

void report_json(const history::RunResult& result, const Statistics& statistics, u64 pages,
                 const std::string& host_differences, u64 host_nanoseconds, u64 seed) {
    nlohmann::ordered_json json = {
        {"outcome", history::describe(result.outcome)},
        {"exit_status", exit_status_of(result.outcome)},
        {"seed", seed},
        {"ticks", result.ticks.value},
        {"virtual_nanoseconds", result.time.value},
        {"host_nanoseconds", host_nanoseconds},
        {"pages_written", pages},
    };
    for (const machine::Counter& counter : machine::counters_of(statistics)) {
        std::string key(counter.name);
        std::replace(key.begin(), key.end(), ' ', '_');
        json[key] = counter.value;
    }
    json.update({
        {"decisions",
         {{"entropy", statistics.decisions[0]},
          {"quantum", statistics.decisions[1]},
          {"stall", statistics.decisions[2]},
          {"turn", statistics.decisions[3]}}},
        {"unknown_ports", json_of(statistics.unknown_ports)},
        {"unknown_msrs", json_of(statistics.unknown_msrs)},
        {"host_differences", host_differences},
        {"state_hash", to_hex(result.state)},
    });
    // Text of the guest in an outcome may be anything, so what is not UTF-8 is replaced.
    const std::string line =
        json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    std::fprintf(stderr, "%s\n", line.c_str());
}

}  // namespace

void add_report_options(CLI::App& app, ReportOptions& options) {
    app.add_flag("--stats", options.statistics,
                 "Tells at the end, on standard error, how much was run, and the state's hash");
    app.add_flag("--json", options.json,
                 "The same as one line of JSON, the last one of standard error");
}

void report_run(history::Session& session, u64 host_nanoseconds, const ReportOptions& options) {
    const history::RunResult& result = *session.history().result;
    const Statistics statistics = session.machine().statistics();
    const u64 pages = session.machine().ram().private_count();
    const std::string host_differences = session.machine().host_differences();
    if (options.statistics)
        report_text(result, statistics, pages, host_differences, host_nanoseconds);
    if (options.json)
        report_json(result, statistics, pages, host_differences, host_nanoseconds,
                    session.history().tape.seed_at(Ticks(0)));
}

}  // namespace uchronia::cli
