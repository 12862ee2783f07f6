// Whose turn it is: the vCPUs of a machine, one after the other on one thread (design D7).
//
// A turn is a number of ticks that the tape decides. It ends early where its vCPU has nothing to
// do: it halts, or it says by PAUSE that it waits for another one. vCPUs that are halted, wait for
// their start or are held up get no turns, and time passes as if the others ran at once
// (virtual_clock.h).
//
// Which vCPUs can run changes only where a run of the interpreter ends: after an instruction that
// halts or that makes an interrupt for another vCPU, and at events. So nothing here depends on the
// pieces in which Machine::run is called.

#include <algorithm>

#include "base/check.h"
#include "cpu/reset.h"
#include "machine/machine.h"

namespace uchronia::machine {
namespace {

// Between two stalls 2^13 to 2^23 ticks, each power of two as likely as the next: short ones find
// races inside a call, long ones leave whole operations alone.
constexpr unsigned kShortestQuantumBits = 13, kQuantumOctaves = 10;
// A stall lasts 1 to 16 ms of virtual time: long enough for Linux to prefer another thread.
constexpr unsigned kShortestStallBits = 20, kStallOctaves = 4;
// A turn has 2^7 to 2^18 ticks: short ones come between two instructions that belong together, long
// ones keep what a change of vCPUs costs small.
constexpr unsigned kShortestTurnBits = 7, kTurnOctaves = 11;
// Until the tape decides.
constexpr u64 kBootTurn = u64{1} << 16;

// A turn that ends by PAUSE after so few ticks was spent waiting for another vCPU.
constexpr u64 kLongestSpin = 128;
// Where all wait, time passes faster and faster: from 2^5 to 2^16 ns for each round of turns. The
// longest is a small part of the stall or sleep that they wait for, the sum of the shortest is
// about what as many PAUSEs take on hardware.
constexpr unsigned kShortestWaitBits = 5, kLongestWaitBits = 16;

// A vCPU that sleeps through so many events will not be woken by the next one either.
constexpr u64 kMostIdleJumps = 100'000;

u64 log_uniform(u64 word, unsigned shortest_bits, unsigned octaves) {
    const unsigned bits = shortest_bits + static_cast<unsigned>(word % octaves);
    return (u64{1} << bits) + ((word >> 8) & ((u64{1} << bits) - 1));
}

}  // namespace

void Machine::TurnOfVCPU::fields(FieldVisitor& v) {
    v("waits_for_start", waits_for_start);
    v("held_until", held_until);
}

void Machine::start_preemption() {
    plan_stall();
    if (vcpus_.size() > 1)
        turn_end_ = ticks_.value;
}

void Machine::plan_stall() {
    const u64 word = draw(DecisionKind::kQuantum);
    next_stall_ = ticks_.value + log_uniform(word, kShortestQuantumBits, kQuantumOctaves);
}

// The vCPU whose turn it is is held up, as by a host that gives its core to someone else: time
// passes without its ticks. Timers that fall due meanwhile interrupt the guest at exactly this
// instruction, and Linux, for which the running thread has now had its share, may switch to another
// thread here. The other vCPUs go on.
void Machine::stall() {
    const VirtualTime length(
        log_uniform(draw(DecisionKind::kStall), kShortestStallBits, kStallOctaves));
    hold_up(turn_, length);
    ++statistics_.stalls;
    plan_stall();
}

void Machine::hold_up(unsigned index, VirtualTime length) {
    if (vcpus_.size() == 1) {
        time_.skip(length);
        return;
    }
    VirtualTime& until = turns_[index].held_until;
    until = std::max(until, now() + length);
    if (index == turn_)
        turn_end_ = ticks_.value;
}

void Machine::plan_hold() {
    const std::optional<Hold> next = environment_.decisions->hold(holds_);
    next_hold_ = next ? next->tick.value : ~u64{0};
}

// As a stall, but the tape says when and whose.
void Machine::hold() {
    const std::optional<Hold> next = environment_.decisions->hold(holds_++);
    CHECK(next && next->vcpu < vcpus_.size());
    hold_up(next->vcpu, next->length);
    ++statistics_.holds;
    plan_hold();
}

// Whether an interrupt that has arrived ends the vCPU's HLT.
bool Machine::is_woken(unsigned index) {
    const cpu::CPUState& state = vcpus_[index]->state;
    const bool listens = (state.system_flags & cpu::rflags::kIF) != 0;
    return (listens && interrupt_pending(index)) || (state.nmi_pending && !state.nmi_masked);
}

bool Machine::can_run(unsigned index) {
    const TurnOfVCPU& turn = turns_[index];
    return !turn.waits_for_start && turn.held_until <= now() &&
           (!vcpus_[index]->state.halted || is_woken(index));
}

// How many vCPUs share the thread.
unsigned Machine::count_running() {
    unsigned count = 0;
    for (unsigned i = 0; i < vcpus_.size(); ++i)
        count += can_run(i) ? 1 : 0;
    return count;
}

VirtualTime Machine::earliest_release() const {
    VirtualTime earliest = kNever;
    for (const TurnOfVCPU& turn : turns_) {
        if (turn.held_until > now())
            earliest = std::min(earliest, turn.held_until);
    }
    return earliest;
}

// Gives the turn to the next vCPU that can run, if the present one's is over. There is one that
// can.
void Machine::take_turns() {
    if (vcpus_.size() == 1 || (ticks_.value < turn_end_ && can_run(turn_)))
        return;
    if (ticks_.value - turn_start_ >= kLongestSpin)
        spins_ = 0;
    turn_start_ = ticks_.value;
    do
        turn_ = (turn_ + 1) % static_cast<u32>(vcpus_.size());
    while (!can_run(turn_));
    const bool decided = next_stall_ != ~u64{0};
    turn_end_ = ticks_.value +
                (decided ? log_uniform(draw(DecisionKind::kTurn), kShortestTurnBits, kTurnOctaves)
                         : kBootTurn);
    ++statistics_.turns;
}

// The vCPU waits for another one, which shall have the turn.
void Machine::pause(unsigned) {
    if (vcpus_.size() == 1)
        return;
    yields_ = true;
    stop_after_this_instruction();
}

// The turn has ended by PAUSE. If all that can run have had such turns, they wait for time to pass:
// for a vCPU that is held up, or for a timer.
void Machine::end_turn_by_pause() {
    turn_end_ = ticks_.value;
    if (ticks_.value - turn_start_ >= kLongestSpin)
        return;
    const unsigned rounds = ++spins_ / shares_;
    if (rounds == 0)
        return;
    const VirtualTime wait(u64{1} << std::min(kShortestWaitBits + rounds, kLongestWaitBits));
    const VirtualTime end = std::min({now() + wait, earliest_event(), earliest_release()});
    if (end > now())
        time_.skip(end - now());
}

// INIT and start-up messages that have arrived (APM vol. 2, 14.1 and 16.5).
void Machine::follow_start_messages() {
    for (unsigned i = 0; i < vcpus_.size(); ++i) {
        devices::LocalAPIC& apic = *local_apics_[i];
        cpu::VCPU& cpu = *vcpus_[i];
        if (apic.take_init()) {
            cpu::reset_by_init(cpu.state);
            turns_[i] = {.waits_for_start = i != 0, .held_until = {}};
            mmu_->update_context(cpu);
        }
        const std::optional<u8> page = apic.take_startup();
        if (page.has_value() && turns_[i].waits_for_start) {
            cpu::start_at_page(cpu.state, *page);
            turns_[i].waits_for_start = false;
            mmu_->update_context(cpu);
        }
    }
}

// Nobody can run: virtual time jumps to the next event (design D6).
bool Machine::skip_idle_time(VirtualTime time, StopReason& reason) {
    // With interrupts disabled nothing wakes a vCPU; nor does a timer that is not let through.
    const bool listens = std::any_of(vcpus_.begin(), vcpus_.end(), [this](const auto& cpu) {
        return !turns_[cpu->index].waits_for_start &&
               (cpu->state.system_flags & cpu::rflags::kIF) != 0;
    });
    const bool deaf = !listens || ++idle_jumps_in_a_row_ > kMostIdleJumps;
    const VirtualTime event =
        std::min({deaf ? kNever : earliest_event(), earliest_release(), next_call_event(), time});
    if (event == kNever) {
        reason = {.stop = Stop::kIdle,
                  .message = "every CPU is halted and no timer or device will wake one"};
        return true;
    }
    if (event > now())
        time_.skip(event - now());
    ++statistics_.idle_jumps;
    return false;
}

}  // namespace uchronia::machine
