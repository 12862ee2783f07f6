#include "memory/frame_store.h"

#include <span>

#include "base/check.h"
#include "host/memory.h"

namespace uchronia::memory {
namespace {

constexpr u64 kArenaBytes = u64{2} << 20;

alignas(kPageSize) u8 zero_page[kPageSize];

}  // namespace

FrameStore::FrameStore() {
    zero_.data = zero_page;
    zero_.hash = digest_of(std::span<const u8>(zero_page, kPageSize));
    zero_.references = 1;
    zero_.borrowed = true;
}

FrameStore::~FrameStore() {
    for (void* arena : arenas_)
        host::release(arena, kArenaBytes);
}

void FrameStore::add_arena() {
    u8* data = static_cast<u8*>(host::reserve_huge(kArenaBytes));
    arenas_.push_back(data);
    for (u64 offset = kArenaBytes; offset != 0; offset -= kPageSize) {
        Frame& frame = frames_.emplace_back();
        frame.data = data + offset - kPageSize;
        free_frames_.push_back(&frame);
    }
}

Frame* FrameStore::allocate() {
    if (free_frames_.empty())
        add_arena();
    Frame* frame = free_frames_.back();
    free_frames_.pop_back();
    frame->references = 1;
    ++live_count_;
    return frame;
}

Frame* FrameStore::borrow(const u8* data, Digest hash) {
    Frame* frame;
    if (free_headers_.empty()) {
        frame = &frames_.emplace_back();
    } else {
        frame = free_headers_.back();
        free_headers_.pop_back();
    }
    frame->data = const_cast<u8*>(data);  // never written: `borrowed`
    frame->hash = hash;
    frame->references = 1;
    frame->borrowed = true;
    return frame;
}

Frame* FrameStore::zero() {
    retain(&zero_);
    return &zero_;
}

void FrameStore::release(Frame* frame) {
    CHECK(frame->references != 0);
    if (--frame->references != 0)
        return;
    if (frame->borrowed) {
        free_headers_.push_back(frame);
    } else {
        free_frames_.push_back(frame);
        --live_count_;
    }
}

}  // namespace uchronia::memory
