// A history: the complete description of an execution, and what came of it when it was run.
//
// Base image, configuration, input and tape determine the execution. The result, the hash chain and
// the record of files are what a run of it adds; the chain proves that a replay is the same, the
// record makes it the same after files of the host have changed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/hash.h"
#include "history/file_record.h"
#include "history/hash_chain.h"
#include "history/outcome.h"
#include "history/tape.h"
#include "history/visits.h"
#include "machine/machine.h"
#include "machine/run_request.h"

namespace uchronia::history {

// The booted machine that the run starts from.
struct BaseReference {
    Digest image;             // of all that went into the boot
    Digest state;             // of the booted machine; zero: not known
    std::string kernel_path;  // as the user named it; empty: the newest installed one
    std::string kernel_name;  // for messages
    u64 memory_size = 0;      // bytes
    u32 vcpu_count = 1;
    cpu::CPUModel cpu_model = cpu::CPUModel::kV3;
    std::string disk_path = {};  // empty: no disk
    Digest disk = {};            // of its contents; zero: not known

    bool operator==(const BaseReference&) const = default;
};

// Which of the host's files the guest sees, as in host::FileTreeOptions.
struct FileView {
    std::vector<std::string> working_folders;  // the working directory and what the user shares
    std::vector<std::string> system_folders;   // those that exist
    std::vector<std::string> hidden;
    // The image whose files it sees in place of the host's, but for the working folders; zero:
    // none.
    Digest image = {};            // of its manifest
    std::string image_name = {};  // as the user named it, for messages

    bool has_image() const { return image != Digest(); }
    bool operator==(const FileView&) const = default;
};

// Where a run ends if it does not end by itself; all from its start.
struct Limits {
    VirtualTime timeout = kNever;  // then it is a time-out
    Ticks stop_tick{~u64{0}};      // then it is just stopped, as it was by Ctrl-C
    VirtualTime stop_time = kNever;

    bool operator==(const Limits&) const = default;
};

struct RunResult {
    Outcome outcome;
    Ticks ticks;       // from the run's start
    VirtualTime time;  // from the run's start
    Digest state;      // of the machine at the end

    bool operator==(const RunResult&) const = default;
};

struct History {
    BaseReference base;
    machine::RunRequest request;
    FileView files;
    Limits limits;
    Tape tape;
    std::vector<Visit> visits = {};  // in the order of their moments
    std::vector<u8> input;           // of standard input, as far as the guest has read

    std::optional<RunResult> result;
    HashChain chain;
    FileRecord record;

    bool operator==(const History& other) const;
};

// The history without what its run added: ready to be run with another tape.
History without_result(History history);

}  // namespace uchronia::history
