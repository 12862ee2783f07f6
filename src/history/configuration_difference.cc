#include "history/configuration_difference.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "history/configuration.h"

namespace uchronia::history {
namespace {

constexpr char kAbsent[] = "(none)";

// "/request/arguments/0" and its value, for every leaf.
nlohmann::json leaves_of(History history) {
    history.result.reset();
    // Not known to a history that has not been run.
    history.base.state = {};
    return nlohmann::json::parse(configuration_to_json(history), nullptr, false).flatten();
}

std::string dotted(const std::string& pointer) {
    std::string path = pointer.substr(std::min<std::size_t>(1, pointer.size()));
    std::replace(path.begin(), path.end(), '/', '.');
    return path;
}

std::string shown(const nlohmann::json& leaves, const std::string& key) {
    if (!leaves.contains(key))
        return kAbsent;
    return leaves[key].dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void compare_json(const History& a, const History& b,
                  std::vector<ConfigurationDifference>& differences) {
    const nlohmann::json leaves_a = leaves_of(a), leaves_b = leaves_of(b);
    std::set<std::string> keys;
    for (const nlohmann::json* leaves : {&leaves_a, &leaves_b}) {
        for (const auto& [key, value] : leaves->items())
            keys.insert(key);
    }
    for (const std::string& key : keys) {
        const std::string value_a = shown(leaves_a, key), value_b = shown(leaves_b, key);
        if (value_a != value_b)
            differences.push_back({dotted(key), value_a, value_b});
    }
}

// The first question that both have another answer for.
template <class Map, class NameOf>
std::optional<std::string> first_other_answer(const Map& a, const Map& b, NameOf name_of) {
    for (const auto& [question, answer] : a) {
        const auto found = b.find(question);
        if (found != b.end() && !(found->second == answer))
            return name_of(question);
    }
    return std::nullopt;
}

std::optional<std::string> first_other_file(const FileRecord& a, const FileRecord& b) {
    const auto path = [](const std::string& question) { return question; };
    if (auto file = first_other_answer(a.blocks, b.blocks,
                                       [](const BlockQuestion& block) { return block.path; }))
        return file;
    if (auto file = first_other_answer(a.links, b.links, path))
        return file;
    return first_other_answer(a.attributes, b.attributes, path);
}

std::string described(const std::vector<u8>& input, std::size_t offset) {
    return std::to_string(input.size()) + " bytes" +
           (offset < input.size()
                ? ", byte " + std::to_string(input[offset]) + " at " + std::to_string(offset)
                : "");
}

}  // namespace

std::vector<ConfigurationDifference> configuration_differences(const History& a, const History& b) {
    std::vector<ConfigurationDifference> differences;
    compare_json(a, b, differences);
    if (a.input != b.input) {
        const auto first =
            std::mismatch(a.input.begin(), a.input.end(), b.input.begin(), b.input.end()).first;
        const std::size_t offset = static_cast<std::size_t>(first - a.input.begin());
        differences.push_back({"input", described(a.input, offset), described(b.input, offset)});
    }
    if (const std::optional<std::string> file = first_other_file(a.record, b.record))
        differences.push_back({"files of the host", *file, "was another one"});
    return differences;
}

}  // namespace uchronia::history
