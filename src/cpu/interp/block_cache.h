// Decoded blocks by physical page.
//
// A block is up to kMostOps instructions of one page that run one after another: it ends at a
// branch or other kEnd row, before a kAlone row (which is a block by itself), and before an
// instruction that crosses into the next page. Blocks hold nothing about where their page is
// mapped.
//
// Invariant: a block exists only while the bytes that it was decoded from are unchanged; the MMU
// reports every store to a line that MMU::mark_code named.
#pragma once

#include <memory>
#include <vector>

#include "cpu/block_index.h"
#include "cpu/decode/decoder.h"
#include "cpu/execution.h"
#include "cpu/mmu/mmu.h"
#include "cpu/op.h"

namespace uchronia::cpu::interp {

inline constexpr u32 kMostOps = 32;

// Followed in memory by its Ops: `count` instructions, and an end-of-block Op after the last.
struct alignas(32) Block {
    struct Deleter {
        void operator()(Block* block) const;
    };
    using Owner = std::unique_ptr<Block, Deleter>;

    static Owner create(u32 count);
    Op* ops() { return reinterpret_cast<Op*>(this + 1); }
    const Op* ops() const { return reinterpret_cast<const Op*>(this + 1); }

    u32 count = 0;       // instructions, that is ticks
    bool alone = false;  // one kAlone instruction
    bool live = true;    // false: its code has changed; collect() frees it
    CodeMode mode = CodeMode::k64;
};

class BlockCache final : public CodeObserver {
  public:
    explicit BlockCache(MMU& mmu) : mmu_(mmu) { mmu.add_code_observer(*this); }

    // The block at `offset` of a page if it has been decoded, else null.
    const Block* find(u64 page_number, u16 offset, CodeMode mode) const;
    // Decodes the block at `offset` of the page with the contents `bytes`; null if its first
    // instruction crosses into the next page.
    const Block* decode_new(u64 page_number, const u8* bytes, u16 offset, CodeMode mode);

    // Changes whenever all blocks of a page are dropped; 0 if it has none.
    u64 generation_of(u64 page_number) const {
        return page_number < pages_.size() && pages_[page_number] != nullptr
                   ? pages_[page_number]->generation
                   : 0;
    }

    void code_changed(u64 page_number) override;
    void drop_all();

    // Dropped blocks stay in memory, marked as not live, until nobody can hold a pointer to them:
    // the engine calls collect() between two blocks, and forgets its pointers first.
    bool wants_collection() const { return garbage_ops_ > kMostGarbageOps; }
    void collect();

    u64 decoded_count() const { return decoded_count_; }

  private:
    static constexpr u64 kMostGarbageOps = u64{1} << 18;

    // The blocks of a page by offset and mode.
    class CodePage {
      public:
        explicit CodePage(u64 generation_) : generation(generation_) {}

        Block* find(u32 key) const { return index_.find(key); }
        void add(u32 key, Block::Owner block) {
            index_.add(key, block.get());
            blocks_.push_back(std::move(block));
        }
        const std::vector<Block::Owner>& blocks() const { return blocks_; }
        std::vector<Block::Owner> take_blocks() { return std::move(blocks_); }

        const u64 generation;

      private:
        BlockIndex<Block*, nullptr> index_;
        std::vector<Block::Owner> blocks_;
    };

    Block::Owner decode_block(const u8* bytes, u16 offset, CodeMode mode);
    void discard(std::unique_ptr<CodePage> page);

    MMU& mmu_;
    std::vector<std::unique_ptr<CodePage>> pages_;  // by page number; grows as needed
    std::vector<Block::Owner> garbage_;
    u64 live_ops_ = 0;
    u64 garbage_ops_ = 0;
    u64 decoded_count_ = 0;
    u64 last_generation_ = 0;
};

// Turns what the decoder found into an Op that can be run.
Op bound_op(const Decoded& decoded);
// The Op that ends a block which no instruction ends: sets RIP to `offset` of the page.
Op end_of_block(u16 offset);
// An Op that raises the fault of an instruction that cannot be decoded (over 15 bytes: #GP).
Op too_long_op(u16 offset);

}  // namespace uchronia::cpu::interp
