#include "memory/ram.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace uchronia::memory {

Digest page_digest(u64 page_number, Digest contents, Digest zero_contents) {
    if (contents == zero_contents)
        return {};
    const u64 key[3] = {contents.low, contents.high, page_number};
    return digest_of({reinterpret_cast<const u8*>(key), sizeof key});
}

RAMSnapshot::~RAMSnapshot() {
    for (Leaf* leaf : leaves_) {
        if (--leaf->references != 0)
            continue;
        for (Frame* frame : leaf->frames) {
            if (frame != nullptr)
                frames_.release(frame);
        }
        delete leaf;
    }
}

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
            copy->hash = shared->hash;
            frames_.release(shared);
            slots_[page_number] = copy;
            private_pages_.push_back(page_number);
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
    for (const u64 page : dirty_pages_) {
        Frame& frame = *slots_[page];
        const Digest now = digest_of(std::span<const u8>(frame.data, kPageSize));
        digest_ = sum(difference(digest_, page_digest(page, frame.hash, zero)),
                      page_digest(page, now, zero));
        frame.hash = now;
        states_[page] = State::kClean;
        if (observer_ != nullptr)
            observer_->page_protected(page);
    }
    dirty_pages_.clear();
    return digest_;
}

std::shared_ptr<const RAMSnapshot> RAM::snapshot() {
    digest();
    if (private_pages_.empty() && parent_ != nullptr)
        return parent_;
    auto result = std::make_shared<RAMSnapshot>(frames_);
    result->page_count_ = slots_.size();
    result->digest_ = digest_;
    const u64 leaf_count = (slots_.size() + RAMSnapshot::kLeafPages - 1) / RAMSnapshot::kLeafPages;
    result->leaves_.assign(leaf_count, nullptr);
    std::sort(private_pages_.begin(), private_pages_.end());
    auto changed = private_pages_.begin();
    for (u64 i = 0; i < leaf_count; ++i) {
        const u64 first = i * RAMSnapshot::kLeafPages;
        const u64 end = std::min<u64>(first + RAMSnapshot::kLeafPages, slots_.size());
        const bool same = changed == private_pages_.end() || *changed >= end;
        if (same && parent_ != nullptr) {
            result->leaves_[i] = parent_->leaves_[i];
            ++result->leaves_[i]->references;
            continue;
        }
        auto* leaf = new RAMSnapshot::Leaf;
        for (u64 page = first; page < end; ++page) {
            leaf->frames[page - first] = slots_[page];
            if (slots_[page] != nullptr)
                frames_.retain(slots_[page]);
        }
        result->leaves_[i] = leaf;
        while (changed != private_pages_.end() && *changed < end)
            ++changed;
    }
    for (const u64 page : private_pages_)
        states_[page] = State::kShared;
    private_pages_.clear();
    parent_ = result;
    return result;
}

void RAM::replace(u64 page_number, Frame* frame) {
    const bool same_contents =
        states_[page_number] != State::kDirty && slots_[page_number]->hash == frame->hash;
    frames_.retain(frame);
    frames_.release(slots_[page_number]);
    slots_[page_number] = frame;
    states_[page_number] = State::kShared;
    if (observer_ == nullptr)
        return;
    observer_->page_moved(page_number);
    if (!same_contents)
        observer_->page_written(page_number, 0, kPageSize);
}

void RAM::restore(std::shared_ptr<const RAMSnapshot> snapshot) {
    CHECK(snapshot->page_count() == slots_.size());
    for (const u64 page : private_pages_)
        replace(page, snapshot->frame(page));
    private_pages_.clear();
    dirty_pages_.clear();
    for (u64 i = 0; i < snapshot->leaves_.size(); ++i) {
        if (parent_ != nullptr && parent_->leaves_[i] == snapshot->leaves_[i])
            continue;
        const u64 first = i * RAMSnapshot::kLeafPages;
        const u64 end = std::min<u64>(first + RAMSnapshot::kLeafPages, slots_.size());
        for (u64 page = first; page < end; ++page) {
            if (slots_[page] != snapshot->frame(page))
                replace(page, snapshot->frame(page));
        }
    }
    digest_ = snapshot->digest();
    parent_ = std::move(snapshot);
}

void RAM::place(u64 page_number, Frame* frame) {
    CHECK(page_number < slots_.size() && states_[page_number] == State::kShared);
    const Digest zero = frames_.zero_hash();
    digest_ = sum(difference(digest_, page_digest(page_number, slots_[page_number]->hash, zero)),
                  page_digest(page_number, frame->hash, zero));
    frames_.release(slots_[page_number]);
    slots_[page_number] = frame;
    if (parent_ != nullptr)
        private_pages_.push_back(page_number);  // it differs from the last snapshot
    if (observer_ == nullptr)
        return;
    observer_->page_moved(page_number);
    observer_->page_written(page_number, 0, kPageSize);
}

}  // namespace uchronia::memory
