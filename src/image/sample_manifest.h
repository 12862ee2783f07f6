// A manifest with something in every field, for tests. testdata/manifest-v1 holds it.
#pragma once

#include "image/manifest.h"

namespace uchronia::image {

inline Manifest sample_manifest() {
    const auto entry = [](const char* path, u32 mode, u64 size) {
        return Entry{.path = path,
                     .attributes = {.mode = mode,
                                    .uid = 7,
                                    .gid = 8,
                                    .size = size,
                                    .modified_seconds = -1,
                                    .modified_nanoseconds = 999'999'999},
                     .target = {},
                     .chunks = {}};
    };
    Manifest manifest;
    manifest.configuration = {.entrypoint = {"/bin/server", "-v"},
                              .command = {"--port", "80"},
                              .environment = {"PATH=/bin", "EMPTY="},
                              .working_directory = "/srv",
                              .user = "www:www"};
    manifest.entries = {entry("/", S_IFDIR | 0755, 4096), entry("/bin", S_IFDIR | 0755, 4096),
                        entry("/bin/server", S_IFREG | 04755, kChunkSize + 10),
                        entry("/bin/socket", S_IFSOCK | 0600, 0),
                        entry("/link", S_IFLNK | 0777, 10)};
    manifest.entries[2].chunks = {{1, 2}, {3, 4}};
    manifest.entries[4].target = "bin/server";
    return manifest;
}

}  // namespace uchronia::image
