// The RAM of a machine: a map from guest-physical page numbers to frames (design D5).
//
// A snapshot shares the frames; the first write to a page afterwards copies it. The digest of all
// of RAM is the sum modulo 2^128 of the digests of its non-zero pages, each keyed by its page
// number, so that it is updated by the pages that changed. Nothing is hashed before a digest is
// asked for.
//
// A page is in one of three states: shared (a write copies it), clean (private, but hashed since it
// was last written) or dirty (private, written since). Only for dirty pages may the observer keep
// pointers for writing; every way back from dirty tells the observer.
#pragma once

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "base/types.h"
#include "cpu/bus.h"
#include "memory/frame_store.h"
#include "memory/guest_memory.h"
#include "memory/page_tree.h"

namespace uchronia::memory {

// The physical address space has RAM below the hole for devices and again from 4 GiB on.
inline constexpr u64 kHoleStart = u64{3} << 30;
inline constexpr u64 kHoleEnd = u64{4} << 30;

// All of RAM at one moment. Costs what differs from its relatives.
class RAMSnapshot {
  public:
    RAMSnapshot(FrameStore& frames, PageTree tree) : frames_(frames), tree_(std::move(tree)) {}
    RAMSnapshot(const RAMSnapshot&) = delete;
    RAMSnapshot& operator=(const RAMSnapshot&) = delete;

    // The page's contents.
    const u8* page(u64 page_number) const {
        const Frame* frame = tree_.frame(page_number);
        return frame == nullptr ? frames_.zero_page() : frame->data;
    }
    const PageTree& tree() const { return tree_; }
    u64 page_count() const { return tree_.page_count(); }
    // Hashes what was not hashed yet.
    Digest digest() const { return tree_.digest(); }

  private:
    FrameStore& frames_;
    const PageTree tree_;
};

class RAM final : public cpu::PhysicalMemory, public GuestMemory {
  public:
    // `size` in bytes, a multiple of 2 MiB.
    RAM(FrameStore& frames, u64 size);
    ~RAM() override;
    RAM(const RAM&) = delete;
    RAM& operator=(const RAM&) = delete;

    void set_observer(cpu::PageObserver& observer) { observer_ = &observer; }

    u64 size() const { return size_; }

    // PhysicalMemory.
    u64 page_count() const override { return slots_.size(); }
    const u8* read_page(u64 page_number) override {
        return page_number < slots_.size() && slots_[page_number] != nullptr
                   ? slots_[page_number]->data
                   : nullptr;
    }
    u8* write_page(u64 page_number) override {
        if (page_number < states_.size() && states_[page_number] == State::kDirty)
            return slots_[page_number]->data;
        return make_dirty(page_number);
    }

    // GuestMemory.
    bool read(PhysicalAddress address, std::span<u8> bytes) const override;
    bool write(PhysicalAddress address, std::span<const u8> bytes) override;

    // The digest of the present contents; afterwards no page is dirty.
    Digest digest();
    // Shares all pages with a snapshot; afterwards no page is private.
    std::shared_ptr<const RAMSnapshot> snapshot();
    // Goes back (or over) to a snapshot of a RAM of the same size and the same frame store.
    void restore(std::shared_ptr<const RAMSnapshot> snapshot);
    // Replaces pages by frames, in ascending order (one reference of each is taken over): loading
    // an image. Afterwards no page is private.
    void place(std::span<const PageTree::Change> pages);

    // Pages that were made private since the last snapshot or restore.
    u64 private_count() const { return private_pages_.size(); }

  private:
    enum class State : u8 { kShared, kClean, kDirty, kHole };

    // A page that was written since it was last shared.
    struct Private {
        u64 page_number = 0;
        Frame* shared = nullptr;  // what the parent has there
    };

    u8* make_dirty(u64 page_number);
    bool contains(u64 address, u64 size) const;
    void replace(u64 page_number, Frame* frame);

    FrameStore& frames_;
    const u64 size_;
    cpu::PageObserver* observer_ = nullptr;
    std::vector<Frame*> slots_;  // null in the hole
    std::vector<State> states_;
    std::vector<u64> dirty_pages_;
    std::vector<Private> private_pages_;
    std::shared_ptr<const RAMSnapshot> parent_;
    // What the private pages add to the parent's digest, but for what happened to the dirty ones
    // since they were hashed.
    Digest private_sum_;
};

}  // namespace uchronia::memory
