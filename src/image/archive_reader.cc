#include "image/archive_reader.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>

#include <algorithm>
#include <cerrno>

#include "image/manifest.h"

namespace uchronia::image {
namespace {

constexpr std::size_t kBufferSize = 1 << 18;

std::string text_of(const char* text, const char* utf8) {
    return text != nullptr ? text : utf8 != nullptr ? utf8 : "";
}

}  // namespace

// libarchive converts names to the character set of the locale, and gives up in "C" on all but
// ASCII. In this one names stay the bytes that they are.
struct ArchiveReader::LocaleScope {
    LocaleScope() : own(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
        if (own != nullptr)
            before = ::uselocale(own);
    }
    ~LocaleScope() {
        if (own == nullptr)
            return;
        ::uselocale(before);
        ::freelocale(own);
    }
    LocaleScope(const LocaleScope&) = delete;
    LocaleScope& operator=(const LocaleScope&) = delete;

    locale_t own;
    locale_t before = nullptr;
};

ArchiveReader::ArchiveReader(const Blob& blob)
    : source_{.blob = blob, .position = 0, .buffer = std::vector<u8>(kBufferSize)},
      handle_(::archive_read_new()) {}

ArchiveReader::~ArchiveReader() {
    ::archive_read_free(handle_);
}

Error ArchiveReader::failure(const char* what) const {
    const char* why = ::archive_error_string(handle_);
    return Error{
        "cannot read " + source_.blob.name + " as a tar archive: " + what +
        (why == nullptr ? "" : std::string(" (") + why + ")") +
        ". It may be damaged or incomplete, or of another kind: tar, alone or compressed by "
        "gzip, bzip2, xz or zstd, is what can be read. Get it again, or make it again"};
}

Result<std::unique_ptr<ArchiveReader>> ArchiveReader::open(const Blob& blob) {
    std::unique_ptr<ArchiveReader> reader(new ArchiveReader(blob));
    archive* handle = reader->handle_;
    if (handle == nullptr)
        return Error{"cannot read " + blob.name + ": not enough memory"};
    ::archive_read_support_filter_gzip(handle);
    ::archive_read_support_filter_bzip2(handle);
    ::archive_read_support_filter_xz(handle);
    ::archive_read_support_filter_zstd(handle);
    ::archive_read_support_format_tar(handle);
    const LocaleScope locale;
    if (::archive_read_open2(handle, &reader->source_, nullptr, read_source, skip_source,
                             nullptr) != ARCHIVE_OK)
        return reader->failure("it does not begin like one");
    return reader;
}

long ArchiveReader::read_source(archive* handle, void* data, const void** buffer) {
    Source& source = *static_cast<Source*>(data);
    const u64 size = std::min<u64>(source.buffer.size(), source.blob.size - source.position);
    const host::FileResult<u64> count =
        host::read_at(*source.blob.file, source.blob.offset + source.position,
                      std::span(source.buffer).first(size));
    if (!count.ok()) {
        ::archive_set_error(handle, count.error(), "the file cannot be read");
        return -1;
    }
    source.position += *count;
    *buffer = source.buffer.data();
    return static_cast<long>(*count);
}

long ArchiveReader::skip_source(archive*, void* data, long count) {
    Source& source = *static_cast<Source*>(data);
    const u64 skipped =
        std::min(static_cast<u64>(std::max(0L, count)), source.blob.size - source.position);
    source.position += skipped;
    return static_cast<long>(skipped);
}

Result<bool> ArchiveReader::next(Member& member) {
    const LocaleScope locale;
    archive_entry* entry = nullptr;
    const int result = ::archive_read_next_header(handle_, &entry);
    if (result == ARCHIVE_EOF)
        return false;
    if (result != ARCHIVE_OK && result != ARCHIVE_WARN)
        return failure("a header is not well formed");
    member = {};
    member.path = text_of(::archive_entry_pathname(entry), ::archive_entry_pathname_utf8(entry));
    member.hard_link =
        text_of(::archive_entry_hardlink(entry), ::archive_entry_hardlink_utf8(entry));
    member.target = text_of(::archive_entry_symlink(entry), ::archive_entry_symlink_utf8(entry));
    if (member.path.empty())
        return failure("a member has a name that cannot be read");
    const la_int64_t size = ::archive_entry_size(entry);
    if (size < 0 || static_cast<u64>(size) > kLargestFile)
        return failure("a member says that it has an impossible size");
    content_size_ = static_cast<u64>(size);
    const auto id = [](la_int64_t number) {
        return static_cast<u32>(std::clamp<la_int64_t>(number, 0, 0xfffffffe));
    };
    member.attributes = {.mode = ::archive_entry_filetype(entry) | ::archive_entry_perm(entry),
                         .uid = id(::archive_entry_uid(entry)),
                         .gid = id(::archive_entry_gid(entry)),
                         .size = content_size_,
                         .modified_seconds = ::archive_entry_mtime(entry),
                         .modified_nanoseconds = static_cast<u32>(
                             std::clamp(::archive_entry_mtime_nsec(entry), 0L, 999'999'999L))};
    return true;
}

Status ArchiveReader::read_content(const ContentSink& sink) {
    u64 position = 0;
    for (;;) {
        const void* block = nullptr;
        std::size_t size = 0;
        la_int64_t offset = 0;
        const int result = ::archive_read_data_block(handle_, &block, &size, &offset);
        if (result == ARCHIVE_EOF)
            break;
        if (result != ARCHIVE_OK && result != ARCHIVE_WARN)
            return failure("the content of a member is not all there");
        if (offset < 0 || static_cast<u64>(offset) < position ||
            static_cast<u64>(offset) > content_size_ ||
            size > content_size_ - static_cast<u64>(offset))
            return failure("the holes of a member are not in order");
        const u64 zeros = static_cast<u64>(offset) - position;
        if (Status status = sink({}, zeros); !status)
            return status;
        if (Status status = sink({static_cast<const u8*>(block), size}, 0); !status)
            return status;
        position = static_cast<u64>(offset) + size;
    }
    return sink({}, content_size_ - position);
}

}  // namespace uchronia::image
