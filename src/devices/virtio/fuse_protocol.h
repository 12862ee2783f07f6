// The FUSE protocol as we speak it: the kernel's own ABI header, and our choices within it.
//
// <linux/fuse.h> is the specification of the messages. Nothing that the guest sees may depend on
// which version of it we are compiled with, so that the version that we speak is fixed here.
#pragma once

#include <linux/fuse.h>

#include "base/types.h"

namespace uchronia::devices::fuse {

inline constexpr u32 kMajor = 7;
inline constexpr u32 kMinor = 36;
// Linux 5.4, the first kernel with a virtio-fs driver. Message layouts are those since then.
inline constexpr u32 kOldestMinor = 31;

// The most that one READ transfers: FUSE_MAX_MAX_PAGES of the kernel, 256 pages.
inline constexpr u32 kMaximumPages = 256;
inline constexpr u32 kMaximumRead = kMaximumPages * 4096;
// The least that the kernel accepts; we refuse all writes.
inline constexpr u32 kMaximumWrite = 4096;
inline constexpr u32 kMaximumName = 255;

// How long the guest may keep names and attributes: ten years, for files do not change in a run.
inline constexpr u64 kValidSeconds = 10 * 365 * u64{86400};

inline constexpr u64 kHeaderSize = sizeof(fuse_out_header);

// What we take of the features that the kernel offers in INIT. Zero-message opens: the first OPEN
// is answered with ENOSYS, and the kernel keeps file handles and caches (as FOPEN_KEEP_CACHE and
// FOPEN_CACHE_DIR) by itself from then on.
inline constexpr u32 kWantedFeatures =
    FUSE_ASYNC_READ | FUSE_DO_READDIRPLUS | FUSE_READDIRPLUS_AUTO | FUSE_PARALLEL_DIROPS |
    FUSE_MAX_PAGES | FUSE_CACHE_SYMLINKS | FUSE_NO_OPEN_SUPPORT | FUSE_NO_OPENDIR_SUPPORT;

}  // namespace uchronia::devices::fuse
