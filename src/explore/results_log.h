// The file in which an exploration keeps its results while it runs, so that it can be resumed
// (docs/format-explore-results.md).
//
// It is only ever appended to, in records with checksums: after a kill, the records that are whole
// count. What does not belong to the same exploration counts as no file.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "explore/results.h"
#include "history/file_record.h"

namespace uchronia::explore {

// What all explorations have in common that may go on with each other's results: the digest of
// everything that determines what a seed gives.
Digest identity_of_exploration(const history::History& history, u64 first_seed);

struct LoggedResults {
    std::vector<RunSummary> runs;  // of the first seeds, in their order
    history::FileRecord files;     // what these, and perhaps more, have seen of the host's files
    u64 size = 0;                  // of the part of the file that counts; 0: none of it does
};

// Never fails: what cannot be read is not there.
LoggedResults parse_results(std::span<const u8> file, Digest identity);

class ResultsLog {
  public:
    // Goes on after `size` bytes of the file; 0: begins it.
    ResultsLog(std::string path, Digest identity, u64 size);

    void add(const history::FileRecord& files);
    // `is_known`: an outcome that is in the file already.
    enum class Outcome { kNew, kKnown };
    void add(const RunSummary& run, Outcome outcome);

    // Brings to the file what has been added; once a second is enough. After a failure nothing
    // more is written.
    void flush_now_and_then(u64 now_nanoseconds);
    Status flush();
    // What is not yet in the file.
    const std::vector<u8>& unwritten() const { return pending_; }

  private:
    template <class Value>
    void append(u32 type, Value value);

    const std::string path_;
    u64 written_;              // bytes of the file
    std::vector<u8> pending_;  // that follow
    u64 last_flush_ = 0;       // host nanoseconds
    Status status_;
};

}  // namespace uchronia::explore
