// Contents of files by their digest, in a folder: docs/format-store.md.
//
// What is in it is only ever added or removed, never changed, so threads and processes use one
// folder at once. Everything that is read is checked: what does not have its digest is not there.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "base/types.h"

namespace uchronia::history {

class ContentStore {
  public:
    // The folder need not exist.
    explicit ContentStore(std::string folder) : folder_(std::move(folder)) {}

    // Whether the content is there. It then counts as used, for those who remove what is not.
    bool has(Digest digest) const;
    // Nothing is written if it is there.
    Status put(Digest digest, std::span<const u8> content) const;
    // Nothing if it is not there. A damaged one is removed, so that it can be put there again.
    std::optional<std::vector<u8>> get(Digest digest) const;

    const std::string& folder() const { return folder_; }
    std::string path_of(Digest digest) const;

  private:
    std::string folder_;
};

}  // namespace uchronia::history
