#include "image/tree.h"

#include <algorithm>
#include <deque>

namespace uchronia::image {
namespace {

constexpr int kMostLinks = 40;  // as the kernel's limit on a path
constexpr u64 kFolderSize = 4096;

host::FileAttributes folder_attributes() {
    return {.mode = S_IFDIR | 0755, .size = kFolderSize};
}

std::deque<std::string> components_of(const std::string& path) {
    std::deque<std::string> components;
    for (std::size_t begin = 0; begin < path.size();) {
        const std::size_t end = std::min(path.find('/', begin), path.size());
        const std::string name = path.substr(begin, end - begin);
        if (!name.empty() && name != ".")
            components.push_back(name);
        begin = end + 1;
    }
    return components;
}

std::string child_of(const std::string& folder, const std::string& name) {
    return (folder == "/" ? "" : folder) + "/" + name;
}

// Names in messages are short and steer no terminal.
std::string shown(const std::string& path) {
    std::string text = path.substr(0, 200);
    std::replace_if(
        text.begin(), text.end(), [](char c) { return static_cast<u8>(c) < 32 || c == 127; }, '?');
    return text;
}

}  // namespace

Tree::Tree() {
    nodes_["/"] = {
        .entry = {.path = "/", .attributes = folder_attributes(), .target = {}, .chunks = {}},
        .layer = 0};
}

void Tree::make_folder(const std::string& path) {
    nodes_[path] = {
        .entry = {.path = path, .attributes = folder_attributes(), .target = {}, .chunks = {}},
        .layer = layer_};
}

Result<std::string> Tree::place_of(const std::string& path) {
    std::deque<std::string> rest = components_of(path);
    for (const std::string& name : rest) {
        if (name == "..")
            return Error{"'" + shown(path) + "' leads out of the archive by '..'"};
        if (name.size() > kLongestName || name.find('\0') != std::string::npos)
            return Error{"'" + shown(path) + "' has a name that no Linux system could have"};
    }
    std::string place = "/";
    for (int links = 0; !rest.empty();) {
        const std::string name = rest.front();
        rest.pop_front();
        if (name == "..") {  // of a link's target
            place = std::string(parent_of(place));
            continue;
        }
        std::string next = child_of(place, name);
        const auto found = nodes_.find(next);
        if (found != nodes_.end() && found->second.entry.attributes.is_symlink() && !rest.empty()) {
            if (++links > kMostLinks)
                return Error{"'" + shown(path) + "' leads through too many symbolic links"};
            const std::string& target = found->second.entry.target;
            const std::deque<std::string> more = components_of(target);
            rest.insert(rest.begin(), more.begin(), more.end());
            if (target.starts_with("/"))
                place = "/";
            continue;
        }
        if (!rest.empty() && found == nodes_.end())
            make_folder(next);
        else if (!rest.empty() && !found->second.entry.attributes.is_directory())
            return Error{"'" + shown(path) + "' lies in something that is no folder"};
        place = std::move(next);
        if (place.size() > kLongestPath)
            return Error{"'" + shown(path) + "' is longer than a path can be"};
    }
    if (place.size() > kLongestPath)
        return Error{"'" + shown(path) + "' is longer than a path can be"};
    return place;
}

Status Tree::add(Entry entry) {
    Result<std::string> place = place_of(entry.path);
    if (!place)
        return place.error();
    entry.path = std::move(*place);
    if (nodes_.size() >= kMostEntries)
        return Error{"there are more than " + std::to_string(kMostEntries) + " files in it"};
    const bool is_folder = entry.attributes.is_directory();
    if (entry.path == "/" && !is_folder)
        return Error{"its root is no folder"};
    if (is_folder)
        entry.attributes.size = kFolderSize;
    const auto found = nodes_.find(entry.path);
    if (found != nodes_.end() && !(is_folder && found->second.entry.attributes.is_directory()))
        remove_tree(entry.path, layer_ + 1);
    std::string path = entry.path;
    nodes_[std::move(path)] = {.entry = std::move(entry), .layer = layer_};
    return {};
}

Status Tree::add_hard_link(const std::string& path, const std::string& target) {
    const Result<std::string> place = place_of(target);
    if (!place)
        return place.error();
    const auto found = nodes_.find(*place);
    if (found == nodes_.end())
        return Error{"'" + shown(path) + "' is another name of '" + shown(target) +
                     "', which is not there before it"};
    if (found->second.entry.attributes.is_directory())
        return Error{"'" + shown(path) + "' is another name of a folder"};
    Entry entry = found->second.entry;
    entry.path = path;
    const Result<std::string> own_place = place_of(path);
    if (!own_place)
        return own_place.error();
    return *own_place == *place ? Status() : add(std::move(entry));
}

void Tree::remove_tree(const std::string& path, u64 layers_below) {
    const auto own = nodes_.find(path);
    if (own != nodes_.end() && own->second.layer < layers_below)
        nodes_.erase(own);
    const std::string prefix = path + "/";
    for (auto at = nodes_.lower_bound(prefix); at != nodes_.end() && at->first.starts_with(prefix);)
        at = at->second.layer < layers_below ? nodes_.erase(at) : std::next(at);
}

// What this layer has put below the path stays, with the folders that lead to it.
std::set<std::string> Tree::lower_names(const std::string& prefix) const {
    std::set<std::string> names;
    const auto first = nodes_.lower_bound(prefix);
    auto last = first;
    for (; last != nodes_.end() && last->first.starts_with(prefix); ++last) {
        if (last->second.layer != layer_ && last->first != "/")
            names.insert(last->first);
    }
    for (auto at = first; at != last; ++at) {
        if (at->second.layer != layer_)
            continue;
        for (std::string parent(parent_of(at->first)); names.erase(parent) != 0;)
            parent = std::string(parent_of(parent));
    }
    return names;
}

Status Tree::remove_lower(const std::string& path) {
    if (Status status = remove_below(path); !status)
        return status;
    const Result<std::string> place = place_of(path);
    const auto own = nodes_.find(*place);
    const auto next = own == nodes_.end() ? own : std::next(own);
    const bool is_in_use = next != nodes_.end() && next->first.starts_with(*place + "/");
    if (own != nodes_.end() && *place != "/" && own->second.layer != layer_ && !is_in_use)
        nodes_.erase(own);
    return {};
}

Status Tree::remove_below(const std::string& path) {
    const Result<std::string> place = place_of(path);
    if (!place)
        return place.error();
    for (const std::string& name : lower_names(*place == "/" ? "/" : *place + "/"))
        nodes_.erase(name);
    return {};
}

std::vector<Entry> Tree::take() {
    std::vector<Entry> entries;
    entries.reserve(nodes_.size());
    for (auto& [path, node] : nodes_)
        entries.push_back(std::move(node.entry));
    nodes_.clear();
    return entries;
}

const Entry* Tree::find(const std::string& path) const {
    const auto found = nodes_.find(path);
    return found == nodes_.end() ? nullptr : &found->second.entry;
}

}  // namespace uchronia::image
