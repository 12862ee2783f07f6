// Reads a tar archive, plain or compressed (gzip, bzip2, xz, zstd), one member after the other.
//
// It unpacks nothing to anywhere: names are text, contents go to whom the caller says. libarchive
// does the work; this adds limits, and messages that name the archive.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"
#include "host/file_source.h"
#include "image/blob.h"

struct archive;
struct archive_entry;

namespace uchronia::image {

struct Member {
    std::string path;       // as the archive has it
    std::string hard_link;  // the member that this is another name of; or empty
    std::string target;     // of a symbolic link
    host::FileAttributes attributes;
};

// Gets a file's bytes in order; `zeros` of them after `bytes`.
using ContentSink = std::function<Status(std::span<const u8> bytes, u64 zeros)>;

class ArchiveReader {
  public:
    static Result<std::unique_ptr<ArchiveReader>> open(const Blob& blob);
    ~ArchiveReader();

    // The next member; false at the archive's end.
    Result<bool> next(Member& member);
    // The content of the present member, which must be a regular file. At most once.
    Status read_content(const ContentSink& sink);

  private:
    struct Source {
        Blob blob;
        u64 position = 0;
        std::vector<u8> buffer;
    };
    struct LocaleScope;

    explicit ArchiveReader(const Blob& blob);
    static long read_source(archive* handle, void* data, const void** buffer);
    static long skip_source(archive* handle, void* data, long count);
    Error failure(const char* what) const;

    Source source_;
    archive* handle_ = nullptr;
    u64 content_size_ = 0;
};

}  // namespace uchronia::image
