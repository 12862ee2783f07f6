#include "cpu/interp/block_cache.h"

#include <algorithm>
#include <array>

#include "cpu/interp/handlers.h"
#include "cpu/vcpu.h"

namespace uchronia::cpu::interp {
namespace {

// About 256 MiB of Ops: then everything is decoded again.
constexpr u64 kMostLiveOps = u64{8} << 20;

void run_end_of_block(VCPU& cpu, const Op* op) {
    cpu.state.rip = cpu.address_of(op);
}

void run_too_long(VCPU& cpu, const Op* op) {
    cpu.raise(op, Vector::kGP);
}

u64 lines_between(u16 first, u32 end) {
    return (~u64{0} << (first / 64)) & (~u64{0} >> (63 - (end - 1) / 64));
}

}  // namespace

Op bound_op(const Decoded& decoded) {
    Op op = decoded.op;
    op.handler = handler_for(decoded);
    return op;
}

Op end_of_block(u16 offset) {
    Op op{};
    op.handler = run_end_of_block;
    op.offset = offset;
    return op;
}

Op too_long_op(u16 offset) {
    Op op{};
    op.handler = run_too_long;
    op.offset = offset;
    return op;
}

std::unique_ptr<Block> BlockCache::decode_block(const u8* bytes, u16 offset, CodeMode mode) {
    std::array<Op, kMostOps + 1> ops;
    u32 count = 0;
    u32 at = offset;
    bool ended = false;
    bool alone = false;
    while (!ended && count < kMostOps && at < kPageSize) {
        Decoded decoded;
        const DecodeStatus status =
            decode({bytes + at, kPageSize - at}, mode, static_cast<u16>(at), decoded);
        if (status == DecodeStatus::kNeedsMore)
            break;
        if (status == DecodeStatus::kTooLong) {
            ops[count++] = too_long_op(static_cast<u16>(at));
            ended = true;
            at = static_cast<u32>(kPageSize);
            break;
        }
        const bool is_alone = (decoded.attributes & attribute::kAlone) != 0;
        if (is_alone && count != 0)
            break;
        ops[count++] = bound_op(decoded);
        at += decoded.op.length;
        alone = is_alone;
        ended = is_alone || decoded.instruction == Instruction::kUndefined ||
                (decoded.attributes & attribute::kEnd) != 0;
    }
    if (count == 0)
        return nullptr;
    auto block = std::make_unique<Block>();
    block->count = count;
    block->alone = alone;
    block->ops = std::make_unique<Op[]>(count + 1);
    std::copy_n(ops.begin(), count, block->ops.get());
    block->ops[count] = end_of_block(static_cast<u16>(at));
    return block;
}

const Block* BlockCache::find(u64 page_number, const u8* bytes, u16 offset, CodeMode mode) {
    const u32 key = offset | static_cast<u32>(mode) << 16;
    const auto page = pages_.find(page_number);
    if (page != pages_.end()) {
        const auto block = page->second.blocks.find(key);
        if (block != page->second.blocks.end())
            return block->second.get();
    }
    std::unique_ptr<Block> block = decode_block(bytes, offset, mode);
    if (block == nullptr)
        return nullptr;
    if (live_ops_ > kMostLiveOps)
        drop_all();
    live_ops_ += block->count;
    decoded_count_ += block->count;
    const Op& last = block->ops[block->count - 1];
    const u32 end =
        std::min<u32>(last.offset + std::max<u32>(last.length, 1), static_cast<u32>(kPageSize));
    mmu_.mark_code(page_number, lines_between(offset, end));
    return pages_[page_number].blocks.emplace(key, std::move(block)).first->second.get();
}

void BlockCache::code_changed(u64 page_number) {
    const auto page = pages_.find(page_number);
    if (page == pages_.end())
        return;
    for (const auto& [key, block] : page->second.blocks)
        live_ops_ -= block->count;
    pages_.erase(page);
}

void BlockCache::drop_all() {
    pages_.clear();
    live_ops_ = 0;
}

}  // namespace uchronia::cpu::interp
