// What to run in the guest, and its encoding as the run description of guest/hypercall.h.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/types.h"

namespace uchronia::machine {

enum class StandardInput : u8 { kNone, kFromHost };
// What the shared files are: folders of the host in a tree of the guest's own, or a whole root.
enum class SharedRoot : u8 { kHostFolders, kImage };
// What the command's streams are: pipes, or a terminal of its own.
enum class Streams : u8 { kPipes, kTerminal };

struct RunRequest {
    std::vector<std::string> arguments;    // at least one
    std::vector<std::string> environment;  // "NAME=value"
    std::string working_directory = "/";   // absolute
    std::vector<std::string> shares;       // absolute, without "." and ".."
    std::string modules_folder;            // of the kernel, as the guest sees it; empty: none
    std::vector<u32> groups;
    u32 uid = 0;
    u32 gid = 0;
    StandardInput input = StandardInput::kNone;
    SharedRoot root = SharedRoot::kHostFolders;
    // The guest's folder whose changes come out at the end, absolute; empty: none.
    std::string out_folder = {};
    Streams streams = Streams::kPipes;
};

// The bytes that GET_RUN gives to the agent. Fails if a string has a NUL byte, if there is no
// command, or if it is all longer than one hypercall can carry.
Result<std::vector<u8>> encode_run_request(const RunRequest& request);

}  // namespace uchronia::machine
