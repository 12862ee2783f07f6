#include "profile/profile.h"

#include <algorithm>
#include <set>
#include <tuple>

namespace uchronia::profile {
namespace {

using RowKey = std::tuple<std::string, std::string, std::string, std::string>;

RowKey key_of(GroupBy group, const std::string& process, const Frame& frame) {
    const std::string mode = frame.mode == Mode::kKernel ? "kernel" : "user";
    switch (group) {
        case GroupBy::kFunction:
            return {process, frame.object, frame.symbol, mode};
        case GroupBy::kSymbol:
            return {"", frame.object, frame.symbol, mode};
        case GroupBy::kObject:
            return {"", frame.object, "", mode};
        case GroupBy::kProcess:
            return {process, "", "", "both"};
    }
    return {};
}

// Separators and line ends of the collapsed form become something harmless.
std::string folded_name(const std::string& name) {
    std::string text;
    for (const char c : name)
        text += c == ';' ? ':' : static_cast<unsigned char>(c) < 0x20 ? '?' : c;
    return text;
}

}  // namespace

void Profile::add(const Sample& sample) {
    StackKey key{sample.process, {}};
    for (auto frame = sample.frames.rbegin(); frame != sample.frames.rend(); ++frame) {
        const auto [entry, is_new] =
            frame_ids_.try_emplace(*frame, static_cast<FrameId>(frames_.size()));
        if (is_new)
            frames_.push_back(&entry->first);
        key.frames.push_back(entry->second);
    }
    ++stacks_[std::move(key)];
    ++sample_count_;
    if (sample.frames.front().mode == Mode::kKernel)
        ++kernel_sample_count_;
}

std::vector<Row> rows_of(const Profile& profile, GroupBy group) {
    struct Counts {
        u64 self = 0, total = 0;
    };
    std::map<RowKey, Counts> counts;
    for (const auto& [stack, samples] : profile.stacks()) {
        std::set<RowKey> keys;  // a function that calls itself counts once
        for (const Profile::FrameId id : stack.frames)
            keys.insert(key_of(group, stack.process, profile.frame(id)));
        for (const RowKey& key : keys)
            counts[key].total += samples;
        counts[key_of(group, stack.process, profile.frame(stack.frames.back()))].self += samples;
    }
    std::vector<Row> rows;
    for (const auto& [key, count] : counts)
        rows.push_back({.process = std::get<0>(key),
                        .object = std::get<1>(key),
                        .symbol = std::get<2>(key),
                        .mode = std::get<3>(key),
                        .self = count.self,
                        .total = count.total});
    // What is equal stays in the order of the names.
    std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
        return std::tie(a.self, a.total) > std::tie(b.self, b.total);
    });
    return rows;
}

std::string folded_stacks(const Profile& profile) {
    std::map<std::string, u64> lines;
    for (const auto& [stack, samples] : profile.stacks()) {
        std::string line = folded_name(stack.process);
        for (const Profile::FrameId id : stack.frames)
            line += ";" + folded_name(label_of(profile.frame(id)));
        lines[line] += samples * profile.interval_ticks();
    }
    std::string text;
    for (const auto& [line, ticks] : lines)
        text += line + " " + std::to_string(ticks) + "\n";
    return text;
}

std::string label_of(const Frame& frame) {
    const bool nameless = frame.symbol.starts_with('[') && frame.symbol != frame.object;
    return (nameless ? short_object_name(frame.object) : "") + frame.symbol +
           (frame.mode == Mode::kKernel ? "_[k]" : "");
}

std::string short_object_name(const std::string& object) {
    const std::size_t slash = object.rfind('/');
    return slash == std::string::npos ? object : object.substr(slash + 1);
}

}  // namespace uchronia::profile
