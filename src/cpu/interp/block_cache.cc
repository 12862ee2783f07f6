#include "cpu/interp/block_cache.h"

#include <algorithm>
#include <array>
#include <new>

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

u32 key_of(u16 offset, CodeMode mode) {
    return offset | static_cast<u32>(mode) << 16;
}

}  // namespace

Block::Owner Block::create(u32 count) {
    const std::size_t size = sizeof(Block) + (count + 1) * sizeof(Op);
    Owner block(new (::operator new (size, std::align_val_t{alignof(Block)})) Block);
    block->count = count;
    return block;
}

void Block::Deleter::operator()(Block* block) const {
    ::operator delete (block, std::align_val_t{alignof(Block)});
}

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

Block::Owner BlockCache::decode_block(const u8* bytes, u16 offset, CodeMode mode) {
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
    Block::Owner block = Block::create(count);
    block->alone = alone;
    block->mode = mode;
    std::copy_n(ops.begin(), count, block->ops());
    block->ops()[count] = end_of_block(static_cast<u16>(at));
    return block;
}

const Block* BlockCache::find(u64 page_number, u16 offset, CodeMode mode) const {
    if (page_number >= pages_.size() || pages_[page_number] == nullptr)
        return nullptr;
    return pages_[page_number]->find(key_of(offset, mode));
}

const Block* BlockCache::decode_new(u64 page_number, const u8* bytes, u16 offset, CodeMode mode) {
    Block::Owner block = decode_block(bytes, offset, mode);
    if (block == nullptr)
        return nullptr;
    if (live_ops_ > kMostLiveOps)
        drop_all();
    live_ops_ += block->count;
    decoded_count_ += block->count;
    const Op& last = block->ops()[block->count - 1];
    const u32 length = last.length != 0 ? last.length : kLongestInstruction;  // too long
    const u32 end = std::min<u32>(last.offset + length, static_cast<u32>(kPageSize));
    mmu_.mark_code(page_number, lines_of(offset, end - offset));
    if (page_number >= pages_.size())
        pages_.resize(std::max(page_number + 1, u64{2} * pages_.size()));
    if (pages_[page_number] == nullptr)
        pages_[page_number] = std::make_unique<CodePage>(++last_generation_);
    const Block* result = block.get();
    pages_[page_number]->add(key_of(offset, mode), std::move(block));
    return result;
}

void BlockCache::discard(std::unique_ptr<CodePage> page) {
    if (page == nullptr)
        return;
    for (Block::Owner& block : page->take_blocks()) {
        block->live = false;
        live_ops_ -= block->count;
        garbage_ops_ += block->count;
        garbage_.push_back(std::move(block));
    }
}

void BlockCache::code_changed(u64 page_number) {
    if (page_number < pages_.size())
        discard(std::move(pages_[page_number]));
}

void BlockCache::drop_all() {
    for (std::unique_ptr<CodePage>& page : pages_)
        discard(std::move(page));
}

void BlockCache::collect() {
    garbage_.clear();
    garbage_ops_ = 0;
}

}  // namespace uchronia::cpu::interp
