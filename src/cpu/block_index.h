// The blocks of a page by a number made of offset and mode: open addressing, at most half full.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "base/types.h"

namespace uchronia::cpu {

// `kNone` is no block.
template <class Block, Block kNone>
class BlockIndex {
  public:
    Block find(u32 key) const { return slots_.empty() ? kNone : slots_[place_of(key)].block; }

    // The key must be new.
    void add(u32 key, Block block) {
        ++count_;
        if (2 * count_ > slots_.size()) {
            const std::vector<Slot> old = std::move(slots_);
            slots_.assign(std::max<std::size_t>(16, 2 * old.size()), {});
            for (const Slot& slot : old) {
                if (slot.block != kNone)
                    slots_[place_of(slot.key)] = slot;
            }
        }
        slots_[place_of(key)] = {key, block};
    }

  private:
    struct Slot {
        u32 key = 0;
        Block block = kNone;
    };

    std::size_t place_of(u32 key) const {
        const std::size_t mask = slots_.size() - 1;
        std::size_t place = (key * 0x9e3779b1u >> 12) & mask;
        while (slots_[place].block != kNone && slots_[place].key != key)
            place = (place + 1) & mask;
        return place;
    }

    std::vector<Slot> slots_;
    std::size_t count_ = 0;
};

}  // namespace uchronia::cpu
