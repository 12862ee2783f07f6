// The motions of a debugger, forwards and backwards: step and continue, with breakpoints and
// watchpoints, for the threads of what is debugged.
//
// A step of a process's thread is one instruction in user mode: a system call, an interrupt or the
// turn of another thread is a part of it. A step of a vCPU is one tick.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "debug/debuggee.h"
#include "debug/traveller.h"

namespace uchronia::debug {

struct Event {
    enum class Kind : u8 {
        kStepped,
        kBreakpoint,
        kWatchpoint,  // `address`
        kSignal,      // `signal` comes to the thread
        kBegin,       // of the process's history
        kEnd,
        kInterrupted,
        kFailed,  // `message`
    };
    Kind kind = Kind::kStepped;
    u64 thread = 0;
    u64 address = 0;
    int signal = 0;
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

    // To a moment, or to the nearest one at which there is the process.
    Status go_to(const history::Moment& moment);
    Event go_on();
    Event go_back();
    Event step(u64 thread);
    // Until the thread leaves [begin, end).
    Event step_out_of(u64 thread, u64 begin, u64 end);
    Event step_back(u64 thread);

  private:
    enum class Purpose : u8 { kContinue, kStep, kBack };

    cpu::DebugStops::Places places(Purpose purpose) const;
    Hunt hunt(Purpose purpose, u64 stepped_task);
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
    Ticks last_entry_before(Ticks tick, u64 thread);

    Traveller& traveller_;
    Debuggee& debuggee_;
    std::map<u64, unsigned> breakpoints_;  // how often each
    std::vector<cpu::DebugStops::Watch> watches_;
    std::map<u64, std::vector<u8>> watched_;  // what was last seen there, by address
    int last_signal_ = 0;                     // that was told of
    Ticks end_{~u64{0}};                      // of the process, as far as it is known
    u64 signal_entry_ = 0, exit_entry_ = 0;   // of the kernel; 0: not known
};

}  // namespace uchronia::debug
