// The run description as the guest reads it: a checked view of the bytes of GET_RUN.
//
// Freestanding (no allocation, no library but memchr), as it runs inside the agent; the machine's
// side, which writes the bytes, is machine/run_request.h. The layout is in guest/hypercall.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace uchronia::guest {

// A sequence of `count` NUL-terminated strings that follow each other.
struct StringList {
    const char* first = "";
    std::uint32_t count = 0;
};

// All pointers point into the parsed bytes.
struct RunDescription {
    std::uint32_t flags = 0;
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    const unsigned char* groups = nullptr;  // little-endian u32s, unaligned
    std::uint32_t group_count = 0;
    const char* working_directory = "";
    const char* modules_folder = "";  // of the running kernel; empty: none
    StringList arguments;
    StringList environment;
    StringList shares;
    const char* out_folder = nullptr;  // null: nothing comes out
};

// False if the bytes are not exactly one well-formed description; `run` is then unspecified.
bool parse_run_description(const unsigned char* bytes, std::size_t size, RunDescription& run);

std::uint32_t group_at(const RunDescription& run, std::uint32_t index);

// The string after `text` in its list.
const char* next_string(const char* text);

// Fills pointers[0..count] with the list's strings and a final null.
void fill_pointers(const StringList& list, char** pointers);

// Whether `path` is `folder` or lies below it; both absolute, without "." and "..".
bool is_within(const char* path, const char* folder);

// Whether the working directory or a share is `folder` or lies below it, or changes in it come out.
bool run_uses_folder(const RunDescription& run, const char* folder);

}  // namespace uchronia::guest
