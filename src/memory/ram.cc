#include "memory/ram.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace uchronia::memory {

RAM::RAM(FrameStore& frames, u64 size) : frames_(frames), size_(size) {
    CHECK(size != 0 && size % (u64{2} << 20) == 0);
    const u64 end = size <= kHoleStart ? size : size + (kHoleEnd - kHoleStart);
    slots_.assign(end >> kPageBits, nullptr);
    states_.assign(slots_.size(), State::kHole);
    for (u64 page = 0; page < slots_.size(); ++page) {
        const u64 address = page << kPageBits;
        if (address >= kHoleStart && address < kHoleEnd)
            continue;
        slots_[page] = frames_.zero();
        states_[page] = State::kShared;
    }
    parent_ = std::make_shared<RAMSnapshot>(frames_, PageTree(frames_, slots_.size()));
}

RAM::~RAM() {
    for (Frame* frame : slots_) {
        if (frame != nullptr)
            frames_.release(frame);
    }
}

u8* RAM::make_dirty(u64 page_number) {
    if (page_number >= slots_.size())
        return nullptr;
    switch (states_[page_number]) {
        case State::kHole:
            return nullptr;
        case State::kShared: {
            Frame* shared = slots_[page_number];
            Frame* copy = frames_.allocate();
            std::memcpy(copy->data, shared->data, kPageSize);
            frames_.release(shared);  // the parent has it too
            slots_[page_number] = copy;
            private_pages_.push_back({page_number, shared});
            if (observer_ != nullptr)
                observer_->page_moved(page_number);
            break;
        }
        case State::kClean:
        case State::kDirty:
            break;
    }
    if (states_[page_number] != State::kDirty)
        dirty_pages_.push_back(page_number);
    states_[page_number] = State::kDirty;
    return slots_[page_number]->data;
}

bool RAM::contains(u64 address, u64 size) const {
    const u64 end = slots_.size() << kPageBits;
    if (address >= end || size > end - address)
        return false;
    return address + size <= kHoleStart || address >= kHoleEnd;
}

bool RAM::read(PhysicalAddress address, std::span<u8> bytes) const {
    if (!contains(address.value, bytes.size()))
        return false;
    for (u64 done = 0; done < bytes.size();) {
        const u64 at = address.value + done;
        const u64 part = std::min<u64>(bytes.size() - done, kPageSize - (at & kPageMask));
        std::memcpy(bytes.data() + done, slots_[at >> kPageBits]->data + (at & kPageMask), part);
        done += part;
    }
    return true;
}

bool RAM::write(PhysicalAddress address, std::span<const u8> bytes) {
    if (!contains(address.value, bytes.size()))
        return false;
    for (u64 done = 0; done < bytes.size();) {
        const u64 at = address.value + done;
        const u64 offset = at & kPageMask;
        const u64 part = std::min<u64>(bytes.size() - done, kPageSize - offset);
        std::memcpy(write_page(at >> kPageBits) + offset, bytes.data() + done, part);
        if (observer_ != nullptr)
            observer_->page_written(at >> kPageBits, offset, part);
        done += part;
    }
    return true;
}

Digest RAM::digest() {
    const Digest zero = frames_.zero_hash();
    const Digest parent = parent_->digest();  // all of its frames are hashed now
    for (const u64 page : dirty_pages_) {
        Frame& frame = *slots_[page];
        // What the sum has of it: what it was when it was hashed last, or the parent's.
        const Frame* shared = frame.hashed ? nullptr : parent_->tree().frame(page);
        const Digest before = frame.hashed ? frame.hash : shared != nullptr ? shared->hash : zero;
        frame.hashed = false;
        ensure_hashed(frame);
        private_sum_ = sum(difference(private_sum_, page_digest(page, before, zero)),
                           page_digest(page, frame.hash, zero));
        states_[page] = State::kClean;
        if (observer_ != nullptr)
            observer_->page_protected(page);
    }
    dirty_pages_.clear();
    return sum(parent, private_sum_);
}

std::shared_ptr<const RAMSnapshot> RAM::snapshot() {
    if (private_pages_.empty())
        return parent_;
    std::sort(private_pages_.begin(), private_pages_.end(),
              [](const Private& a, const Private& b) { return a.page_number < b.page_number; });
    std::vector<PageTree::Change> changes;
    changes.reserve(private_pages_.size());
    for (const Private& page : private_pages_) {
        Frame* frame = slots_[page.page_number];
        changes.push_back({page.page_number, frame});
        State& state = states_[page.page_number];
        if (state == State::kDirty) {
            frame->hashed = false;
            if (observer_ != nullptr)
                observer_->page_protected(page.page_number);
        }
        state = State::kShared;
    }
    parent_ = std::make_shared<RAMSnapshot>(frames_, parent_->tree().with(changes));
    private_pages_.clear();
    dirty_pages_.clear();
    private_sum_ = {};
    return parent_;
}

// By a frame that a snapshot has; null: zeros.
void RAM::replace(u64 page_number, Frame* frame) {
    if (frame == nullptr)
        frame = frames_.zero();
    else
        frames_.retain(frame);
    Frame* before = slots_[page_number];
    slots_[page_number] = frame;
    states_[page_number] = State::kShared;
    if (observer_ != nullptr)
        observer_->page_replaced(page_number, before->data);
    frames_.release(before);
}

void RAM::restore(std::shared_ptr<const RAMSnapshot> snapshot) {
    CHECK(snapshot->page_count() == slots_.size());
    const bool is_parent = snapshot == parent_;
    for (const Private& page : private_pages_)
        replace(page.page_number,
                is_parent ? page.shared : snapshot->tree().frame(page.page_number));
    private_pages_.clear();
    dirty_pages_.clear();
    private_sum_ = {};
    PageTree::for_each_difference(parent_->tree(), snapshot->tree(), [&](u64 page, Frame* frame) {
        if (slots_[page] != frame)
            replace(page, frame);
    });
    parent_ = std::move(snapshot);
}

void RAM::place(std::span<const PageTree::Change> pages) {
    snapshot();
    auto placed = std::make_shared<RAMSnapshot>(frames_, parent_->tree().with(pages));
    for (const PageTree::Change& page : pages)
        frames_.release(page.frame);
    restore(std::move(placed));
}

}  // namespace uchronia::memory
