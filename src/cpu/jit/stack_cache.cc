// Stack accesses without a look into the page table.
//
// The vCPU's frame names one page of plain writable memory: TranslatorFrame::stack_page. A block
// with accesses at known distances from the RSP that it begins with compares their whole
// range with that page at its head, once; each of them is then an addition. The engine forgets the
// page as soon as its entry changes (Translator::check_stack_page), which can only happen while the
// engine runs, and never goes on inside a block after that. The page is canonical, so none of these
// accesses faults or leaves to the engine, but those that must be aligned, and these do not come
// back: r11 keeps the addend from one to the next, and RSP is moved once for several pushes or
// pops.
//
// Where the comparison fails, a stub names RSP's page instead; if the range does not lie in one
// page, or the page is not plain memory, the block's plain twin runs (mode_bit::kPlain).
#include <algorithm>

#include "cpu/jit/block_translator.h"
#include "cpu/jit/frame_layout.h"
#include "cpu/mmu/mmu.h"

namespace uchronia::cpu::jit {

using namespace frame;

namespace {

constexpr i64 kLargestRange = 1024;
// From the RSP that the block begins with: an operand can hold no more, and a block can move RSP by
// many times that.
constexpr i64 kFarthest = i64{1} << 30;

}  // namespace

// Adds an access to the range, if that does not make it too large.
bool BlockTranslator::StackPlan::take(i64 offset, unsigned size) {
    if (offset < -kFarthest || offset > kFarthest)
        return false;
    const i64 new_low = std::min(low, offset);
    const i64 new_high = std::max(high, offset + i64{size});
    if (count != 0 && new_high - new_low > kLargestRange)
        return false;
    low = count == 0 ? offset : new_low;
    high = count == 0 ? offset + i64{size} : new_high;
    ++count;
    return true;
}

// How far an instruction moves RSP; false if nobody knows.
bool BlockTranslator::moves_stack_by(const Item& item, i64& distance) const {
    const Op& op = item.decoded.op;
    const Shape& shape = *item.shape;
    const bool memory = (op.flags & op_flag::kMemory) != 0;
    const i64 number = static_cast<i64>(op.immediate);
    distance = 0;
    switch (item.kind) {
        case Kind::kPush:
        case Kind::kPushMemory:
        case Kind::kPushFlags:
            distance = -8;
            return true;
        case Kind::kPop:
            distance = 8;
            return item.raw.opcode_register != kRSP;
        case Kind::kNothing:
            return true;
        case Kind::kLEA:
            if (item.raw.reg != kRSP)
                return true;
            distance = op.displacement;
            return op.base == kRSP && op.index == kZeroSlot && item.decoded.operand_size == 8 &&
                   (op.flags & op_flag::kAddress32) == 0;
        case Kind::kNative:
            break;
        default:
            return false;
    }
    const auto is_stack_pointer = [](RegisterClass c, u8 guest) {
        return is_general(c) && guest == kRSP;
    };
    const u8 reg = item.reg();
    const bool rm = !memory && item.raw.has_modrm && is_stack_pointer(shape.rm, item.raw.rm);
    if (rm && item.decoded.operand_size == 8) {
        switch (item.decoded.instruction) {
            case Instruction::ADD_Ev_Ib:
            case Instruction::ADD_Ev_Iz:
                distance = number;
                return true;
            case Instruction::SUB_Ev_Ib:
            case Instruction::SUB_Ev_Iz:
                distance = -number;
                return true;
            default:
                break;
        }
    }
    return !(rm && shape.writes_rm) && !(is_stack_pointer(shape.reg, reg) && shape.writes_reg) &&
           !(is_stack_pointer(shape.vvvv, item.raw.vvvv) && shape.writes_vvvv);
}

// Finds the accesses that one comparison at the head covers.
void BlockTranslator::plan_stack() {
    stack_ = {};
    i64 depth = 0;
    for (unsigned i = 0; i < count_; ++i) {
        Item& item = items_[i];
        const Op& op = item.decoded.op;
        const bool by_stack_pointer = (op.flags & op_flag::kMemory) != 0 && op.base == kRSP &&
                                      op.index == kZeroSlot && op.segment == kFlatSegment &&
                                      (op.flags & op_flag::kAddress32) == 0;
        switch (item.kind) {
            case Kind::kPush:
            case Kind::kPushMemory:
            case Kind::kPushFlags:
            case Kind::kCall:
            case Kind::kCallIndirect:
                item.on_stack = stack_.take(depth - 8, 8);
                break;
            case Kind::kPop:
            case Kind::kReturn:
                item.on_stack = stack_.take(depth, 8);
                break;
            case Kind::kNative:
                if (by_stack_pointer)
                    item.on_stack = stack_.take(depth + op.displacement, memory_size(item));
                break;
            default:
                break;
        }
        i64 distance = 0;
        if (!moves_stack_by(item, distance))
            break;
        depth += distance;
    }
}

// Compares the range with the page; the flags are of no use.
void BlockTranslator::put_stack_range_check() {
    const i32 low = static_cast<i32>(stack_.low);
    const i32 last = static_cast<i32>(i64{kPageSize} - (stack_.high - stack_.low));
    const Memory first{.base = kStackRegister, .displacement = low};
    if constexpr (kCheckWalks) {
        hot_.lea(kScratch, first);
        put_verification(kScratch);
    }
    hot_.lea(kScratch2, first);
    hot_.sub(kScratch2, at(kStackPage));
    hot_.compare(kScratch2, last);
    cold_.bind(hot_.jump_if(condition::kAbove));
    cold_.lea(kScratch, first);
    cold_.move32(kScratch2, static_cast<u32>(last));
    cold_.call(at(kStackStub));
    cold_.jump(hot_.here());
    put_twin_site(0);
}

// The operand of an access that the head has covered: no register but r11 is needed.
Memory BlockTranslator::put_stack_operand(i32 displacement) {
    if (!addend_is_loaded_)
        hot_.load(kScratch2, at(kStackAddend));
    addend_is_loaded_ = true;
    return {.base = kScratch2, .index = kStackRegister, .displacement = displacement + moved_by_};
}

// Whether r11 is as before, but for put_stack_operand, when the instruction is done.
bool BlockTranslator::keeps_addend(const Item& item) {
    if (item.group != 0)
        return false;
    if (item.on_stack && (item.kind == Kind::kPush || item.kind == Kind::kPop))
        return true;
    const bool memory = (item.decoded.op.flags & op_flag::kMemory) != 0;
    return (!memory || item.on_stack || item.kind == Kind::kLEA) && keeps_scratch(item, true);
}

// Whether the instruction can be done before RSP is moved by what those before it have pushed and
// popped: it has no use for RSP itself, and does not leave.
bool BlockTranslator::can_precede_move(const Item& item) {
    const RawInstruction& raw = item.raw;
    const Op& op = item.decoded.op;
    const bool memory = (op.flags & op_flag::kMemory) != 0;
    switch (item.kind) {
        case Kind::kPush:
            return item.on_stack && (raw.has_modrm ? raw.rm : raw.opcode_register) != kRSP;
        case Kind::kPop:
            return item.on_stack && raw.opcode_register != kRSP;
        case Kind::kCall:
        case Kind::kReturn:
            return item.on_stack;
        case Kind::kLEA:
            return keeps_addend(item) && raw.reg != kRSP && op.base != kRSP;
        case Kind::kNative:
            break;
        default:
            return item.kind == Kind::kNothing;
    }
    const auto is_stack_pointer = [&](RegisterClass c, u8 guest) {
        return is_general(c) && guest == kRSP;
    };
    return keeps_addend(item) && !is_aligned_on_stack(item) &&
           !is_stack_pointer(item.shape->reg, item.reg()) &&
           !is_stack_pointer(item.shape->vvvv, raw.vvvv) &&
           !(!memory && is_stack_pointer(item.shape->rm, raw.rm));
}

// The instruction adds `distance` to RSP, now or later.
void BlockTranslator::move_stack(const Item& item, i32 distance) {
    moved_by_ += distance;
    if (!item.on_stack)
        settle_stack();
}

void BlockTranslator::settle_stack() {
    if (moved_by_ != 0)
        hot_.lea(kStackRegister, Memory{.base = kStackRegister, .displacement = moved_by_});
    moved_by_ = 0;
}

}  // namespace uchronia::cpu::jit
