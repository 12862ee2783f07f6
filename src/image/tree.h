// The file tree of an image while it is put together from layers, and what a hostile archive cannot
// do to it: names are resolved inside of the tree, as if it were the root, and nothing of the host
// is touched by them.
//
// Within a layer, an entry replaces one of the same name. A layer can take away what the layers
// below it have ("whiteouts"), but nothing of its own.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "image/manifest.h"

namespace uchronia::image {

class Tree {
  public:
    Tree();

    // What is added from now on lies above what is there.
    void begin_layer() { ++layer_; }

    // Adds a file. Its path is as an archive has it: perhaps with "/" or "./" before it, or "/"
    // behind. Parents that are missing are made; those that are symbolic links are followed inside
    // of the tree. A folder that is there gets new attributes, and keeps what is in it.
    Status add(Entry entry);
    // Adds another name of a file that is there.
    Status add_hard_link(const std::string& path, const std::string& target);
    // Takes away what lower layers have at a path, or (opaque) below it.
    Status remove_lower(const std::string& path);
    Status remove_below(const std::string& path);

    u64 size() const { return nodes_.size(); }
    // All of it, in order. The tree is empty afterwards.
    std::vector<Entry> take();
    // Null if there is none; symbolic links are not followed.
    const Entry* find(const std::string& path) const;

  private:
    struct Node {
        Entry entry;
        u64 layer = 0;
    };
    // A path of the tree of which only the last component may be missing, or a symbolic link.
    Result<std::string> place_of(const std::string& path);
    void make_folder(const std::string& path);
    void remove_tree(const std::string& path, u64 layers_below);
    std::set<std::string> lower_names(const std::string& prefix) const;

    std::map<std::string, Node> nodes_;
    u64 layer_ = 0;
};

}  // namespace uchronia::image
