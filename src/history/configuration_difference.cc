#include "history/configuration_difference.h"

#include <algorithm>
#include <nlohmann/json.hpp>
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

std::string described(const Answer<host::FileAttributes>& answer) {
    if (answer.error != 0)
        return "error " + std::to_string(answer.error);
    return std::to_string(answer.value.size) + " bytes, changed at " +
           std::to_string(answer.value.modified_seconds) + " s";
}

std::string described(const Answer<std::string>& answer) {
    return answer.error != 0 ? "error " + std::to_string(answer.error) : "link to " + answer.value;
}

std::string described(const Answer<Block>& answer) {
    return answer.error != 0 ? "error " + std::to_string(answer.error)
                             : "contents " + to_hex(answer.value.digest);
}

const std::string& path_of(const std::string& question) {
    return question;
}
const std::string& path_of(const BlockQuestion& question) {
    return question.path;
}

// The first question that both have another answer for.
template <class Map>
bool compare_answers(const Map& a, const Map& b,
                     std::vector<ConfigurationDifference>& differences) {
    for (const auto& [question, answer] : a) {
        const auto found = b.find(question);
        if (found == b.end() || found->second == answer)
            continue;
        differences.push_back(
            {"file " + path_of(question), described(answer), described(found->second)});
        return true;
    }
    return false;
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
    // One is enough, as there may be thousands; what is in files says more than their times.
    if (!compare_answers(a.record.blocks, b.record.blocks, differences) &&
        !compare_answers(a.record.links, b.record.links, differences))
        compare_answers(a.record.attributes, b.record.attributes, differences);
    return differences;
}

}  // namespace uchronia::history
