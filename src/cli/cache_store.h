// Which contents of the cache's store may go: those that no image that is listed needs, nor a
// history that the cache itself keeps (the last one, findings).
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "cli/cache_contents.h"

namespace uchronia::cli {

// The contents that images and histories in the cache folder need, manifests among them.
Result<std::set<Digest>> contents_in_need(const std::string& folder);

// An entry for each content that is not needed. Those of the last two days count as in use: a
// process may be at work with them, and their time of use is kept to a day.
Result<std::vector<CacheEntry>> contents_not_needed(const std::string& folder);

}  // namespace uchronia::cli
