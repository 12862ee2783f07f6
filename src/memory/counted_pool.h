// Objects with reference counts that lie beside them, not in them: to retain the neighbours in a
// node, which mostly were made one after the other, touches a line or two of the host's cache.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>
#include <vector>

#include "base/check.h"
#include "base/types.h"

namespace uchronia::memory {

template <class T>
class CountedPool {
  public:
    CountedPool() = default;
    CountedPool(const CountedPool&) = delete;
    CountedPool& operator=(const CountedPool&) = delete;
    // What is still in use dies too, without its destructor.
    ~CountedPool() {
        for (Block* block : blocks_)
            std::free(block);
    }

    // With one reference. The contents are those of its last life, or T's initial ones.
    T* allocate() {
        if (free_.empty())
            add_block();
        T* object = free_.back();
        free_.pop_back();
        references_of(object) = 1;
        ++live_count_;
        return object;
    }
    static void retain(T* object) { ++references_of(object); }
    // True if that was the last reference: it is free, and may be read until the next allocate().
    bool release(T* object) {
        u32& references = references_of(object);
        CHECK(references != 0);
        if (--references != 0)
            return false;
        free_.push_back(object);
        --live_count_;
        return true;
    }
    u64 live_count() const { return live_count_; }

  private:
    static constexpr std::size_t kBlockSize = std::size_t{1} << 16;  // and its alignment
    static constexpr std::size_t kCount = kBlockSize / (sizeof(T) + sizeof(u32)) - 1;
    struct Block {
        T objects[kCount];
        u32 references[kCount] = {};
    };
    static_assert(sizeof(Block) <= kBlockSize);

    static u32& references_of(const T* object) {
        const std::size_t address = reinterpret_cast<std::size_t>(object);
        Block* block = reinterpret_cast<Block*>(address & ~(kBlockSize - 1));
        return block->references[object - block->objects];
    }
    void add_block() {
        void* memory = std::aligned_alloc(kBlockSize, kBlockSize);
        CHECK(memory != nullptr);
        Block* block = new (memory) Block;
        blocks_.push_back(block);
        for (std::size_t i = kCount; i-- > 0;)
            free_.push_back(&block->objects[i]);
    }

    std::vector<Block*> blocks_;
    std::vector<T*> free_;
    u64 live_count_ = 0;
};

}  // namespace uchronia::memory
