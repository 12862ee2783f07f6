#include "devices/virtio/node_table.h"

namespace uchronia::devices {
namespace {

std::string key_of(u64 parent, std::string_view name) {
    std::string key(reinterpret_cast<const char*>(&parent), sizeof parent);
    return key.append(name);
}

}  // namespace

void NodeTable::clear() {
    parents_ = {kRoot};
    name_ends_ = {0};
    names_.clear();
    index_.clear();
}

u64 NodeTable::number_of(u64 parent, std::string_view name) {
    const auto [position, is_new] = index_.try_emplace(key_of(parent, name), count() + 1);
    if (is_new) {
        parents_.push_back(parent);
        names_.append(name);
        name_ends_.push_back(names_.size());
    }
    return position->second;
}

std::string_view NodeTable::name_of(u64 node) const {
    const u64 start = node == kRoot ? 0 : name_ends_[node - 2];
    return std::string_view(names_).substr(start, name_ends_[node - 1] - start);
}

std::string NodeTable::path_of(u64 node) const {
    std::string path;
    for (; node != kRoot; node = parent_of(node))
        path.insert(0, "/" + std::string(name_of(node)));
    return path.empty() ? "/" : path;
}

void NodeTable::fields(FieldVisitor& v) {
    const std::vector<u64> parents = parents_;
    const std::vector<u64> name_ends = name_ends_;
    const std::string names = names_;
    v("parents", parents_);
    v("name_ends", name_ends_);
    v("names", names_);
    if (parents == parents_ && name_ends == name_ends_ && names == names_)
        return;
    // Another state was loaded. One that makes no sense, from a corrupt file, must be harmless.
    if (!is_consistent())
        clear();
    rebuild_index();
}

bool NodeTable::is_consistent() const {
    if (parents_.empty() || parents_.size() != name_ends_.size() || parents_[0] != kRoot ||
        name_ends_[0] != 0 || name_ends_.back() != names_.size())
        return false;
    for (u64 i = 1; i < parents_.size(); ++i) {
        if (parents_[i] < kRoot || parents_[i] > i || name_ends_[i] < name_ends_[i - 1])
            return false;
    }
    return true;
}

void NodeTable::rebuild_index() {
    index_.clear();
    for (u64 node = kRoot + 1; node <= count(); ++node)
        index_.emplace(key_of(parent_of(node), name_of(node)), node);
}

}  // namespace uchronia::devices
