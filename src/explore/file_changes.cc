#include "explore/file_changes.h"

#include <vector>

namespace uchronia::explore {
namespace {

using history::Answer;
using history::FileRecord;

template <class Map>
void add_new(Map& all, const Map& run, Map& added) {
    for (const auto& [question, answer] : run) {
        if (!all.contains(question))
            added.emplace(question, answer);
    }
}

template <class T, class Ask>
std::optional<std::string> first_changed(const std::map<std::string, Answer<T>>& answers, Ask ask) {
    for (const auto& [path, recorded] : answers) {
        const auto now = ask(path);
        if (now.error() != recorded.error || (recorded.error == 0 && !(*now == recorded.value)))
            return path;
    }
    return std::nullopt;
}

std::optional<std::string> first_changed_listing(const FileRecord& record, host::FileSource& host) {
    for (const auto& [path, recorded] : record.listings) {
        const auto now = host.list(path);
        if (now.error() != recorded.error || (recorded.error == 0 && **now != *recorded.value))
            return path;
    }
    return std::nullopt;
}

// No guest asks for more at once.
constexpr u64 kLargestBlock = u64{64} << 20;

std::optional<std::string> first_changed_block(const FileRecord& record, host::FileSource& host) {
    std::vector<u8> bytes;
    for (const auto& [question, recorded] : record.blocks) {
        if (question.size > kLargestBlock)
            return question.path;
        bytes.resize(question.size);
        const auto count = host.read(question.path, question.offset, bytes);
        if (count.error() != recorded.error)
            return question.path;
        if (recorded.error == 0 &&
            (*count != recorded.value.size ||
             digest_of(std::span<const u8>(bytes).first(*count)) != recorded.value.digest))
            return question.path;
    }
    return std::nullopt;
}

}  // namespace

FileRecord add_new_answers(FileRecord& all, const FileRecord& run) {
    FileRecord added;
    add_new(all.attributes, run.attributes, added.attributes);
    add_new(all.listings, run.listings, added.listings);
    add_new(all.links, run.links, added.links);
    add_new(all.blocks, run.blocks, added.blocks);
    for (auto& [question, answer] : added.blocks)
        answer.value.bytes.clear();
    merge(all, added);
    return added;
}

void merge(FileRecord& all, FileRecord more) {
    all.attributes.merge(more.attributes);
    all.listings.merge(more.listings);
    all.links.merge(more.links);
    all.blocks.merge(more.blocks);
}

std::optional<std::string> first_changed_file(const FileRecord& record, host::FileSource& host) {
    if (auto path = first_changed(record.attributes,
                                  [&](const std::string& file) { return host.attributes(file); }))
        return path;
    if (auto path = first_changed_listing(record, host))
        return path;
    if (auto path = first_changed(record.links,
                                  [&](const std::string& file) { return host.read_link(file); }))
        return path;
    return first_changed_block(record, host);
}

}  // namespace uchronia::explore
