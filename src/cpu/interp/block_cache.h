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
#include <unordered_map>
#include <vector>

#include "cpu/decode/decoder.h"
#include "cpu/mmu/mmu.h"
#include "cpu/op.h"

namespace uchronia::cpu::interp {

inline constexpr u32 kMostOps = 32;

struct Block {
    u32 count = 0;              // instructions, that is ticks
    bool alone = false;         // one kAlone instruction
    std::unique_ptr<Op[]> ops;  // followed by an end-of-block Op unless the last one ends the block
};

class BlockCache final : public CodeObserver {
  public:
    explicit BlockCache(MMU& mmu) : mmu_(mmu) { mmu.set_code_observer(*this); }

    // The block at `offset` of the page with the contents `bytes`; null if its first instruction
    // crosses into the next page (decode_across then).
    const Block* find(u64 page_number, const u8* bytes, u16 offset, CodeMode mode);

    void code_changed(u64 page_number) override;
    void drop_all();

    u64 decoded_count() const { return decoded_count_; }

  private:
    struct CodePage {
        std::unordered_map<u32, std::unique_ptr<Block>> blocks;  // by offset and mode
    };
    std::unique_ptr<Block> decode_block(const u8* bytes, u16 offset, CodeMode mode);

    MMU& mmu_;
    std::unordered_map<u64, CodePage> pages_;
    u64 live_ops_ = 0;
    u64 decoded_count_ = 0;
};

// Turns what the decoder found into an Op that can be run.
Op bound_op(const Decoded& decoded);
// The Op that ends a block which no instruction ends: sets RIP to `offset` of the page.
Op end_of_block(u16 offset);
// An Op that raises the fault of an instruction that cannot be decoded (over 15 bytes: #GP).
Op too_long_op(u16 offset);

}  // namespace uchronia::cpu::interp
