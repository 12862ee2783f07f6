#include "cpu/jit/block_translator.h"

#include <algorithm>

#include "cpu/decode/flag_use.h"
#include "cpu/jit/frame_layout.h"

namespace uchronia::cpu::jit {

using namespace frame;

namespace {

constexpr i64 kMostDistance = 0x7fff'0000;  // of a branch to another page
}  // namespace

CrossingBytes::CrossingBytes(const u8* page, u16 offset, const u8* next_page)
    : in_page(static_cast<unsigned>(kPageSize) - offset) {
    std::copy_n(page + offset, in_page, bytes.begin());
    std::copy_n(next_page, kLongestInstruction, bytes.begin() + in_page);
}

TranslatedBlock* BlockTranslator::translate(u16 offset, u64& lines) {
    return decode_items(offset) ? put_block(offset, lines) : nullptr;
}

TranslatedBlock* BlockTranslator::translate_crossing(u16 offset, SourcePage next, u64& lines) {
    crossing_ = CrossingBytes(page_.bytes, offset, next.bytes);
    next_page_number_ = next.number;
    return decode_crossing(offset) ? put_block(offset, lines) : nullptr;
}

TranslatedBlock* BlockTranslator::put_block(u16 offset, u64& lines) {
    lines_ |= lines_of(offset, std::min<u64>(end_, kPageSize) - offset);
    block_ = {.page_number = page_.number,
              .next_page_number = next_page_number_,
              .offset = offset,
              .end = end_,
              .count = static_cast<u8>(count_),
              .mode = static_cast<u8>(mode_),
              .alone = alone_};
    put_head();
    for (unsigned i = 0; i < count_; ++i)
        put_item(i);
    settle_stack();
    if (!ended_)
        put_edge(count_ - 1, end_);
    lines = lines_;
    block_.lines = lines_;
    return &store_.add(block_, hot_.here(), cold_.here());
}

// Finds the block's instructions, by the rules of the interpreter's blocks.
bool BlockTranslator::decode_items(u16 offset) {
    u32 at = offset;
    const auto ends_at = [this](u32 place) {
        return ends_ != nullptr && count_ != 0 &&
               std::find(ends_->begin(), ends_->end(), place) != ends_->end();
    };
    while (!ended_ && count_ < kMostInstructions && at < kPageSize && !ends_at(at)) {
        if (!add_item(page_.bytes + at, static_cast<unsigned>(kPageSize) - at,
                      static_cast<u16>(at)))
            break;
        at += items_[count_ - 1].decoded.op.length;
    }
    end_ = static_cast<u16>(at);
    return count_ != 0;
}

bool BlockTranslator::decode_crossing(u16 offset) {
    if (!add_item(crossing_.bytes.data(), crossing_.in_page + kLongestInstruction, offset))
        return false;
    end_ = static_cast<u16>(offset + items_[0].decoded.op.length);
    return true;
}

// Adds the instruction in `bytes`. False if the block ends before it.
bool BlockTranslator::add_item(const u8* bytes, unsigned size, u16 offset) {
    Item& item = items_[count_];
    const DecodeStatus status = decode({bytes, size}, CodeMode::k64, offset, item.decoded);
    if (status != DecodeStatus::kDone || item.decoded.instruction == Instruction::kUndefined)
        return false;
    const bool alone = (item.decoded.attributes & attribute::kAlone) != 0;
    if (alone && count_ != 0)
        return false;
    item.raw = take_apart(bytes, item.decoded.op.length);
    item.shape = &shape_of(item.decoded.instruction);
    item.offset = offset;
    item.kind = kind_of(item);
    ++count_;
    alone_ = alone;
    ended_ = alone || ((item.decoded.attributes & attribute::kEnd) != 0 &&
                       item.kind != Kind::kClearInterrupts);
    return true;
}

// Whether a branch within the page may lead there: not to an instruction that ends in another page.
bool BlockTranslator::can_link(i64 target) const {
    if (!is_in_page(target))
        return false;
    const u32 at = static_cast<u32>(target);
    if (at <= kPageSize - kLongestInstruction)
        return true;
    Decoded decoded;
    return decode({page_.bytes + at, kPageSize - at}, CodeMode::k64, static_cast<u16>(at),
                  decoded) != DecodeStatus::kNeedsMore;
}

Kind BlockTranslator::kind_of(const Item& item) {
    const Op& op = item.decoded.op;
    const Shape& shape = *item.shape;
    const bool memory = (op.flags & op_flag::kMemory) != 0;
    switch (shape.needs) {
        case Needs::kNothing:
            break;
        case Needs::kSSE:
            if ((mode_ & mode_bit::kSSE) == 0)
                return Kind::kHelper;
            break;
        case Needs::kAVX:
            if ((mode_ & mode_bit::kAVX) == 0)
                return Kind::kHelper;
            break;
        case Needs::kV3:
            if ((mode_ & mode_bit::kV3) == 0)
                return Kind::kHelper;
            break;
    }
    const i64 target = static_cast<i64>(op.immediate);
    const bool far = target < -kMostDistance || target > kMostDistance;
    const bool boundary = (mode_ & mode_bit::kBoundary) != 0;
    const bool kernel = (mode_ & mode_bit::kKernel) != 0;
    const bool operand16 = (op.flags & op_flag::kOperand16) != 0;
    switch (shape.kind) {
        case Kind::kNative:
            if (can_be_bit_string(item))
                return Kind::kBitString;
            return can_be_native(item) && can_be_fixed(item) ? Kind::kNative : Kind::kHelper;
        case Kind::kPush:
        case Kind::kPop:
        case Kind::kLeave:
        case Kind::kPushFlags:
            return operand16 ? Kind::kHelper : shape.kind;
        case Kind::kPushMemory:
            if (operand16)
                return Kind::kHelper;
            return memory ? Kind::kPushMemory : Kind::kPush;
        case Kind::kLEA:
            return Kind::kLEA;
        case Kind::kClearInterrupts:
            return kernel ? shape.kind : Kind::kHelperEnd;
        case Kind::kSwapGS:
            return kernel ? shape.kind : Kind::kHelper;
        case Kind::kSystem:
            if (can_be_system(item))
                return Kind::kSystem;
            return (item.decoded.attributes & (attribute::kEnd | attribute::kAlone)) != 0
                       ? Kind::kHelperEnd
                       : Kind::kHelper;
        case Kind::kMoveString:
        case Kind::kStoreString:
            return is_plain_string(item) ? shape.kind : Kind::kHelperEnd;
        case Kind::kJump:
        case Kind::kJumpIf:
        case Kind::kCall:
            return far || (boundary && !is_in_page(target)) ? Kind::kHelperEnd : shape.kind;
        default:
            return shape.kind;
    }
}

u8 BlockTranslator::live_at(u16 offset) {
    if (offset >= kPageSize)
        return kAllFlags;
    if (!live_is_known_[offset]) {
        const LiveFlags found = live_flags(std::span<const u8, kPageSize>(page_.bytes, kPageSize),
                                           offset, CodeMode::k64);
        live_is_known_[offset] = true;
        live_[offset] = found.live;
        lines_ |= found.lines;
    }
    return live_[offset];
}

void BlockTranslator::put_head() {
    block_.direct = hot_.here();
    flags_ = Where::kHost;
    const u8 live = live_before(0);
    if (live != 0 && wants_flags_in_host())
        return put_flagless_head();
    if (live != 0) {
        put_spill();
        flags_ = Where::kMemory;
    }
    block_.indirect = hot_.here();
    hot_.sub(kBudgetRegister, static_cast<i32>(count_));
    hot_.jump_if(condition::kSign, cold_.here());
    put_site(site_at(0, SiteKind::kHead));
    if ((mode_ & mode_bit::kPlain) == 0) {
        plan_stack();
        plan_groups();
    }
    if (stack_.count != 0)
        put_stack_range_check();
}

// For a block that reads the flags before it clobbers them: checks the budget without them.
void BlockTranslator::put_flagless_head() {
    hot_.lea(kBudgetRegister,
             Memory{.base = kBudgetRegister, .displacement = -static_cast<i32>(count_)});
    hot_.byte(0xb9);  // MOV ECX, 63
    hot_.value(u32{63});
    static constexpr u8 kShiftSign[] = {0xc4, 0xc2, 0xf3, 0xf7, 0xc8};  // SHRX RCX, R8, RCX
    hot_.bytes(kShiftSign, sizeof kShiftSign);
    hot_.byte(0xe3);  // JRCXZ over the jump
    hot_.byte(5);
    cold_.bind(hot_.jump());
    put_site(site_at(0, SiteKind::kHead), Spill::kYes);
    block_.indirect = cold_.here();
    std::swap(hot_, cold_);
    put_reload(Scratch::kFree);
    std::swap(hot_, cold_);
    cold_.jump(block_.direct);
    block_.flags_in_host = true;
    flags_ = Where::kHost;
}

// With CPL 0. That interrupts are off now needs no look at anything: none was pending.
void BlockTranslator::put_clear_interrupts(unsigned index) {
    save_flags_if_live(index);
    hot_.and_(at(kSystemFlags), ~static_cast<i32>(rflags::kIF));
    note_clobbered_flags();
}

void BlockTranslator::put_swap_gs() {
    hot_.load(kScratch, at(kKernelGSBase));
    hot_.load(kScratch2, at(kSegmentBases + 8 * kGS));
    hot_.store(at(kKernelGSBase), kScratch2);
    hot_.store(at(kSegmentBases + 8 * kGS), kScratch);
    hot_.store(at(kGSBase), kScratch);
}

// Whether the first instruction that touches the flags reads them, with nothing before it that
// clobbers them.
bool BlockTranslator::wants_flags_in_host() {
    for (unsigned i = 0; i < count_; ++i) {
        const Item& item = items_[i];
        const bool memory = (item.decoded.op.flags & op_flag::kMemory) != 0;
        switch (item.kind) {
            case Kind::kLEA:
            case Kind::kNothing:
                break;
            case Kind::kNative:
                if (memory)
                    return false;
                if (needs_flags(item, kAllFlags))
                    return true;
                if (item.shape->writes_flags)
                    return false;
                break;
            case Kind::kJumpIf:
                return true;
            default:
                return false;
        }
    }
    return false;
}

Site BlockTranslator::site_at(unsigned index, SiteKind kind) const {
    return {.block = store_.next_block_number(),
            .offset = items_[index].offset,
            .index = static_cast<u8>(index),
            .kind = kind};
}

void BlockTranslator::put_site_number(Assembler& out, const Site& site) {
    parts_.site_fields.push_back(out.here());
    out.value(store_.add_site(site));
}

// Leaves to the engine, from the cold area. `spill`: the flags are in the host's only.
void BlockTranslator::put_site(Site site, Spill spill) {
    cold_.call(at(spill == Spill::kYes ? kSpillStub : kLeaveStub));
    put_site_number(cold_, site);
}

void BlockTranslator::put_item(unsigned index) {
    miss_count_ = cross_count_ = access_count_ = 0;
    const Item& item = items_[index];
    if (!can_precede_move(item))
        settle_stack();
    const bool keeps = keeps_addend(item);
    addend_is_loaded_ &= keeps;
    put_by_kind(index);
    addend_is_loaded_ &= keeps;
}

void BlockTranslator::put_by_kind(unsigned index) {
    switch (items_[index].kind) {
        case Kind::kHelper:
            return put_helper(index);
        case Kind::kHelperEnd:
            return put_helper_end(index);
        case Kind::kNothing:
            return;
        case Kind::kNative:
            return put_native(index);
        case Kind::kLEA:
            return put_lea(items_[index]);
        case Kind::kPush:
            return put_push(index);
        case Kind::kPushMemory:
            return put_push_memory(index);
        case Kind::kPop:
            return put_pop(index);
        case Kind::kLeave:
            return put_leave(index);
        case Kind::kJump:
            return put_jump(index);
        case Kind::kJumpIf:
            return put_jump_if(index);
        case Kind::kJumpIndirect:
            return put_jump_indirect(index);
        case Kind::kCall:
            return put_call(index);
        case Kind::kCallIndirect:
            return put_call_indirect(index);
        case Kind::kReturn:
            return put_return(index);
        case Kind::kClearInterrupts:
            return put_clear_interrupts(index);
        case Kind::kSwapGS:
            return put_swap_gs();
        case Kind::kMoveString:
        case Kind::kStoreString:
            return put_string(index);
        case Kind::kSystem:
            return put_system(index);
        case Kind::kPushFlags:
            return put_push_flags(index);
        case Kind::kBitString:
            return put_bit_string(index);
    }
}

void BlockTranslator::put_helper(unsigned index) {
    save_flags_if_live(index);
    hot_.call(at(kLeaveStub));
    Site site = site_at(index, SiteKind::kSlow);
    site.resume = static_cast<u32>(hot_.here() + 4 - store_.hot());
    put_site_number(hot_, site);
    flags_ = Where::kBoth;
}

void BlockTranslator::put_helper_end(unsigned index) {
    save_flags_if_live(index);
    hot_.call(at(kLeaveStub));
    put_site_number(hot_, site_at(index, SiteKind::kEnd));
}

// Host flags to CPUState::flags.
void BlockTranslator::put_spill() {
    frame::put_spill(hot_, 0);
    addend_is_loaded_ = false;
}

// And back. If both scratch registers are in use, rAX waits in memory.
void BlockTranslator::put_reload(Scratch scratch) {
    addend_is_loaded_ &= scratch == Scratch::kInUse;
    if (scratch == Scratch::kFree)
        hot_.move(kScratch2, kHostRAX);
    else
        hot_.store(at(kValue), kHostRAX);
    put_flags_load(hot_);
    if (scratch == Scratch::kFree)
        hot_.move(kHostRAX, kScratch2);
    else
        hot_.load(kHostRAX, at(kValue));
}

// After something that has clobbered the host's flags.
void BlockTranslator::note_clobbered_flags() {
    if (flags_ == Where::kBoth)
        flags_ = Where::kMemory;
}

// Before something that clobbers the host's flags.
void BlockTranslator::save_flags_if_live(unsigned index) {
    if (flags_ != Where::kHost || live_before(index) == 0)
        return;
    put_spill();
    flags_ = Where::kBoth;
}

// Whether the instruction must find the flags in the host's.
bool BlockTranslator::needs_flags(const Item& item, u8 live) const {
    const FlagUse use = flag_use(item.decoded);
    const u8 kept = item.shape->writes_flags ? static_cast<u8>(~use.kills) : u8{0};
    return ((use.reads | kept) & live) != 0;
}

}  // namespace uchronia::cpu::jit
