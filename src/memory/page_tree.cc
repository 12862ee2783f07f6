#include "memory/page_tree.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace uchronia::memory {

Digest page_digest(u64 page_number, Digest contents, Digest zero_contents) {
    if (contents == zero_contents)
        return {};
    const u64 key[3] = {contents.low, contents.high, page_number};
    return digest_of({reinterpret_cast<const u8*>(key), sizeof key});
}

void ensure_hashed(Frame& frame) {
    if (frame.hashed)
        return;
    frame.hash = digest_of(std::span<const u8>(frame.data, kPageSize));
    frame.hashed = true;
}

PageTree::PageTree(FrameStore& frames, u64 page_count)
    : frames_(frames), page_count_(page_count), levels_(1), root_(nullptr) {
    while (pages_below(levels_) < page_count)
        ++levels_;
}

PageTree::PageTree(PageTree&& other) noexcept
    : PageTree(other.frames_, other.page_count_, other.levels_,
               std::exchange(other.root_, nullptr)) {}

PageTree::~PageTree() {
    if (root_ != nullptr)
        release(root_, levels_);
}

void PageTree::release(PageNode* node, unsigned level) {
    if (!frames_.nodes().release(node))
        return;
    for (void* child : node->children) {
        if (child == nullptr)
            continue;
        if (level == 1)
            frames_.release(static_cast<Frame*>(child));
        else
            release(static_cast<PageNode*>(child), level - 1);
    }
}

PageTree PageTree::with(std::span<const Change> changes) const {
    CHECK(changes.empty() || changes.back().page_number < page_count_);
    PageNode* root = root_;
    if (!changes.empty())
        root = copy(root_, levels_, changes);
    else if (root != nullptr)
        CountedPool<PageNode>::retain(root);
    return PageTree(frames_, page_count_, levels_, root);
}

// `node` with the changes, all of which lie below it.
PageNode* PageTree::copy(const PageNode* node, unsigned level,
                         std::span<const Change> changes) const {
    PageNode* result = frames_.nodes().allocate();
    result->has_sum = false;
    auto change = changes.begin();
    for (unsigned i = 0; i < PageNode::kChildren; ++i) {
        void* const child = node == nullptr ? nullptr : node->children[i];
        const auto begin = change;
        while (change != changes.end() && index_of(change->page_number, level) == i)
            ++change;
        if (begin == change) {
            result->children[i] = child;
            if (child == nullptr)
                continue;
            if (level == 1)
                frames_.retain(static_cast<Frame*>(child));
            else
                CountedPool<PageNode>::retain(static_cast<PageNode*>(child));
        } else if (level == 1) {
            result->children[i] = begin->frame;
            if (begin->frame != nullptr)
                frames_.retain(begin->frame);
        } else {
            result->children[i] = copy(static_cast<PageNode*>(child), level - 1, {begin, change});
        }
    }
    return result;
}

Frame* PageTree::frame(u64 page_number) const {
    const PageNode* node = root_;
    for (unsigned level = levels_; level > 1 && node != nullptr; --level)
        node = static_cast<const PageNode*>(node->children[index_of(page_number, level)]);
    return node == nullptr ? nullptr
                           : static_cast<Frame*>(node->children[index_of(page_number, 1)]);
}

Digest PageTree::digest() const {
    return root_ == nullptr ? Digest() : sum_of(root_, levels_, 0);
}

Digest PageTree::sum_of(PageNode* node, unsigned level, u64 first) const {
    if (node->has_sum)
        return node->sum;
    Digest result;
    for (unsigned i = 0; i < PageNode::kChildren; ++i) {
        void* const child = node->children[i];
        if (child == nullptr)
            continue;
        const u64 page = first + i * pages_below(level - 1);
        if (level == 1) {
            Frame& frame = *static_cast<Frame*>(child);
            ensure_hashed(frame);
            result = sum(result, page_digest(page, frame.hash, frames_.zero_hash()));
        } else {
            result = sum(result, sum_of(static_cast<PageNode*>(child), level - 1, page));
        }
    }
    node->sum = result;
    node->has_sum = true;
    return result;
}

}  // namespace uchronia::memory
