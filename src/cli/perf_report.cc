#include "cli/perf_report.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/message.h"
#include "cli/units.h"

namespace uchronia::cli {
namespace {

using profile::GroupBy;
using profile::Profile;
using profile::Row;

constexpr std::string_view kBold = "\033[1m", kHot = "\033[31m", kDim = "\033[2m",
                           kPlain = "\033[0m";
// Rows from here on, in percent, are hot; from there on down they are of no account.
constexpr double kHotShare = 5, kColdShare = 0.5;

double share_of(u64 samples, const Profile& profile) {
    return 100.0 * static_cast<double>(samples) /
           static_cast<double>(std::max<u64>(1, profile.sample_count()));
}

std::string percent(double share) {
    char text[24];
    std::snprintf(text, sizeof text, "%6.2f", share);
    return text;
}

std::string left(const std::string& text, std::size_t width) {
    const std::string shown = text.size() <= width ? text : text.substr(0, width - 2) + "..";
    return shown + std::string(width - shown.size(), ' ');
}

std::string right(const std::string& text, std::size_t width) {
    return std::string(width - std::min(width, text.size()), ' ') + text;
}

// The columns that a grouping has, after the numbers.
std::string names_of(const Row& row, GroupBy group) {
    const std::string process = printable(row.process);
    const std::string object = printable(row.object);
    const std::string short_object = profile::short_object_name(object);
    switch (group) {
        case GroupBy::kProcess:
            return process;
        case GroupBy::kObject:
            return left(row.mode, 7) + object;
        case GroupBy::kSymbol:
            return left(row.mode, 7) + left(short_object, 22) + " " + printable(row.symbol);
        case GroupBy::kFunction:
            return left(row.mode, 7) + left(process, 18) + " " + left(short_object, 22) + " " +
                   printable(row.symbol);
    }
    return {};
}

std::string title_of(GroupBy group) {
    const Row titles{
        .process = "process", .object = "object", .symbol = "function", .mode = "mode"};
    return names_of(titles, group);
}

std::string without_trailing_spaces(std::string line) {
    line.erase(line.find_last_not_of(' ') + 1);
    return line;
}

std::string table_row(const Profile& profile, const Row& row, const TableOptions& options) {
    const double share = share_of(row.self, profile);
    const std::string line =
        without_trailing_spaces(percent(share) + " " + percent(share_of(row.total, profile)) +
                                right(format_count(row.self * profile.interval_ticks()), 18) +
                                "  " + names_of(row, options.group));
    if (options.colours == Colours::kNo || (share < kHotShare && share >= kColdShare))
        return line + "\n";
    return std::string(share >= kHotShare ? kHot : kDim) + line + std::string(kPlain) + "\n";
}

}  // namespace

std::string profile_table(const Profile& profile, const TableOptions& options) {
    const std::vector<Row> rows = profile::rows_of(profile, options.group);
    const std::string title =
        " self % total %" + right("self ticks", 18 - 1) + "  " + title_of(options.group);
    std::string text = options.colours == Colours::kYes
                           ? std::string(kBold) + title + std::string(kPlain) + "\n"
                           : title + "\n";
    const std::size_t shown = std::min(rows.size(), options.row_count);
    for (std::size_t i = 0; i < shown; ++i)
        text += table_row(profile, rows[i], options);
    u64 rest = 0;
    for (std::size_t i = shown; i < rows.size(); ++i)
        rest += rows[i].self;
    if (shown < rows.size())
        text += percent(share_of(rest, profile)) + "         in " +
                format_count(rows.size() - shown) + " more rows (--rows 0 shows all)\n";
    return text;
}

std::string profile_json(const Profile& profile, GroupBy group, const std::string& state_hash,
                         bool verified) {
    nlohmann::ordered_json rows = nlohmann::ordered_json::array();
    for (const Row& row : profile::rows_of(profile, group)) {
        nlohmann::ordered_json entry = nlohmann::ordered_json::object();
        if (!row.process.empty())
            entry["process"] = row.process;
        if (!row.object.empty())
            entry["object"] = row.object;
        if (!row.symbol.empty())
            entry["function"] = row.symbol;
        entry["mode"] = row.mode;
        entry["self_ticks"] = row.self * profile.interval_ticks();
        entry["total_ticks"] = row.total * profile.interval_ticks();
        rows.push_back(std::move(entry));
    }
    const nlohmann::ordered_json json = {
        {"interval_ticks", profile.interval_ticks()},
        {"samples", profile.sample_count()},
        {"kernel_samples", profile.kernel_sample_count()},
        {"state_hash", state_hash},
        {"same_history", verified},
        {"rows", std::move(rows)},
    };
    // Names of the guest may be anything, so what is not UTF-8 is replaced.
    return json.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace uchronia::cli
