// One file tree with shared folders of the host in it, each at its own path. What leads to them is
// as the tree below has it, as far as that has folders there.
#pragma once

#include <memory>

#include "host/file_switch.h"
#include "host/file_tree.h"

namespace uchronia::image {

class FilesWithShares final : public host::FileSwitch {
  public:
    FilesWithShares(std::unique_ptr<host::FileSource> below, std::unique_ptr<host::FileTree> shares)
        : below_(std::move(below)), shares_(std::move(shares)) {}

    host::FileResult<std::shared_ptr<const host::DirectoryListing>> list(
        const std::string& path) override;

  private:
    enum class Kind {
        kBelow,     // nothing of the shares
        kOnTheWay,  // leads to a share
        kShared,
    };
    Kind kind_of(const std::string& path) const;
    Place place_of(const std::string& path) override;

    std::unique_ptr<host::FileSource> below_;
    std::unique_ptr<host::FileTree> shares_;
};

}  // namespace uchronia::image
