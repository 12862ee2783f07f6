#include "cpu/interp/interpreter.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "cpu/decode/decoder.h"
#include "cpu/execution.h"
#include "cpu/interp/system/debug.h"
#include "cpu/interp/system/delivery.h"

namespace uchronia::cpu::interp {
namespace {

// A kernel stack has room for some hundreds of frames; after so many without an instruction between
// them, a handler faults at its first instruction, for ever.
constexpr u32 kMostDeliveriesInARow = 1u << 14;

std::size_t jump_index(u64 rip, std::size_t entries) {
    return (rip ^ (rip >> 13)) & (entries - 1);
}

// Bits of DR6 for the code breakpoints at `rip` (APM vol. 2, 13.1.1).
u64 code_breakpoints(const CPUState& state, u64 rip) {
    u64 hits = 0;
    for (unsigned i = 0; i < 4; ++i) {
        const bool enabled = ((state.dr7 >> (2 * i)) & 3) != 0;
        const bool executes = ((state.dr7 >> (16 + 4 * i)) & 3) == 0;
        if (enabled && executes && state.dr[i] == rip)
            hits |= u64{1} << i;
    }
    return hits;
}

// Whether the instruction that reported this is done.
bool retired(Exit exit) {
    return exit == Exit::kHalt || exit == Exit::kStop;
}

// Whether the single-step trap comes after the instruction that has just retired, which began with
// these flags (APM vol. 2, 13.1.4).
bool single_step_follows(const VCPU& cpu, u64 flags_before) {
    const u64 flags = cpu.state.system_flags;
    if ((flags_before & rflags::kTF) == 0)
        return false;
    if (cpu.decided_trap)
        return (flags & rflags::kTF) != 0;
    // MOV SS holds it back until after the next instruction. The shadow of STI does not: STI casts
    // one only when it sets IF.
    const bool sets_if = (flags & ~flags_before & rflags::kIF) != 0;
    return !cpu.state.interrupt_shadow || sets_if;
}

}  // namespace

void Interpreter::add_vcpu(VCPU& cpu) {
    CHECK(cpu.index == lookups_.size());
    lookups_.push_back(std::make_unique<Lookups>());
}

void Interpreter::drop_caches() {
    if (translated_ != nullptr)
        translated_->drop_caches();
    live_flags_.clear();
    blocks_.drop_all();
    collect_blocks();
}

void Interpreter::collect_blocks() {
    for (const auto& lookups : lookups_)
        *lookups = {};
    blocks_.collect();
}

namespace {

// For translated code, which reads the time without asking.
void set_clock(VCPU& cpu, u64 budget) {
    constexpr u64 kLongestTurn = u64{1} << 24;  // for products of 64 bits
    TranslatorFarFrame& f = cpu.far_translation;
    const bool is_countable = cpu.clock.parts_of_tick == RunClock::kParts || budget <= kLongestTurn;
    f.clock_start = is_countable ? cpu.clock.start : 0;
    f.clock_parts = cpu.clock.parts;
    f.clock_parts_of_tick = cpu.clock.parts_of_tick;
    f.tick_base = budget - 1;
}

}  // namespace

RunResult Interpreter::run(VCPU& cpu, u64 budget) {
    run_budget_ = budget;
    cpu.budget = static_cast<i64>(budget);
    cpu.attention = true;
    cpu.stop_requested = false;
    set_clock(cpu, budget);
    stop_ = Stop::kBudget;
    last_delivery_budget_ = cpu.budget;
    while (cpu.budget > 0) {
        if (stops_ != nullptr && debugger_has_stopped(cpu)) [[unlikely]]
            break;
        if (cpu.attention || needs_stepping(cpu.state)) [[unlikely]] {
            const Next special = run_special(cpu);
            if (special == Next::kLeave)
                break;
            if (special == Next::kAgain)
                continue;
        }
        if (translated_ != nullptr) {
            const Next next = run_translated(cpu);
            if (next == Next::kLeave)
                break;
            if (next == Next::kAgain)
                continue;
        }
        // Translated code has left what is to be looked at.
        if (stops_ != nullptr && debugger_stops(cpu)) [[unlikely]]
            break;
        const Block* block = find(cpu);
        if (block == nullptr) [[unlikely]] {
            if (run_alone(cpu) == Next::kLeave)
                break;
            continue;
        }
        cpu.state.gpr[kPageBaseSlot] = cpu.state.rip & ~kPageMask;
        const Op* ops = block->ops();
        u32 count = stops_ == nullptr ? block->count : part_before_breakpoint(cpu, *block);
        if (count < block->count || count > cpu.budget) [[unlikely]] {
            count = static_cast<u32>(std::min<i64>(count, cpu.budget));
            std::copy_n(ops, count, scratch_.begin());
            scratch_[count] = end_of_block(ops[count].offset);
            ops = scratch_.data();
        }
        cpu.alone = block->alone;
        cpu.budget -= count;
        ops->handler(cpu, ops);
        if (cpu.exit != Exit::kNone) [[unlikely]] {
            if (after_exit(cpu, ops, count) == Next::kLeave)
                break;
        }
    }
    if (looked_at_user_code_)
        (void)debugger_has_stopped(cpu);
    zero_dead_flags(cpu);
    if (cpu.budget != last_delivery_budget_)
        deliveries_in_a_row_ = 0;
    interpreted_ticks_ += budget - static_cast<u64>(cpu.budget);
    return {stop_, budget - static_cast<u64>(cpu.budget)};
}

// What a debugger has to know after the last instruction. Whether the run ends there.
bool Interpreter::debugger_has_stopped(VCPU& cpu) {
    if (looked_at_user_code_)
        stops_->note_user_code(stops_->tick() + run_budget_ - static_cast<u64>(cpu.budget));
    looked_at_user_code_ = false;
    if (!stops_->has_hit())
        return false;
    if (stop_ == Stop::kBudget)
        finish(Stop::kRequested);
    return true;
}

// Whether the run ends before the instruction at RIP. What is noted for the next time holds if it
// does not.
bool Interpreter::debugger_stops(VCPU& cpu) {
    DebugStops& stops = *stops_;
    const u64 tick = stops.tick() + run_budget_ - static_cast<u64>(cpu.budget);
    const u64 rip = code_address(cpu.state, cpu.state.rip);
    const bool user = cpu.state.cpl() == 3;
    if (!stops.looks_at_code(rip, user))
        return false;
    const bool is_new = user && stops.places().user_mode && stops.is_new_in_user_mode(tick);
    if (tick != stops.passed_tick()) {
        if (stops.next_breakpoint(rip) == rip)
            stops.report({DebugHit::Kind::kBreakpoint, cpu.index, rip}, cpu);
        if (is_new)
            stops.report({DebugHit::Kind::kUserMode, cpu.index, rip}, cpu);
        if (stops.has_hit()) {
            finish(Stop::kRequested);
            return true;
        }
    }
    if (user && stops.places().user_mode)
        looked_at_user_code_ = true;
    return false;
}

// How many instructions of the block come before the next one that has a breakpoint, at least 1.
u32 Interpreter::part_before_breakpoint(const VCPU& cpu, const Block& block) const {
    const u64 rip = cpu.state.rip;
    const u64 breakpoint = stops_->next_breakpoint(rip + 1);
    const Op* const ops = block.ops();
    if ((breakpoint ^ rip) >> kPageBits != 0)
        return block.count;
    const u64 offset = breakpoint & kPageMask;
    u32 count = 1;
    while (count < block.count && ops[count].offset != offset)
        ++count;
    return count;
}

// Lets translated code go ahead. kRun: the block at RIP is for the interpreter.
Interpreter::Next Interpreter::run_translated(VCPU& cpu) {
    const i64 before = cpu.budget;
    const TranslatedCode::Result result = translated_->run(cpu);
    interpreted_ticks_ -= static_cast<u64>(before - cpu.budget);
    if (result == TranslatedCode::Result::kExit && !retired(cpu.exit))
        interpreted_ticks_ += 1;  // after_exit gives it back
    switch (result) {
        case TranslatedCode::Result::kInterpret:
            return Next::kRun;
        case TranslatedCode::Result::kAgain:
            return Next::kAgain;
        case TranslatedCode::Result::kExit:
            return after_exit(cpu, cpu.exit_op, 1) == Next::kLeave ? Next::kLeave : Next::kAgain;
    }
    CHECK(false);
}

const Block* Interpreter::find(VCPU& cpu) {
    const u64 rip = cpu.state.rip;
    JumpEntry& entry = lookups_[cpu.index]->jumps[jump_index(rip, kJumpEntries)];
    // Keys do not tell modes apart: what runs as 64-bit code may have been left for another mode.
    if (entry.rip == rip && entry.key == cpu.fetch_keys[rip >> 63] && entry.block->live &&
        entry.block->mode == code_mode(cpu.state) && has_flat_code(cpu.state)) [[likely]] {
        if constexpr (kCheckWalks)
            verify_block(cpu, entry.block);
        return entry.block;
    }
    return find_slow(cpu, entry);
}

// Null: the instruction must be run by run_alone, which also finds its faults.
const Block* Interpreter::find_slow(VCPU& cpu, JumpEntry& entry) {
    const u64 rip = cpu.state.rip;
    const CodeMode mode = code_mode(cpu.state);
    if (!has_flat_code(cpu.state) || (mode != CodeMode::k64 && rip >> 32 != 0))
        return nullptr;
    const u64 page = rip >> kPageBits;
    const u16 offset = static_cast<u16>(rip & kPageMask);
    FetchEntry& fetch = lookups_[cpu.index]->fetches[page % kFetchEntries];
    if (fetch.page == page && fetch.key == cpu.fetch_keys[rip >> 63] &&
        fetch.generation == blocks_.generation_of(fetch.page_number)) {
        const Block* block = blocks_.find(fetch.page_number, offset, mode);
        if (block != nullptr) {
            entry = {rip, fetch.key, block};
            if constexpr (kCheckWalks)
                verify_block(cpu, block);
            return block;
        }
    }
    const FetchedPage fetched = mmu_.fetch(cpu, rip);
    if (!fetched.ok || fetched.bytes == nullptr || !fetched.is_traced)
        return nullptr;
    const Block* block = blocks_.find(fetched.page_number, offset, mode);
    if (block == nullptr) {
        if (blocks_.wants_collection())
            collect_blocks();
        block = blocks_.decode_new(fetched.page_number, fetched.bytes, offset, mode);
    }
    if (block != nullptr && fetched.cacheable) {
        fetch = {page, cpu.fetch_keys[rip >> 63], fetched.page_number,
                 blocks_.generation_of(fetched.page_number)};
        entry = {rip, fetch.key, block};
    }
    return block;
}

// CHECKs that a fetch leads to this block.
void Interpreter::verify_block(VCPU& cpu, const Block* block) {
    const u64 rip = cpu.state.rip;
    const u64 key = cpu.fetch_keys[rip >> 63];
    const FetchedPage page = mmu_.fetch(cpu, rip);
    CHECK(page.ok && page.bytes != nullptr && key == cpu.fetch_keys[rip >> 63]);
    CHECK(block ==
          blocks_.find(page.page_number, static_cast<u16>(rip & kPageMask), code_mode(cpu.state)));
}

// What comes before every stop (docs/decisions/0010): arithmetic flags that cannot matter any more
// at RIP become zero. A function of the architectural state only; sets no accessed bits.
void Interpreter::zero_dead_flags(VCPU& cpu) {
    ArithmeticFlags& flags = cpu.state.flags;
    const u64 rip = cpu.state.rip;
    if (flags.bits == ArithmeticFlags::kFixed || code_mode(cpu.state) != CodeMode::k64)
        return;
    const u8* page = mmu_.probe_page(cpu, rip);
    if (page == nullptr)
        return;
    const u8 live = live_flags_.find(std::span<const u8, kPageSize>(page, kPageSize),
                                     rip >> kPageBits, static_cast<u16>(rip & kPageMask));
    flags.bits &= static_cast<u16>(ArithmeticFlags::kFixed | arithmetic_bits(live));
}

// Bytes from RIP + `done` on that CS and one page have, at most `most`; 0 with a fault. With
// Stop::kUnimplemented in stop_ there are no bytes but a device.
u32 Interpreter::fetch_bytes(VCPU& cpu, u32 done, u8* bytes, u32 most, Fault& fault) {
    const CPUState& state = cpu.state;
    const u64 offset = state.rip + done;
    u64 available = most;
    if (code_mode(state) != CodeMode::k64) {
        if (offset > state.segments[kCS].limit) {
            fault = {Vector::kGP, 0, 0};
            return 0;
        }
        available = std::min(available, state.segments[kCS].limit - offset + 1);
    }
    const u64 address = code_address(state, offset);
    const FetchedPage page = mmu_.fetch(cpu, address);
    if (!page.ok) {
        fault = page.fault;
        return 0;
    }
    if (page.bytes == nullptr) {
        cpu.unimplemented = "execution from device memory";
        stop_ = Stop::kUnimplemented;
        return 0;
    }
    const u32 part = static_cast<u32>(std::min<u64>(available, kPageSize - (address & kPageMask)));
    std::memcpy(bytes, page.bytes + (address & kPageMask), part);
    return part;
}

// Runs the one instruction at RIP by itself: device accesses and stores to code may go ahead.
Interpreter::Next Interpreter::run_alone(VCPU& cpu) {
    const u64 rip = cpu.state.rip;
    u8 bytes[kLongestInstruction];
    u32 size = 0;
    Fault fetch_fault;
    const u16 offset = static_cast<u16>(rip & kPageMask);
    const CodeMode mode = code_mode(cpu.state);
    Decoded decoded;
    DecodeStatus status = DecodeStatus::kNeedsMore;
    while (status == DecodeStatus::kNeedsMore && size < kLongestInstruction) {
        const u32 part =
            fetch_bytes(cpu, size, bytes + size, kLongestInstruction - size, fetch_fault);
        if (stop_ == Stop::kUnimplemented)
            return Next::kLeave;
        if (part == 0)
            break;
        size += part;
        // Only an instruction that really reaches the next page may fault on it.
        status = decode({bytes, size}, mode, offset, decoded);
    }
    cpu.state.gpr[kPageBaseSlot] = rip & ~kPageMask;
    if (status == DecodeStatus::kNeedsMore) {
        cpu.fault = fetch_fault;
        return deliver(cpu);
    }
    scratch_[0] = status == DecodeStatus::kTooLong ? too_long_op(offset) : bound_op(decoded);
    scratch_[1] = end_of_block(static_cast<u16>(offset + scratch_[0].length));
    // It may change the code that follows, and with it which flags are dead: those that were dead
    // before are zero then in every run, whether or not one stopped here. (Code that follows a
    // branch or a kAlone instruction is not looked at, so they need no stop.)
    if ((decoded.attributes & (attribute::kEnd | attribute::kAlone)) == 0)
        zero_dead_flags(cpu);
    cpu.alone = true;
    cpu.budget -= 1;
    scratch_[0].handler(cpu, scratch_.data());
    cpu.alone = false;
    return cpu.exit == Exit::kNone ? Next::kRun : after_exit(cpu, scratch_.data(), 1);
}

// Follows up what the instruction at cpu.exit_op reported. Gives back the ticks of those of the
// `count` instructions from `ops` on that did not retire.
Interpreter::Next Interpreter::after_exit(VCPU& cpu, const Op* ops, u32 count) {
    const Exit exit = cpu.exit;
    cpu.exit = Exit::kNone;
    const i64 before = cpu.exit_op - ops;
    CHECK(before >= 0 && before < static_cast<i64>(count));
    cpu.budget += static_cast<i64>(count) - before - (retired(exit) ? 1 : 0);
    if (!retired(exit))
        cpu.state.rip = cpu.address_of(cpu.exit_op);
    switch (exit) {
        case Exit::kFault:
            return deliver(cpu);
        case Exit::kAlone:
            CHECK(!cpu.alone);
            return run_alone(cpu);
        case Exit::kHalt:
            return finish(Stop::kHalted);
        case Exit::kStop:
            return finish(Stop::kRequested);
        case Exit::kShutdown:
            return finish(Stop::kShutdown);
        case Exit::kUnimplemented:
            return finish(Stop::kUnimplemented);
        case Exit::kNone:
            break;
    }
    CHECK(false);
}

Interpreter::Next Interpreter::deliver(VCPU& cpu) {
    if (too_many_deliveries(cpu))
        return finish(Stop::kUnimplemented);
    return deliver_uncounted(cpu);
}

Interpreter::Next Interpreter::deliver_uncounted(VCPU& cpu) {
    zero_dead_flags(cpu);
    cpu.alone = true;  // the frame may lie anywhere
    deliver_fault(cpu);
    return after_delivery(cpu);
}

Interpreter::Next Interpreter::after_delivery(VCPU& cpu) {
    const Exit exit = std::exchange(cpu.exit, Exit::kNone);
    if (exit == Exit::kNone)
        return Next::kAgain;
    return finish(exit == Exit::kUnimplemented ? Stop::kUnimplemented : Stop::kShutdown);
}

// Notes a delivery. A guest whose handlers all fault executes nothing and so never gets to its next
// tick: that ends the run, as nothing else would.
bool Interpreter::too_many_deliveries(VCPU& cpu) {
    if (cpu.budget != last_delivery_budget_)
        deliveries_in_a_row_ = 0;
    last_delivery_budget_ = cpu.budget;
    if (++deliveries_in_a_row_ <= kMostDeliveriesInARow)
        return false;
    cpu.unimplemented = "exceptions for ever, without an instruction between them,";
    return true;
}

Interpreter::Next Interpreter::finish(Stop stop) {
    stop_ = stop;
    return Next::kLeave;
}

// What comes before an instruction: interrupts, halt, and everything that needs stepping.
Interpreter::Next Interpreter::run_special(VCPU& cpu) {
    if (cpu.stop_requested) {
        cpu.stop_requested = false;
        return finish(Stop::kRequested);
    }
    if (cpu.attention && !cpu.state.interrupt_shadow && take_events(cpu)) {
        if (too_many_deliveries(cpu))
            return finish(Stop::kUnimplemented);
        return after_delivery(cpu);
    }
    if (cpu.state.halted)
        return finish(Stop::kHalted);
    if (!needs_stepping(cpu.state))
        return Next::kRun;
    if (stops_ != nullptr && debugger_stops(cpu))
        return Next::kLeave;
    return step(cpu);
}

// Delivers the most urgent pending event, if it may be delivered now (APM vol. 2, 8.5).
bool Interpreter::take_events(VCPU& cpu) {
    cpu.alone = true;
    CPUState& state = cpu.state;
    if (state.nmi_pending && !state.nmi_masked) {
        state.nmi_pending = false;
        state.halted = false;
        zero_dead_flags(cpu);
        deliver_nmi(cpu);
        return true;
    }
    if (!cpu.platform.interrupt_pending(cpu.index)) {
        cpu.attention = state.nmi_pending;
        return false;
    }
    if ((state.system_flags & rflags::kIF) == 0)
        return false;
    state.halted = false;
    zero_dead_flags(cpu);
    deliver_interrupt(cpu, cpu.platform.acknowledge_interrupt(cpu.index));
    return true;
}

// One instruction with single-step and breakpoint checks around it.
Interpreter::Next Interpreter::step(VCPU& cpu) {
    CPUState& state = cpu.state;
    const u64 flags = state.system_flags;
    const u64 rip = state.rip;
    const u64 hits =
        (flags & rflags::kRF) != 0 ? 0 : code_breakpoints(state, code_address(state, rip));
    if (hits != 0)
        return deliver_breakpoint(cpu, hits);
    state.interrupt_shadow = false;
    cpu.breakpoint_hits = 0;
    cpu.loaded_rf = cpu.decided_trap = false;
    const i64 budget = cpu.budget;
    const Next next = run_alone(cpu);
    if (cpu.budget == budget)
        return next;  // faulted: not retired
    // RF holds until the instruction is complete, with all its iterations; the instruction itself
    // may have set it (IRET), for the one after it.
    const bool repeats =
        state.rip == rip && (scratch_[0].flags & (op_flag::kRep | op_flag::kRepne)) != 0;
    if (!repeats && !cpu.loaded_rf)
        state.system_flags &= ~rflags::kRF;
    const u64 causes = (single_step_follows(cpu, flags) ? dr6::kBS : 0) | cpu.breakpoint_hits;
    if (causes == 0)
        return next == Next::kRun ? Next::kAgain : next;
    const bool woken = next == Next::kLeave && stop_ == Stop::kHalted;
    const Next delivered = deliver_trap(cpu, causes);
    if (!woken)
        return next == Next::kLeave ? next : delivered;
    if (delivered == Next::kAgain)
        stop_ = Stop::kBudget;
    return delivered;
}

// Instead of the instruction at RIP.
Interpreter::Next Interpreter::deliver_breakpoint(VCPU& cpu, u64 hits) {
    report_debug(cpu.state, hits);
    cpu.fault = {Vector::kDB, 0, 0};
    return deliver(cpu);
}

// After an instruction. A run that ends with its tick ends behind the trap, so this delivery must
// not count for those before the next instruction.
Interpreter::Next Interpreter::deliver_trap(VCPU& cpu, u64 causes) {
    report_debug(cpu.state, causes);
    cpu.fault = {Vector::kDB, 0, 0};
    return deliver_uncounted(cpu);
}

}  // namespace uchronia::cpu::interp
