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
// siginfo); it takes the next pending one, for the thread that runs (the set of those it blocks is
// an argument) or for calls such as sigtimedwait (another set is); it ends a process (its first
// argument is the status); it lets a new task run (its argument); it is about to replace
// a program, and has done so.
constexpr char kForcedSignal[] = "force_sig_info_to_task", kNextSignal[] = "dequeue_signal",
               kExit[] = "do_group_exit", kNewTask[] = "wake_up_new_task",
               kExecBegin[] = "begin_new_exec", kExecDone[] = "start_thread";
// The C library's own, for what concerns several threads: nobody wants to see them.
constexpr std::size_t kLibrarySignals[] = {32, 33};

}  // namespace

Control::Control(Traveller& traveller, Debuggee& debuggee)
    : traveller_(traveller), debuggee_(debuggee) {
    if (!debuggee.process())
        return;
    profile::LinuxKernel& kernel = debuggee.tasks()->kernel();
    entries_ = {.forced_signal = kernel.address_of(kForcedSignal).value_or(0),
                .next_signal = kernel.address_of(kNextSignal).value_or(0),
                .exit = kernel.address_of(kExit).value_or(0),
                .new_task = kernel.address_of(kNewTask).value_or(0),
                .exec_begin = kernel.address_of(kExecBegin).value_or(0),
                .exec_done = kernel.address_of(kExecDone).value_or(0)};
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
    if (purpose == Purpose::kContinue || purpose == Purpose::kBack) {
        for (const auto& [address, count] : breakpoints_)
            places.breakpoints.push_back(address);
        places.watches = watches_;
    }
    const bool is_forward = purpose == Purpose::kContinue || purpose == Purpose::kStep;
    for (const u64 entry :
         {entries_.forced_signal, entries_.next_signal, is_forward ? entries_.exit : 0,
          is_forward && stops_at_forks_ ? entries_.new_task : 0,
          !stops_at_execs_ ? 0
          : is_forward     ? entries_.exec_done
                           : entries_.exec_begin}) {
        if (entry != 0)
            places.breakpoints.push_back(entry);
    }
    auto& all = places.breakpoints;
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    places.user_mode = purpose == Purpose::kStep;
    return places;
}

// What lies in user memory, and what the kernel does for a process, counts in the process only.
Hunt Control::hunt(Purpose purpose, u64 task) {
    const auto wants = [this, purpose, task](const DebugHit& hit, const cpu::VCPU&) {
        if (!debuggee_.process())
            return true;
        const bool is_its = debuggee_.tasks()->current(hit.vcpu) == task;
        if (hit.kind == DebugHit::Kind::kUserMode)
            return is_its;
        if (hit.kind == DebugHit::Kind::kBreakpoint && entries_.has(hit.address)) {
            if (purpose == Purpose::kEventsBack)
                return is_its && wants_entry(hit, 0);
            return debuggee_.is_mine(hit.vcpu) && wants_entry(hit, task);
        }
        return hit.address >= kKernelBegin || debuggee_.is_mine(hit.vcpu);
    };
    Hunt hunt{.places = places(purpose), .wants = wants};
    hunt.accepts = [this](const DebugHit& hit) { return accepts(hit); };
    hunt.begins = [this] { remember_watched(); };
    return hunt;
}

bool Control::wants_entry(const DebugHit& hit, u64 stepped_task) {
    if (hit.address == entries_.exit || hit.address == entries_.exec_begin ||
        hit.address == entries_.exec_done || breakpoints_.contains(hit.address))
        return true;
    if (hit.address == entries_.new_task)
        return new_process_at(hit) != 0;
    const std::size_t signal = static_cast<std::size_t>(signal_at(hit));
    if (signal == 0 || signal > kLastSignal ||
        std::find(std::begin(kLibrarySignals), std::end(kLibrarySignals), signal) !=
            std::end(kLibrarySignals))
        return false;
    return !passed_signals_[signal] || debuggee_.tasks()->current(hit.vcpu) == stepped_task;
}

// The signal that the kernel takes there, or ends the process with; 0: none.
int Control::signal_at(const DebugHit& hit) {
    constexpr int kSignalMask = 0x7f;
    const auto& arguments = traveller_.machine().vcpu(hit.vcpu).state.gpr;
    const u64 first = arguments[cpu::kRDI], second = arguments[cpu::kRSI];
    GuestTasks& tasks = *debuggee_.tasks();
    if (hit.address == entries_.forced_signal)
        return tasks.view().number<int>(first);
    const u64 task = tasks.current(hit.vcpu);
    if (hit.address == entries_.exit)
        return static_cast<int>(tasks.exit_status(task).value_or(first)) & kSignalMask;
    const u64 blocked = tasks.blocked_signals(task);
    return first == blocked || second == blocked ? tasks.next_signal(task) : 0;
}

// 0: it is only a thread.
u32 Control::new_process_at(const DebugHit& hit) {
    const u64 task = traveller_.machine().vcpu(hit.vcpu).state.gpr[cpu::kRDI];
    const u32 process = debuggee_.tasks()->process_of(task);
    return process == debuggee_.process() ? 0 : process;
}

void Control::tell_entry(Event& event, const DebugHit& hit) {
    if (hit.address == entries_.new_task) {
        event.kind = Kind::kFork;
        event.child = new_process_at(hit);
    } else if (hit.address == entries_.exec_begin) {
        event.kind = Kind::kExec;  // backwards, out of it: there is still the program before
    } else if (hit.address == entries_.exec_done) {
        // It begins where it comes to user mode.
        event.kind = Kind::kExec;
        event.thread = *debuggee_.process();
        const u64 task = debuggee_.tasks()->current(hit.vcpu);
        (void)traveller_.run(kNoLimit,
                             {.places = {.user_mode = true},
                              .wants = [this, task](const DebugHit& next, const cpu::VCPU&) {
                                  return debuggee_.tasks()->current(next.vcpu) == task;
                              }});
    } else {
        tell_signal(event, hit);
    }
}

void Control::tell_signal(Event& event, const DebugHit& hit) {
    event.kind = Kind::kSignal;
    event.signal = signal_at(hit);
    Told told{.signal = event.signal, .thread = event.thread};
    if (const std::optional<ThreadView> thread = debuggee_.thread(event.thread)) {
        const RegisterValues values = debuggee_.registers(*thread);
        told.rip = values.rip;
        told.rsp = values.gpr[cpu::kRSP];
    }
    if (hit.address == entries_.exit) {
        end_ = std::min(end_, traveller_.ticks());
        // Perhaps it was told of when the kernel took it.
        const bool is_passed =
            passed_signals_[static_cast<std::size_t>(event.signal) % passed_signals_.size()];
        if (event.signal == 0 || is_passed || told == told_)
            event.kind = Kind::kEnd;
    }
    if (event.kind == Kind::kSignal)
        told_ = told;
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
    event.kind = Kind::kBreakpoint;
    if (entries_.has(hit.address) && !breakpoints_.contains(hit.address))
        tell_entry(event, hit);
    else if (hit.address >= kKernelBegin)
        event.thread = Debuggee::kFirstVCPU + hit.vcpu;
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
    if (debuggee_.is_there() || entries_.exit == 0)
        return {};
    const Halt halt = traveller_.run_back(debuggee_.begin(),
                                          {.places = {.breakpoints = {entries_.exit}},
                                           .wants = [this](const DebugHit& hit, const cpu::VCPU&) {
                                               return debuggee_.is_mine(hit.vcpu);
                                           }});
    return halt.why == Halt::Why::kFailed ? Status(Error{halt.message}) : Status();
}

void Control::follow(u32 process) {
    debuggee_.follow(process);
    end_ = kNoLimit;
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
        if (traveller_.is_interrupted())
            return event(Kind::kInterrupted);
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
    const std::optional<SavedRegisters> saved = debuggee_.tasks()->saved_registers(thread.task);
    const bool is_in_call = saved && saved->has_called() && !debuggee_.is_in_user_mode(thread);
    for (unsigned attempt = 0; attempt < kMostAttempts; ++attempt) {
        const std::optional<ThreadView> now = debuggee_.thread(thread.id);
        if (!now || traveller_.timeline().end())
            return event(Kind::kEnd);
        bool is_done = is_in_call;  // and comes back from it
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

// Of a thread, the last signal or exec; without one the machine is at `begin`.
Halt Control::event_between(Ticks begin, Ticks end, u64 task) {
    if (Status status = traveller_.seek(end); !status)
        return {.why = Halt::Why::kFailed, .message = status.error().message};
    return traveller_.run_back(begin, hunt(Purpose::kEventsBack, task));
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
        const Halt halt = event_between(inside, tick, here->task);
        if (halt.why != Halt::Why::kBegin)
            return event_of(halt, thread);
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
