#include "memory/frame_store.h"

#include <span>

#include "base/check.h"
#include "host/memory.h"

namespace uchronia::memory {
namespace {

constexpr u64 kArenaBytes = u64{2} << 20;

alignas(kPageSize) constexpr u8 kZeroPage[kPageSize] = {};

}  // namespace

FrameStore::FrameStore()
    : zero_(borrow(kZeroPage, digest_of(std::span<const u8>(kZeroPage, kPageSize)))) {}

FrameStore::~FrameStore() {
    for (void* arena : arenas_)
        host::release(arena, kArenaBytes);
}

void FrameStore::add_arena() {
    u8* data = static_cast<u8*>(host::reserve_huge(kArenaBytes));
    arenas_.push_back(data);
    for (u64 offset = kArenaBytes; offset != 0; offset -= kPageSize)
        free_pages_.push_back(data + offset - kPageSize);
}

Frame* FrameStore::allocate() {
    if (free_pages_.empty())
        add_arena();
    Frame* frame = frames_.allocate();
    frame->data = free_pages_.back();
    frame->hashed = false;
    frame->borrowed = false;
    free_pages_.pop_back();
    ++live_count_;
    return frame;
}

Frame* FrameStore::borrow(const u8* data, Digest hash) {
    Frame* frame = frames_.allocate();
    frame->data = const_cast<u8*>(data);  // never written: `borrowed`
    frame->hash = hash;
    frame->hashed = true;
    frame->borrowed = true;
    return frame;
}

Frame* FrameStore::zero() {
    retain(zero_);
    return zero_;
}

void FrameStore::release(Frame* frame) {
    if (!frames_.release(frame) || frame->borrowed)
        return;
    free_pages_.push_back(frame->data);
    --live_count_;
}

}  // namespace uchronia::memory
