// A map from page numbers to frames that never changes: a persistent radix tree.
//
// A tree that is made from another one shares all of it but the paths to the pages that differ. So
// it costs what differs, however large the RAM is and however many trees there are; and two trees
// are compared by walking where they do not share. Nodes know the digest of what is below them once
// it was asked for.
//
// Driscoll, Sarnak, Sleator, Tarjan: Making data structures persistent (1989), path copying.
#pragma once

#include <span>

#include "base/hash.h"
#include "base/types.h"
#include "memory/frame_store.h"

namespace uchronia::memory {

// What a page adds to the digest of RAM: nothing if it is all zeros.
Digest page_digest(u64 page_number, Digest contents, Digest zero_contents);

// Hashes a frame that nobody writes any more, unless it is hashed.
void ensure_hashed(Frame& frame);

class PageTree {
  public:
    struct Change {
        u64 page_number = 0;
        Frame* frame = nullptr;  // null: zeros
    };

    // All zeros.
    PageTree(FrameStore& frames, u64 page_count);
    ~PageTree();
    PageTree(PageTree&& other) noexcept;
    PageTree& operator=(PageTree&&) = delete;

    // With other frames at some pages, in ascending order, each once. Takes references of its own.
    PageTree with(std::span<const Change> changes) const;

    // Null: zeros.
    Frame* frame(u64 page_number) const;
    u64 page_count() const { return page_count_; }
    // Sum modulo 2^128 of page_digest of all pages.
    Digest digest() const;

    // Calls with the number of each page at which the two have other frames, and with the frame
    // (null: zeros) that `to` has there; in ascending order.
    template <class Function>
    static void for_each_difference(const PageTree& from, const PageTree& to, Function function) {
        compare(from.root_, to.root_, from.levels_, 0, function);
    }

  private:
    PageTree(FrameStore& frames, u64 page_count, unsigned levels, PageNode* root)
        : frames_(frames), page_count_(page_count), levels_(levels), root_(root) {}

    PageNode* copy(const PageNode* node, unsigned level, std::span<const Change> changes) const;
    void release(PageNode* node, unsigned level);
    Digest sum_of(PageNode* node, unsigned level, u64 first) const;

    // `level` 1: the children are frames.
    static u64 pages_below(unsigned level) { return u64{1} << (PageNode::kBits * level); }
    static unsigned index_of(u64 page_number, unsigned level) {
        return (page_number >> (PageNode::kBits * (level - 1))) & (PageNode::kChildren - 1);
    }

    template <class Function>
    static void compare(const PageNode* from, const PageNode* to, unsigned level, u64 first,
                        Function& function) {
        if (from == to)
            return;
        for (unsigned i = 0; i < PageNode::kChildren; ++i) {
            void* const a = from == nullptr ? nullptr : from->children[i];
            void* const b = to == nullptr ? nullptr : to->children[i];
            if (a == b)
                continue;
            const u64 page = first + i * pages_below(level - 1);
            if (level == 1)
                function(page, static_cast<Frame*>(b));
            else
                compare(static_cast<PageNode*>(a), static_cast<PageNode*>(b), level - 1, page,
                        function);
        }
    }

    FrameStore& frames_;
    u64 page_count_;
    unsigned levels_;
    PageNode* root_;  // null: all zeros
};

}  // namespace uchronia::memory
