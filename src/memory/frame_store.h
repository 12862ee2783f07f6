// Page objects: reference-counted 4 KiB frames in huge-page arenas.
//
// A frame that more than one RAM map or snapshot refers to is never written again. Frames over
// borrowed bytes (a mapped image file) are never written and never freed before their owner.
//
// Not thread-safe: a store belongs to the one thread that runs its world.
#pragma once

#include <deque>
#include <vector>

#include "base/hash.h"
#include "base/types.h"

namespace uchronia::memory {

struct Frame {
    u8* data = nullptr;
    Digest hash;  // XXH3-128 of the contents when they were last hashed
    u32 references = 0;
    bool borrowed = false;  // `data` belongs to someone else and is read-only
};

class FrameStore {
  public:
    FrameStore();
    ~FrameStore();
    FrameStore(const FrameStore&) = delete;
    FrameStore& operator=(const FrameStore&) = delete;

    // A frame with undefined contents and one reference.
    Frame* allocate();
    // A frame over a page of `data`, which must outlive the store; one reference.
    Frame* borrow(const u8* data, Digest hash);
    // The frame of zeros; one reference more.
    Frame* zero();
    Digest zero_hash() const { return zero_.hash; }

    void retain(Frame* frame) { ++frame->references; }
    void release(Frame* frame);

    // Frames in use, without borrowed ones.
    u64 live_count() const { return live_count_; }

  private:
    void add_arena();

    std::vector<void*> arenas_;
    std::deque<Frame> frames_;  // stable addresses
    std::vector<Frame*> free_frames_;
    std::vector<Frame*> free_headers_;  // for borrowed frames
    Frame zero_;
    u64 live_count_ = 0;
};

}  // namespace uchronia::memory
