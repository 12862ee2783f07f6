// What lies in the cache folder, and what of it may go.
//
// A file that another process uses is never removed: one that is mapped (a base image, translated
// code), or that is being made under its lock. Only what is made again by itself is removed to keep
// to a limit: base images and translated code. Findings, the last history and the kernel go only
// when they are asked for by name, the kernel never.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/types.h"

namespace uchronia::cli {

enum class CacheKind : u8 { kBase, kUnfinished, kCode, kFindings, kLast, kKernel, kOther };
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

// What goes if the cache is to take at most `limit` bytes: the least recently used that is made
// again by itself and not in use.
std::vector<CacheEntry> beyond_limit(std::span<const CacheEntry> entries, u64 limit);
// What "base", "code", "findings" or "all" names and is not in use.
std::vector<CacheEntry> named(std::span<const CacheEntry> entries, const std::string& what);

// Removes the entries; those that a process has begun to use in the meantime stay. Gives those that
// are gone. The first failure ends it.
Result<std::vector<CacheEntry>> remove_entries(const std::string& folder,
                                               std::span<const CacheEntry> entries);

}  // namespace uchronia::cli
