// Runs a case by the interpreter alone and by the translator, from scratch and again and again,
// ended at every tick; all of the state, time and memory must be equal. And it must be what it is
// meant to be: an instruction that is translated is not executed by its interpreter function.
#pragma once

#include "cpu/decode/instruction.h"
#include "tests/engines/small_guest.h"

namespace uchronia::engines {

// How the instruction is executed when its code has run before.
enum class By : u8 {
    kTranslation,         // always
    kTranslationToAnEnd,  // the same, but something else ends the loop
    kBoth,                // by the translation at least once, and the loop comes to its end
    kFunction,            // by the interpreter's function, or the interpreter
};

using Prepare = void (*)(cpu::CPUState&);
void nothing(cpu::CPUState& state);
void all_flags(cpu::CPUState& state);  // set, but for TF, RF and AC
void stepped(cpu::CPUState& state);    // by TF
void resumed(cpu::CPUState& state);    // by RF
void watched(cpu::CPUState& state);    // by a breakpoint, where nothing is

inline const Bytes kReturn = {0x48, 0x0f, 0x07};  // SYSRET
inline constexpr u64 kNever = 0;

struct Case {
    const char* name;
    cpu::Instruction instruction;  // that the case is about
    By by;
    Place place;
    Bytes body;
    Prepare prepare = nothing;  // the state to begin with
    Bytes entry = kReturn;      // of the kernel
    u64 interrupt_at = kNever;  // the tick at which an interrupt becomes pending
};

class Comparison {
  public:
    // Null, or what the host lacks for translated code.
    const char* missing() const { return translator_.missing_host_feature(); }
    // Who knows what time it is: translated code, or the platform, which must be asked.
    void set_time(random::Computer::Time time);

    // As it stands, and with all flags alive across the body.
    void expect_equal(const Case& tested);

  private:
    // How often what has happened.
    struct Ways {
        u64 by_function = 0;  // the instruction was executed by its function
        u64 interpreted = 0;  // ticks that no translated code has run
        u64 entries = 0;      // of translated code
        u64 searches = 0;     // for the target of a branch, by the engine
    };

    void run_rounds(const Case& tested, const Bytes& body);
    void load(const random::Image& image);
    void run(random::Computer& computer, const Case& tested, u64 ticks);
    bool round(const Case& tested, u64 ticks, const char* what);
    bool copies_are_equal();
    void expect_way(const Case& tested);
    Ways ways(cpu::Instruction instruction) const;

    random::Computer interpreter_, translator_;
    cpu::CPUState start_;
};

// All cases of a table.
void expect_all_equal(const std::vector<Case>& cases,
                      random::Computer::Time time = random::Computer::Time::kCounted);

}  // namespace uchronia::engines
