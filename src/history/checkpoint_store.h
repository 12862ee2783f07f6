// Checkpoints of one history on disk: any process maps them in, copy-on-write.
//
// Each content of a page is there once, whichever checkpoints have it; what is as in the base image
// is not there at all. Several processes use one folder at once. What is damaged, or was never
// finished, is an Error for who loads it and is made again by who saves next; a history needs none
// of it. Format: docs/format-checkpoints.md.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "host/files.h"
#include "machine/machine.h"

namespace uchronia::history {

// Both count from the run's start.
struct StoredMoment {
    Ticks tick;
    VirtualTime time;

    auto operator<=>(const StoredMoment&) const = default;
};

class CheckpointStore {
  public:
    // `folder` is for one history alone; it need not exist. Must outlive every machine that was
    // restored to what it has loaded.
    explicit CheckpointStore(std::string folder) : folder_(std::move(folder)) {}

    // What is there, in the order of the ticks.
    std::vector<StoredMoment> moments() const;

    // `start`: the RAM of the history's first moment.
    Status save(const StoredMoment& moment, const machine::Checkpoint& checkpoint,
                const memory::RAMSnapshot& start);
    // For a machine whose frames are of `frames`. If it is damaged, that is an Error, and
    // everything is removed.
    Result<machine::Checkpoint> load(const StoredMoment& moment, memory::FrameStore& frames,
                                     const memory::RAMSnapshot& start);
    // Bytes of pages, as far as this object knows.
    u64 size() const { return digests_.size() * kPageSize; }

  private:
    void discard() const;
    void forget_pages() {
        is_mapping_old_ = true;
        slots_.clear();
    }
    Status read_digests();
    Status adopt_pages();
    Status append_pages(std::span<const u8> pages, std::span<const Digest> digests);
    Status append_digests(std::span<const Digest> digests);
    Result<std::span<const u8>> pages_up_to(u64 slot_count);
    Result<machine::Checkpoint> read(const std::string& path, const StoredMoment& moment,
                                     memory::FrameStore& frames, const memory::RAMSnapshot& start);
    std::string path_of(const StoredMoment& moment) const;

    const std::string folder_;
    std::vector<Digest> digests_;  // of the pages, by slot
    // And back, for save(); perhaps without the last ones.
    std::map<Digest, u32> slots_;
    std::vector<host::MappedFile> mapped_;  // the file of pages, each time longer than before
    bool is_mapping_old_ = false;
};

}  // namespace uchronia::history
