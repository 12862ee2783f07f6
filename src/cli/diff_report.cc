#include "cli/diff_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/units.h"
#include "machine/machine.h"

namespace uchronia::cli {
namespace {

using history::PageDifference;
using JSON = nlohmann::ordered_json;

constexpr std::size_t kShownFields = 60;
constexpr std::size_t kShownPages = 40;
constexpr std::size_t kShownParts = 40;

std::string line(const std::string& text) {
    return "  " + text + "\n";
}

std::string and_more(std::size_t count, std::size_t shown) {
    return count <= shown ? "" : line("and " + std::to_string(count - shown) + " more (--json)");
}

std::string hex_of(const std::vector<u8>& bytes) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string hex;
    for (const u8 byte : bytes) {
        hex += kDigits[byte >> 4];
        hex += kDigits[byte & 15];
    }
    return hex;
}

std::string name_in(const std::map<u64, std::string>& names, u64 page) {
    const auto found = names.find(page);
    return found == names.end() ? "" : found->second;
}

std::string configuration_text(const DiffReport& report) {
    if (report.configuration.empty())
        return "The configurations are the same.\n";
    std::string text = "The configurations differ:\n";
    for (std::size_t i = 0; i < std::min(report.configuration.size(), kShownParts); ++i) {
        const history::ConfigurationDifference& part = report.configuration[i];
        text += line(part.part + ": " + part.a + " != " + part.b);
    }
    return text + and_more(report.configuration.size(), kShownParts);
}

std::string fields_text(const std::string& title, const std::vector<FieldDifference>& fields) {
    if (fields.empty())
        return "";
    std::string text = title + "\n";
    for (std::size_t i = 0; i < std::min(fields.size(), kShownFields); ++i) {
        const FieldDifference& field = fields[i];
        const std::string from =
            field.offset == 0 ? "" : " from byte " + std::to_string(field.offset);
        text += line(field.path + from + ": " + field.a + " != " + field.b);
    }
    return text + and_more(fields.size(), kShownFields);
}

std::string pages_text(const DiffReport& report) {
    const std::vector<PageDifference>& pages = report.state.pages;
    if (pages.empty())
        return "";
    std::string text = "Pages of memory that differ (" + format_count(pages.size()) +
                       ", by their physical number):\n";
    for (std::size_t i = 0; i < std::min(pages.size(), kShownPages); ++i) {
        const PageDifference& page = pages[i];
        const std::string a = name_in(report.page_names_a, page.page_number);
        const std::string b = name_in(report.page_names_b, page.page_number);
        text += line(machine::to_hex_number(page.page_number) + ": " +
                     std::to_string(page.byte_count) + (page.byte_count == 1 ? " byte" : " bytes") +
                     " from +" + machine::to_hex_number(page.offset) + ": " + hex_of(page.a) +
                     " != " + hex_of(page.b));
        if (!a.empty() || !b.empty())
            text += line("    " +
                         (a == b ? a : (a.empty() ? "?" : a) + " != " + (b.empty() ? "?" : b)));
    }
    return text + and_more(pages.size(), kShownPages);
}

std::string end_text(const std::string& name, const std::string& end, u64 time) {
    return line(name + ": " + (end.empty() ? "goes on" : "ended: " + end) + ", at " +
                format_seconds(time) + " of virtual time");
}

std::string moment_text(const DiffReport& report) {
    if (report.first->tick == Ticks(0))
        return "The states differ from the start.\n";
    std::string text = "The states are equal up to tick " +
                       format_count(report.first->last_equal.value) + " and differ at tick " +
                       format_count(report.first->tick.value) + ".\n";
    if (report.next_a == report.next_b)
        text += line("the instruction between: " + report.next_a);
    else
        text += line("the instruction between: " + report.next_a + " != " + report.next_b);
    return text + end_text(report.name_a, report.end_a, report.time_a) +
           end_text(report.name_b, report.end_b, report.time_b);
}

JSON json_of(const std::vector<FieldDifference>& fields) {
    JSON list = JSON::array();
    for (const FieldDifference& field : fields)
        list.push_back(
            {{"field", field.path}, {"offset", field.offset}, {"a", field.a}, {"b", field.b}});
    return list;
}

JSON pages_json(const DiffReport& report) {
    JSON list = JSON::array();
    for (const PageDifference& page : report.state.pages)
        list.push_back({{"page", page.page_number},
                        {"offset", page.offset},
                        {"bytes", page.byte_count},
                        {"a", hex_of(page.a)},
                        {"b", hex_of(page.b)},
                        {"name_a", name_in(report.page_names_a, page.page_number)},
                        {"name_b", name_in(report.page_names_b, page.page_number)}});
    return list;
}

}  // namespace

std::string diff_text(const DiffReport& report) {
    std::string text = configuration_text(report);
    if (!report.states_compared)
        return text + "They start from different machines, so no state is the same.\n";
    if (!report.first)
        return text + "The states are the same at every comparison, to the end at tick " +
               format_count(report.common_ticks) + ": " + report.end_a + ".\n";
    return text + moment_text(report) +
           fields_text("Registers and devices that differ:", report.state.fields) +
           pages_text(report) +
           fields_text("What the tapes have planned, which the search leaves out:",
                       report.state.plans);
}

std::string diff_json(const DiffReport& report) {
    JSON configuration = JSON::array();
    for (const history::ConfigurationDifference& part : report.configuration)
        configuration.push_back({{"part", part.part}, {"a", part.a}, {"b", part.b}});
    JSON json = {{"a", report.name_a},
                 {"b", report.name_b},
                 {"configuration", configuration},
                 {"states_compared", report.states_compared},
                 {"same", report.states_compared && !report.first}};
    if (report.first) {
        json["last_equal_tick"] = report.first->last_equal.value;
        json["tick"] = report.first->tick.value;
        json["instruction_a"] = report.next_a;
        json["instruction_b"] = report.next_b;
        json["fields"] = json_of(report.state.fields);
        json["pages"] = pages_json(report);
        json["plans"] = json_of(report.state.plans);
    } else if (report.states_compared) {
        json["ticks"] = report.common_ticks;
    }
    if (report.states_compared)
        json.update({{"end_a", report.end_a},
                     {"end_b", report.end_b},
                     {"virtual_nanoseconds_a", report.time_a},
                     {"virtual_nanoseconds_b", report.time_b}});
    return json.dump(2, ' ', false, JSON::error_handler_t::replace) + "\n";
}

}  // namespace uchronia::cli
