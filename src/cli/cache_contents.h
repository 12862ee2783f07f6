// What lies in the cache folder, and what of it may go.
//
// A file that another process uses is never removed: one that is mapped (a base image, translated
// code), or that is being made under its lock. To keep to a limit, what is made again by itself
// goes (base images, translated code and checkpoints), and of what came from elsewhere the least
// recently used: contents that nothing in the cache needs (cache_store.h), imported base images,
// images without a name. Findings, the last history and images with a name go only when they are
// asked for by name, the kernel never.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/types.h"

namespace uchronia::cli {

enum class CacheKind : u8 {
    kBase,
    kUnfinished,
    kCode,
    kCheckpoints,  // one entry for each history
    kImages,
    kStore,  // one entry for all contents
    kImported,
    kFindings,
    kLast,
    kKernel,
    kOther,
};
// "base", "code", ..., as --clear has them.
const char* name_of(CacheKind kind);

struct CacheEntry {
    CacheKind kind = CacheKind::kOther;
    std::string path;  // below the cache folder
    u64 size = 0;      // bytes of the disk
    i64 last_use = 0;  // seconds since 1970
    bool in_use = false;
    std::string description;
};

// Everything that is there, in the order of the kinds, then of the last use, latest first. Lock
// files are left out: they stay, and take no space. No folder is an empty cache.
Result<std::vector<CacheEntry>> list_cache(const std::string& folder);

u64 size_of(std::span<const CacheEntry> entries);

// What goes if the cache is to take at most `limit` bytes: the least recently used of what may go
// and is not in use. `contents` are those that are not needed (contents_not_needed).
std::vector<CacheEntry> beyond_limit(std::span<const CacheEntry> entries,
                                     std::span<const CacheEntry> contents, u64 limit);
// The image without a name that was used least recently; nothing: there is none that may go.
std::vector<CacheEntry> oldest_nameless_image(std::span<const CacheEntry> entries);
// What "base", "code", "images", "imported", "findings" or "all" names and is not in use.
std::vector<CacheEntry> named(std::span<const CacheEntry> entries, const std::string& what);

// Removes the entries; those that a process has begun to use in the meantime stay. Gives those that
// are gone. The first failure ends it.
Result<std::vector<CacheEntry>> remove_entries(const std::string& folder,
                                               std::span<const CacheEntry> entries);

}  // namespace uchronia::cli
