#include "guest/run_description.h"

#include <cstring>

#include "guest/hypercall.h"

namespace uchronia::guest {
namespace {

std::uint32_t word_at(const unsigned char* bytes, std::size_t index) {
    std::uint32_t value;
    std::memcpy(&value, bytes + index * sizeof value, sizeof value);
    return value;
}

// Takes NUL-terminated strings off the front of a byte range.
class StringCursor {
  public:
    StringCursor(const char* begin, const char* end) : at_(begin), end_(end) {}

    bool take(StringList& list, std::uint32_t count) {
        list = {at_, count};
        for (std::uint32_t i = 0; i < count; ++i) {
            const void* terminator =
                at_ == end_ ? nullptr : std::memchr(at_, 0, static_cast<std::size_t>(end_ - at_));
            if (terminator == nullptr)
                return false;
            at_ = static_cast<const char*>(terminator) + 1;
        }
        return true;
    }
    bool at_end() const { return at_ == end_; }

  private:
    const char* at_;
    const char* end_;
};

}  // namespace

bool parse_run_description(const unsigned char* bytes, std::size_t size, RunDescription& run) {
    constexpr std::size_t kHeaderSize = UCHRONIA_RUN_HEADER_WORDS * sizeof(std::uint32_t);
    if (size < kHeaderSize || word_at(bytes, UCHRONIA_RUN_WORD_MAGIC) != UCHRONIA_RUN_MAGIC ||
        word_at(bytes, UCHRONIA_RUN_WORD_SIZE) != size)
        return false;
    run.flags = word_at(bytes, UCHRONIA_RUN_WORD_FLAGS);
    run.uid = word_at(bytes, UCHRONIA_RUN_WORD_UID);
    run.gid = word_at(bytes, UCHRONIA_RUN_WORD_GID);
    run.group_count = word_at(bytes, UCHRONIA_RUN_WORD_GROUPS);
    run.groups = bytes + kHeaderSize;
    if (run.group_count > (size - kHeaderSize) / sizeof(std::uint32_t))
        return false;

    const char* text = reinterpret_cast<const char*>(bytes);
    StringCursor cursor(text + kHeaderSize + run.group_count * sizeof(std::uint32_t), text + size);
    StringList directory, modules, out;
    if (!cursor.take(directory, 1) || !cursor.take(modules, 1) ||
        !cursor.take(run.arguments, word_at(bytes, UCHRONIA_RUN_WORD_ARGUMENTS)) ||
        !cursor.take(run.environment, word_at(bytes, UCHRONIA_RUN_WORD_ENVIRONMENT)) ||
        !cursor.take(run.shares, word_at(bytes, UCHRONIA_RUN_WORD_SHARES)) ||
        !cursor.take(out, (run.flags & UCHRONIA_RUN_HAS_OUT) != 0 ? 1 : 0))
        return false;
    run.out_folder = out.count != 0 ? out.first : nullptr;
    run.working_directory = directory.first;
    run.modules_folder = modules.first;
    return cursor.at_end() && run.arguments.count != 0;
}

std::uint32_t group_at(const RunDescription& run, std::uint32_t index) {
    return word_at(run.groups, index);
}

const char* next_string(const char* text) {
    return text + std::strlen(text) + 1;
}

void fill_pointers(const StringList& list, char** pointers) {
    const char* text = list.first;
    for (std::uint32_t i = 0; i < list.count; ++i, text = next_string(text))
        pointers[i] = const_cast<char*>(text);  // argv and environ are char** by tradition
    pointers[list.count] = nullptr;
}

bool is_within(const char* path, const char* folder) {
    const std::size_t length = std::strlen(folder);
    return std::strncmp(path, folder, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

bool run_uses_folder(const RunDescription& run, const char* folder) {
    if (is_within(run.working_directory, folder))
        return true;
    if (run.out_folder != nullptr &&
        (std::strcmp(run.out_folder, "/") == 0 || is_within(run.out_folder, folder) ||
         is_within(folder, run.out_folder)))
        return true;
    const char* share = run.shares.first;
    for (std::uint32_t i = 0; i < run.shares.count; ++i, share = next_string(share)) {
        if (is_within(share, folder))
            return true;
    }
    return false;
}

}  // namespace uchronia::guest
