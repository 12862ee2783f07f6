// The manifest of an image: what is in its root file system, and how a command is started in it
// (docs/format-image.md). Contents are in a content store, by the digests of their chunks.
//
// Invariants of one that was checked: paths are plain and in strictly ascending order (bytewise),
// the first is "/", and each parent is a directory; a regular file has one chunk for each
// kChunkSize bytes begun; nothing else has chunks; a symbolic link has a target.
//
// A file that is truncated, damaged, foreign or of a newer version gives an Error that names it,
// says what is wrong and what to do.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/fields.h"
#include "base/hash.h"
#include "base/result.h"
#include "host/file_source.h"
#include "host/plain_path.h"

namespace uchronia::image {

// Bytes; large enough that a large file has few, small enough that reading a part of it is cheap.
inline constexpr u64 kChunkSize = u64{1} << 20;
inline constexpr u64 kLargestFile = u64{1} << 36;  // bytes
inline constexpr u64 kMostEntries = u64{1} << 22;
using host::kLongestName;
using host::kLongestPath;

struct Entry {
    std::string path;  // absolute
    host::FileAttributes attributes;
    std::string target;          // of a symbolic link
    std::vector<Digest> chunks;  // of a regular file

    bool operator==(const Entry&) const = default;
    void fields(FieldVisitor& v);
};

// How the image's maker wants a command to be started, in the words of container images.
struct Configuration {
    std::vector<std::string> entrypoint;
    std::vector<std::string> command;      // the arguments if the user gives none
    std::vector<std::string> environment;  // "NAME=value"
    std::string working_directory;         // empty: "/"
    std::string user;  // "name", "name:group", numbers in place of names; or empty

    bool operator==(const Configuration&) const = default;
    void fields(FieldVisitor& v);
};

struct Manifest {
    Configuration configuration;
    std::vector<Entry> entries;

    bool operator==(const Manifest&) const = default;

    // The entry of a path, or null.
    const Entry* find(std::string_view path) const;
    u64 content_size() const;  // bytes, of all files
};

// The manifest's binary form, by whose digest an image is named. It must be as said above.
std::vector<u8> serialise(const Manifest& manifest);
// `name` is for messages.
Result<Manifest> parse_manifest(std::span<const u8> bytes, const std::string& name);

// "/a/b" is "/a", "/a" is "/"; "/" has none, and gives "/".
std::string_view parent_of(std::string_view path);

}  // namespace uchronia::image
