#include "debug/control.h"

#include <algorithm>

namespace uchronia::debug {
namespace {

using cpu::DebugHit;
using cpu::DebugStops;
using Kind = Event::Kind;

constexpr u64 kKernelBegin = u64{1} << 63;
constexpr Ticks kNoLimit{~u64{0}};
// Faults, interrupts and turns of other vCPUs that one step may have to go through.
constexpr unsigned kMostAttempts = 1000;

// Functions of the kernel: it gives a signal for what an instruction did (its first argument is the
// siginfo), and it ends a process (its first argument is the status).
constexpr char kSignalEntry[] = "force_sig_info_to_task", kExitEntry[] = "do_group_exit";
constexpr u64 kSignalMask = 0x7f;

}  // namespace

Control::Control(Traveller& traveller, Debuggee& debuggee)
    : traveller_(traveller), debuggee_(debuggee) {
    if (!debuggee.process())
        return;
    profile::LinuxKernel& kernel = debuggee.tasks()->kernel();
    signal_entry_ = kernel.address_of(kSignalEntry).value_or(0);
    exit_entry_ = kernel.address_of(kExitEntry).value_or(0);
}

bool Control::remove_breakpoint(u64 address) {
    const auto found = breakpoints_.find(address);
    if (found == breakpoints_.end())
        return false;
    if (--found->second == 0)
        breakpoints_.erase(found);
    return true;
}

bool Control::remove_watch(const DebugStops::Watch& watch) {
    const auto found = std::find(watches_.begin(), watches_.end(), watch);
    if (found == watches_.end())
        return false;
    watches_.erase(found);
    return true;
}

void Control::remove_all() {
    breakpoints_.clear();
    watches_.clear();
}

DebugStops::Places Control::places(Purpose purpose) const {
    DebugStops::Places places;
    if (purpose != Purpose::kStep) {
        for (const auto& [address, count] : breakpoints_)
            places.breakpoints.push_back(address);
        places.watches = watches_;
    }
    if (purpose != Purpose::kBack) {
        for (const u64 entry : {signal_entry_, exit_entry_}) {
            if (entry != 0)
                places.breakpoints.push_back(entry);
        }
    }
    auto& all = places.breakpoints;
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    places.user_mode = purpose == Purpose::kStep;
    return places;
}

// What lies in user memory, and what the kernel does for a process, counts in the process only.
Hunt Control::hunt(Purpose purpose, u64 stepped_task) {
    const auto wants = [this, stepped_task](const DebugHit& hit, const cpu::VCPU&) {
        if (hit.kind == DebugHit::Kind::kUserMode)
            return debuggee_.tasks()->current(hit.vcpu) == stepped_task;
        const bool of_kernel = hit.address >= kKernelBegin && hit.address != signal_entry_ &&
                               hit.address != exit_entry_;
        return of_kernel || !debuggee_.process() || debuggee_.is_mine(hit.vcpu);
    };
    Hunt hunt{.places = places(purpose), .wants = wants};
    hunt.accepts = [this](const DebugHit& hit) { return accepts(hit); };
    hunt.begins = [this] { remember_watched(); };
    return hunt;
}

void Control::remember_watched() {
    for (const DebugStops::Watch& watch : watches_)
        watched_[watch.address] = debuggee_.read(watch.address, watch.size);
}

bool Control::is_watched_changed(u64 address) {
    bool changed = false;
    for (const DebugStops::Watch& watch : watches_) {
        if (watch.address != address)
            continue;
        std::vector<u8> now = debuggee_.read(watch.address, watch.size);
        std::vector<u8>& before = watched_[watch.address];
        // Where it was not there before, nobody can tell.
        changed = changed || watch.reads || before.size() != now.size() || before != now;
        before = std::move(now);
    }
    return changed;
}

// A write of the value that was there before is none.
bool Control::accepts(const DebugHit& hit) {
    return hit.kind != DebugHit::Kind::kWrite || is_watched_changed(hit.address);
}

Event Control::event_of_hit(const DebugHit& hit) {
    const u64 thread = debuggee_.thread_on(hit.vcpu);
    Event event{.kind = Kind::kStepped, .thread = thread, .address = hit.address};
    if (hit.kind == DebugHit::Kind::kUserMode)
        return event;
    if (hit.kind != DebugHit::Kind::kBreakpoint) {
        event.kind = Kind::kWatchpoint;
        return event;
    }
    const u64 argument = traveller_.machine().vcpu(hit.vcpu).state.gpr[cpu::kRDI];
    event.kind = Kind::kBreakpoint;
    if (breakpoints_.contains(hit.address)) {
        if (hit.address >= kKernelBegin)
            event.thread = Debuggee::kFirstVCPU + hit.vcpu;
    } else if (hit.address == signal_entry_) {
        event.kind = Kind::kSignal;
        // The guest's number, which may be any.
        event.signal =
            static_cast<int>(debuggee_.tasks()->view().number<u32>(argument) & kSignalMask);
    } else if (hit.address == exit_entry_) {
        end_ = std::min(end_, traveller_.ticks());
        event.signal = static_cast<int>(argument & kSignalMask);
        // It was told of when the kernel gave it.
        const bool is_known = event.signal == 0 || event.signal == last_signal_;
        event.kind = is_known ? Kind::kEnd : Kind::kSignal;
    }
    last_signal_ = event.kind == Kind::kSignal ? event.signal : 0;
    return event;
}

Event Control::event_of(const Halt& halt, u64 thread) {
    Event event{.kind = Kind::kStepped, .thread = thread, .message = halt.message};
    switch (halt.why) {
        case Halt::Why::kTick:
            break;
        case Halt::Why::kHit:
            return event_of_hit(halt.hit);
        case Halt::Why::kBegin:
            event.kind = Kind::kBegin;
            break;
        case Halt::Why::kEnd:
            event.kind = Kind::kEnd;
            break;
        case Halt::Why::kInterrupted:
            event.kind = Kind::kInterrupted;
            break;
        case Halt::Why::kFailed:
            event.kind = Kind::kFailed;
            break;
    }
    event.thread = debuggee_.present_thread();
    return event;
}

Status Control::go_to(const history::Moment& moment) {
    if (Status status = traveller_.seek(moment); !status)
        return status;
    if (traveller_.ticks() < debuggee_.begin())
        return traveller_.seek(debuggee_.begin());
    if (debuggee_.is_there() || exit_entry_ == 0)
        return {};
    const Halt halt = traveller_.run_back(debuggee_.begin(),
                                          {.places = {.breakpoints = {exit_entry_}},
                                           .wants = [this](const DebugHit& hit, const cpu::VCPU&) {
                                               return debuggee_.is_mine(hit.vcpu);
                                           }});
    return halt.why == Halt::Why::kFailed ? Status(Error{halt.message}) : Status();
}

Event Control::go_on() {
    if (traveller_.ticks() >= end_)
        return event(Kind::kEnd);
    const u64 thread = debuggee_.present_thread();
    return event_of(traveller_.run(kNoLimit, hunt(Purpose::kContinue, 0)), thread);
}

Event Control::go_back() {
    const u64 thread = debuggee_.present_thread();
    return event_of(traveller_.run_back(debuggee_.begin(), hunt(Purpose::kBack, 0)), thread);
}

Event Control::step(u64 thread) {
    const std::optional<ThreadView> view = debuggee_.thread(thread);
    if (!view)
        return go_on();
    return view->task == 0 ? step_vcpu(*view->vcpu) : step_thread(*view);
}

Event Control::step_out_of(u64 thread, u64 begin, u64 end) {
    for (;;) {
        const Event event = step(thread);
        if (event.kind != Kind::kStepped)
            return event;
        const std::optional<ThreadView> view = debuggee_.thread(thread);
        if (!view)
            return event;
        const u64 rip = debuggee_.registers(*view).rip;
        if (rip < begin || rip >= end || breakpoints_.contains(rip))
            return event;
    }
}

// Lets the machine go on by a tick. Whose it was.
Control::Turn Control::run_one_tick(unsigned vcpu) {
    const Halt halt = traveller_.run(traveller_.ticks() + Ticks(1), {});
    if (halt.why == Halt::Why::kInterrupted)
        return Turn::kInterrupted;
    return traveller_.machine().turn() == vcpu ? Turn::kOwn : Turn::kOther;
}

Event Control::step_vcpu(unsigned vcpu) {
    constexpr unsigned kMostTurns = 1u << 20;
    for (unsigned i = 0; i < kMostTurns && !traveller_.timeline().end(); ++i) {
        const Turn turn = run_one_tick(vcpu);
        if (turn == Turn::kInterrupted)
            return event(Kind::kInterrupted);
        if (turn == Turn::kOwn)
            break;
    }
    return {.kind = traveller_.timeline().end() ? Kind::kEnd : Kind::kStepped,
            .thread = Debuggee::kFirstVCPU + vcpu};
}

Halt Control::run_to_user_mode(const ThreadView& thread) {
    return traveller_.run(kNoLimit, hunt(Purpose::kStep, thread.task));
}

Event Control::step_thread(const ThreadView& thread) {
    const u64 rip = debuggee_.registers(thread).rip;
    for (unsigned attempt = 0; attempt < kMostAttempts; ++attempt) {
        const std::optional<ThreadView> now = debuggee_.thread(thread.id);
        if (!now || traveller_.timeline().end())
            return event(Kind::kEnd);
        bool is_done = false;
        if (debuggee_.is_in_user_mode(*now)) {
            cpu::VCPU& cpu = traveller_.machine().vcpu(*now->vcpu);
            const Ticks before = traveller_.ticks();
            const Turn turn = run_one_tick(cpu.index);
            if (turn == Turn::kInterrupted)
                return event(Kind::kInterrupted);
            if (turn != Turn::kOwn || traveller_.ticks() == before)
                continue;
            if (debuggee_.is_in_user_mode(*now))
                return {.kind = Kind::kStepped, .thread = thread.id};
            is_done = cpu.state.rip == cpu.state.lstar;  // it was a system call
        }
        const Halt halt = run_to_user_mode(thread);
        const Event event = event_of(halt, thread.id);
        if (halt.why != Halt::Why::kHit || event.kind != Kind::kStepped)
            return event;
        // Otherwise the instruction was only interrupted, and is still to come.
        const std::optional<ThreadView> then = debuggee_.thread(thread.id);
        if (is_done || !then || debuggee_.registers(*then).rip != rip)
            return event;
    }
    return event(Kind::kStepped);
}

Event Control::step_back(u64 thread) {
    const std::optional<ThreadView> view = debuggee_.thread(thread);
    const Ticks begin = debuggee_.begin();
    if (traveller_.ticks() <= begin)
        return event(Kind::kBegin);
    if (view && view->task != 0)
        return step_thread_back(thread);
    if (Status status = traveller_.seek(traveller_.ticks() - Ticks(1)); !status)
        return {.kind = Kind::kFailed, .thread = thread, .message = status.error().message};
    return {.kind = Kind::kStepped, .thread = thread};
}

bool Control::is_user_at(Ticks tick, u64 thread) {
    if (!traveller_.seek(tick))
        return false;
    const std::optional<ThreadView> view = debuggee_.thread(thread);
    return view && debuggee_.is_in_user_mode(*view);
}

// The last tick before `tick` at which the thread comes back to user mode, or one later at which it
// is there; the history's begin if there is none.
Ticks Control::last_entry_before(Ticks tick, u64 thread) {
    constexpr unsigned kNearest = 8, kStep = 3;  // bits
    const Ticks begin = debuggee_.begin();
    for (unsigned bits = kNearest;; bits += kStep) {
        const u64 distance = bits < 63 ? u64{1} << bits : ~u64{0};
        const Ticks start =
            tick.value - begin.value > distance ? Ticks(tick.value - distance) : begin;
        Ticks last = start;
        bool found = is_user_at(start, thread);
        const std::optional<ThreadView> view = debuggee_.thread(thread);
        if (!view) {
            if (start == begin)
                return begin;
            continue;
        }
        while (traveller_.run(tick, hunt(Purpose::kStep, view->task)).why == Halt::Why::kHit) {
            const std::optional<ThreadView> now = debuggee_.thread(thread);
            if (traveller_.ticks() >= tick || !now || !debuggee_.is_in_user_mode(*now))
                continue;
            last = traveller_.ticks();
            found = true;
        }
        if (found || start == begin)
            return last;
    }
}

Event Control::step_thread_back(u64 thread) {
    const Ticks begin = debuggee_.begin();
    const std::optional<ThreadView> here = debuggee_.thread(thread);
    const RegisterValues values = debuggee_.registers(*here);
    for (Ticks tick = traveller_.ticks(); tick > begin;) {
        if (is_user_at(tick - Ticks(1), thread))
            return {.kind = Kind::kStepped, .thread = thread};
        // The thread was in the kernel, or waited: when did it leave user mode?
        Ticks inside = last_entry_before(tick, thread), outside = tick - Ticks(1);
        while (outside > inside + Ticks(1)) {
            const Ticks middle((inside.value + outside.value) / 2);
            (is_user_at(middle, thread) ? inside : outside) = middle;
        }
        const bool is_there = is_user_at(inside, thread);
        const std::optional<ThreadView> then = debuggee_.thread(thread);
        if (!is_there || !then)
            break;
        const RegisterValues found = debuggee_.registers(*then);
        // An instruction that was only interrupted is one that it has not done.
        if (found.rip != values.rip || found.gpr != values.gpr)
            return {.kind = Kind::kStepped, .thread = thread};
        tick = inside;
    }
    if (Status status = traveller_.seek(begin); !status)
        return {.kind = Kind::kFailed, .thread = thread, .message = status.error().message};
    return event(Kind::kBegin);
}

}  // namespace uchronia::debug
