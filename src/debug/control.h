// The motions of a debugger, forwards and backwards: step and continue, with breakpoints and
// watchpoints, for the threads of what is debugged.
//
// A step of a process's thread is one instruction in user mode: a system call, an interrupt or the
// turn of another thread is a part of it. A step of a vCPU is one tick.
//
// Signals that come to the process stop where its kernel takes them: the thread is still where it
// was, and what the signal does is to come.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "debug/debuggee.h"
#include "debug/signals.h"
#include "debug/traveller.h"

namespace uchronia::debug {

struct Event {
    enum class Kind : u8 {
        kStepped,
        kBreakpoint,
        kWatchpoint,  // `address`
        kSignal,      // `signal` comes to the thread
        kFork,        // the thread has made the process `child`
        kExec,        // the process runs another program
        kBegin,       // of the process's history
        kEnd,
        kInterrupted,
        kFailed,  // `message`
    };
    Kind kind = Kind::kStepped;
    u64 thread = 0;
    u64 address = 0;
    int signal = 0;
    u32 child = 0;
    std::string message = {};
};

class Control {
  public:
    Control(Traveller& traveller, Debuggee& debuggee);

    void add_breakpoint(u64 address) { ++breakpoints_[address]; }
    bool remove_breakpoint(u64 address);
    void add_watch(const cpu::DebugStops::Watch& watch) { watches_.push_back(watch); }
    bool remove_watch(const cpu::DebugStops::Watch& watch);
    void remove_all();
    // Whether to stop where the process forks, going forwards, and where it comes to run another
    // program, in both directions.
    void set_stops(bool at_forks, bool at_execs) {
        stops_at_forks_ = at_forks;
        stops_at_execs_ = at_execs;
    }
    // After a fork: from here on the other process.
    void follow(u32 process);
    // Those that do not stop; all others do. A thread that is being stepped stops for these too:
    // gdb then goes over their handlers.
    void pass_signals(const SignalSet& signals) { passed_signals_ = signals; }

    // To a moment, or to the nearest one at which there is the process.
    Status go_to(const history::Moment& moment);
    Event go_on();
    Event go_back();
    Event step(u64 thread);
    // Until the thread leaves [begin, end).
    Event step_out_of(u64 thread, u64 begin, u64 end);
    Event step_back(u64 thread);

  private:
    enum class Purpose : u8 { kContinue, kStep, kBack, kEventsBack };
    // Functions of the kernel; 0: not known.
    struct Entries {
        u64 forced_signal = 0, next_signal = 0, exit = 0, new_task = 0;
        u64 exec_begin = 0, exec_done = 0;

        bool has(u64 address) const {
            return address == forced_signal || address == next_signal || address == exit ||
                   address == new_task || address == exec_begin || address == exec_done;
        }
    };
    // A signal that was told of, and where the thread was.
    struct Told {
        int signal = 0;
        u64 thread = 0, rip = 0, rsp = 0;

        bool operator==(const Told&) const = default;
    };

    cpu::DebugStops::Places places(Purpose purpose) const;
    // `task`: that is stepped.
    Hunt hunt(Purpose purpose, u64 task);
    bool wants_entry(const cpu::DebugHit& hit, u64 stepped_task);
    int signal_at(const cpu::DebugHit& hit);
    u32 new_process_at(const cpu::DebugHit& hit);
    void tell_signal(Event& event, const cpu::DebugHit& hit);
    void tell_entry(Event& event, const cpu::DebugHit& hit);
    bool accepts(const cpu::DebugHit& hit);
    void remember_watched();
    bool is_watched_changed(u64 address);
    Event event_of(const Halt& halt, u64 thread);
    Event event_of_hit(const cpu::DebugHit& hit);
    Event event(Event::Kind kind) { return {.kind = kind, .thread = debuggee_.present_thread()}; }
    Event step_vcpu(unsigned vcpu);
    Event step_thread(const ThreadView& thread);
    Halt run_to_user_mode(const ThreadView& thread);
    enum class Turn : u8 { kOwn, kOther, kInterrupted };
    Turn run_one_tick(unsigned vcpu);
    bool is_user_at(Ticks tick, u64 thread);
    Event step_thread_back(u64 thread);
    Halt event_between(Ticks begin, Ticks end, u64 task);
    Ticks last_entry_before(Ticks tick, u64 thread);

    Traveller& traveller_;
    Debuggee& debuggee_;
    std::map<u64, unsigned> breakpoints_;  // how often each
    std::vector<cpu::DebugStops::Watch> watches_;
    std::map<u64, std::vector<u8>> watched_;  // what was last seen there, by address
    Told told_;
    SignalSet passed_signals_;
    bool stops_at_forks_ = false, stops_at_execs_ = false;
    Ticks end_{~u64{0}};  // of the process, as far as it is known
    Entries entries_;
};

}  // namespace uchronia::debug
