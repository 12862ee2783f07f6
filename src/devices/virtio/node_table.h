// The files that the guest has met, by number: FUSE's node ids, which are also the inode numbers.
//
// A number is given in the order of first meeting and stays with its name for good, so that it
// depends on nothing but what the guest did. Therefore FORGET needs no counts, and there are at
// most as many numbers as there are names in the tree.
//
// A node is its parent's number and its name; the root is 1 and has no name. A parent's number is
// smaller than its children's.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/fields.h"
#include "base/types.h"

namespace uchronia::devices {

class NodeTable {
  public:
    static constexpr u64 kRoot = 1;

    NodeTable() { clear(); }

    void clear();
    u64 count() const { return parents_.size(); }
    // The number of that name in that directory, perhaps a new one.
    u64 number_of(u64 parent, std::string_view name);
    bool contains(u64 node) const { return node >= kRoot && node <= count(); }
    // Of a node that the table contains.
    u64 parent_of(u64 node) const { return parents_[node - 1]; }
    std::string path_of(u64 node) const;

    void fields(FieldVisitor& v);

  private:
    std::string_view name_of(u64 node) const;
    bool is_consistent() const;
    void rebuild_index();

    // The state: node n is parents_[n - 1]; its name ends at name_ends_[n - 1] of names_ and starts
    // where the one before ends.
    std::vector<u64> parents_;
    std::vector<u64> name_ends_;
    std::string names_;
    // Made from the above, and never iterated: the key is the parent's number and the name.
    std::unordered_map<std::string, u64> index_;
};

}  // namespace uchronia::devices
