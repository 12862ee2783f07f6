#include "cli/explore_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string_view>
#include <tuple>

#include "cli/exit_status.h"

namespace uchronia::cli {
namespace {

using explore::DistinctOutcome;

constexpr std::size_t kLongestLine = 120;  // bytes
constexpr char kIndent[] = "         ";

using Lines = std::vector<std::string_view>;

Lines lines_of(std::string_view text) {
    Lines lines;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        lines.push_back(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return lines;
}

std::string shown(std::string_view line) {
    std::string text(line.substr(0, kLongestLine));
    if (text.size() < line.size()) {
        // Not in the middle of a character of UTF-8.
        while (!text.empty() && (line[text.size()] & 0xc0) == 0x80)
            text.pop_back();
        text += "…";
    }
    std::replace_if(
        text.begin(), text.end(), [](char c) { return (c >= 0 && c < 32) || c == 127; }, '?');
    return text;
}

std::size_t common_count(const Lines& a, const Lines& b) {
    return static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first -
                                    a.begin());
}

std::string telling_line(const explore::OutputSummary& output, const Lines& lines,
                         std::size_t shared) {
    const auto has_text = [](std::string_view line) { return !line.empty(); };
    const auto telling =
        std::find_if(lines.begin() + static_cast<long>(shared), lines.end(), has_text);
    if (telling != lines.end())
        return shown(*telling);
    // It differs later, or by being shorter: the last line says more than the first.
    const Lines last = output.tail.empty() ? lines : lines_of(output.tail);
    const auto end = std::find_if(last.rbegin(), last.rend(), has_text);
    return end == last.rend() ? "(no output)" : shown(*end);
}

bool failed(const DistinctOutcome& outcome) {
    return !history::succeeded(outcome.first.outcome);
}

// Failures first, those with a history before others; then what came most.
std::vector<std::size_t> order_of(const explore::Results& results, const SavedHistories& saved) {
    const std::vector<DistinctOutcome>& outcomes = results.outcomes();
    std::vector<std::size_t> order(outcomes.size());
    std::iota(order.begin(), order.end(), 0);
    const auto key = [&](std::size_t i) {
        const DistinctOutcome& outcome = outcomes[i];
        return std::tuple(!failed(outcome), !saved.contains(outcome.lowest_seed), ~outcome.count,
                          outcome.lowest_seed);
    };
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
    return order;
}

// "1 seed", "2 seeds".
std::string counted(u64 count, const std::string& noun) {
    return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

std::string row_of(const DistinctOutcome& outcome, const std::string& line,
                   const SavedHistories& saved) {
    std::string count = std::to_string(outcome.count);
    count.insert(0, count.size() < 6 ? 6 - count.size() : 0, ' ');
    std::string text = count + " x " + history::describe(outcome.first.outcome) +
                       "; first with seed " + std::to_string(outcome.lowest_seed) + "\n" + kIndent +
                       line + "\n";
    const auto history = saved.find(outcome.lowest_seed);
    if (history != saved.end())
        text += kIndent + ("uchronia replay " + history->second) + "\n";
    return text;
}

}  // namespace

std::vector<std::string> telling_lines(const std::vector<DistinctOutcome>& outcomes) {
    std::vector<Lines> lines;
    for (const DistinctOutcome& outcome : outcomes)
        lines.push_back(lines_of(outcome.first.output.head));
    // Among sorted texts, what shares most with one stands beside it.
    std::vector<std::size_t> order(outcomes.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return lines[a] < lines[b]; });
    std::vector<std::size_t> shared(outcomes.size());
    const Lines* before = nullptr;
    std::vector<std::size_t> same;  // those with the lines of `before`
    for (const std::size_t i : order) {
        if (before != nullptr && lines[i] == *before) {
            shared[i] = shared[same.front()];
            same.push_back(i);
            continue;
        }
        if (before != nullptr) {
            shared[i] = common_count(lines[i], *before);
            for (const std::size_t other : same)
                shared[other] = std::max(shared[other], shared[i]);
        }
        before = &lines[i];
        same = {i};
    }
    std::vector<std::string> telling;
    for (std::size_t i = 0; i < outcomes.size(); ++i)
        telling.push_back(telling_line(outcomes[i].first.output, lines[i], shared[i]));
    return telling;
}

std::string explore_text(const explore::Results& results, const SavedHistories& saved,
                         std::size_t row_count) {
    const std::vector<DistinctOutcome>& outcomes = results.outcomes();
    std::string text = counted(results.runs(), "seed") + ": " + std::to_string(results.passed()) +
                       " passed, " + std::to_string(results.failed()) + " failed; " +
                       (results.others() == 0 ? "" : "more than ") +
                       counted(outcomes.size(), "distinct outcome") + "\n";
    const std::vector<std::string> telling = telling_lines(outcomes);
    u64 rows = 0, left_out = results.others();
    for (const std::size_t i : order_of(results, saved)) {
        if (rows == row_count) {
            left_out += outcomes[i].count;
            continue;
        }
        ++rows;
        text += row_of(outcomes[i], telling[i], saved);
    }
    if (left_out != 0)
        text += "       and others in " + counted(left_out, "seed") +
                "; --rows 0 or --json lists " + (results.others() == 0 ? "them" : "more") + "\n";
    return text;
}

std::string explore_json(const explore::Results& results, const SavedHistories& saved,
                         const std::vector<std::string>& command, bool interrupted,
                         const HostMeasurements& host) {
    using JSON = nlohmann::ordered_json;
    const std::vector<DistinctOutcome>& outcomes = results.outcomes();
    const std::vector<std::string> telling = telling_lines(outcomes);
    JSON list = JSON::array();
    for (const std::size_t i : order_of(results, saved)) {
        const DistinctOutcome& outcome = outcomes[i];
        const explore::RunSummary& run = outcome.first;
        const auto history = saved.find(outcome.lowest_seed);
        list.push_back({{"outcome", history::describe(run.outcome)},
                        {"exit_status", exit_status_of(run.outcome)},
                        {"passed", !failed(outcome)},
                        {"count", outcome.count},
                        {"lowest_seed", outcome.lowest_seed},
                        {"ticks", run.ticks.value},
                        {"virtual_nanoseconds", run.time.value},
                        {"output_digest", to_hex(run.output.digest)},
                        {"output_bytes", run.output.size},
                        {"telling_line", telling[i]},
                        {"output_begin", run.output.head},
                        {"output_end", run.output.tail},
                        {"history", history == saved.end() ? JSON() : JSON(history->second)}});
    }
    const double seconds = std::max(host.seconds, 1e-9);
    const JSON json = {
        {"command", command},
        {"first_seed", results.first_seed()},
        {"seeds", results.runs()},
        {"passed", results.passed()},
        {"failed", results.failed()},
        {"interrupted", interrupted},
        {"ticks", results.ticks().value},
        {"virtual_nanoseconds", results.time().value},
        {"outcomes", list},
        {"seeds_of_other_outcomes", results.others()},
        {"host",
         {{"runs", host.runs},
          {"seconds", host.seconds},
          {"runs_per_second", static_cast<double>(host.runs) / seconds},
          {"virtual_seconds_per_second", host.virtual_seconds / seconds}}},
    };
    // What the guest wrote may be anything, so what is not UTF-8 is replaced.
    return json.dump(2, ' ', false, JSON::error_handler_t::replace) + "\n";
}

}  // namespace uchronia::cli
