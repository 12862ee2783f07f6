// The list of files that the agent in the guest makes (guest/agent/list_files.h), for a person and
// for programs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/types.h"

namespace uchronia::cli {

struct ListedFile {
    u32 mode = 0;  // with the type
    u64 links = 0;
    u32 uid = 0, gid = 0;
    u64 size = 0;
    i64 modified_seconds = 0;
    i64 modified_nanoseconds = 0;
    u32 major = 0, minor = 0;
    std::string name;
    std::string target;  // of a symbolic link
};

// The guest may say anything: errors are what is no such list.
Result<std::vector<ListedFile>> parse_file_list(std::string_view bytes);

// As "ls -ln" does it; names steer no terminal.
std::string file_list_text(const std::vector<ListedFile>& files);
std::string file_list_json(const std::vector<ListedFile>& files);

}  // namespace uchronia::cli
