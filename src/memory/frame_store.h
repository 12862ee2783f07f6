// Page objects: reference-counted 4 KiB frames in huge-page arenas.
//
// A frame that more than one RAM map or snapshot refers to is never written again. Frames over
// borrowed bytes (a mapped image file) are never written and never freed before their owner.
//
// Not thread-safe: a store belongs to the one thread that runs its world.
#pragma once

#include <vector>

#include "base/hash.h"
#include "base/types.h"
#include "memory/counted_pool.h"

namespace uchronia::memory {

struct Frame {
    u8* data = nullptr;
    Digest hash;            // XXH3-128 of the contents when they were last hashed
    bool hashed = false;    // and that was since the frame was allocated
    bool borrowed = false;  // `data` belongs to someone else and is read-only
};

// One node of the trees that map page numbers to frames (memory/page_tree.h).
struct PageNode {
    static constexpr unsigned kBits = 4;
    static constexpr unsigned kChildren = 1 << kBits;

    void* children[kChildren] = {};  // Frame* or PageNode*; null: all zeros
    Digest sum;                      // of the pages below, if it is known
    bool has_sum = false;
};

class FrameStore {
  public:
    FrameStore();
    ~FrameStore();
    FrameStore(const FrameStore&) = delete;
    FrameStore& operator=(const FrameStore&) = delete;

    // A frame with undefined contents and one reference, not hashed.
    Frame* allocate();
    // A frame over a page of `data`, which must outlive the store; one reference.
    Frame* borrow(const u8* data, Digest hash);
    // The frame of zeros; one reference more.
    Frame* zero();
    const u8* zero_page() const { return zero_->data; }
    Digest zero_hash() const { return zero_->hash; }

    void retain(Frame* frame) { CountedPool<Frame>::retain(frame); }
    void release(Frame* frame);

    CountedPool<PageNode>& nodes() { return nodes_; }

    // Frames in use, without borrowed ones.
    u64 live_count() const { return live_count_; }

  private:
    void add_arena();

    std::vector<void*> arenas_;
    CountedPool<Frame> frames_;
    CountedPool<PageNode> nodes_;
    std::vector<u8*> free_pages_;
    Frame* zero_;
    u64 live_count_ = 0;
};

}  // namespace uchronia::memory
