// The interpreter: the complete reference engine. Runs one vCPU for an exact number of ticks.
//
// A run ends exactly on its budget, or earlier for one of the reasons in Stop. Between two blocks
// the architectural state is complete and canonical: any other engine can go on from there.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "cpu/decode/live_flags_cache.h"
#include "cpu/interp/block_cache.h"
#include "cpu/translated_code.h"
#include "cpu/vcpu.h"

namespace uchronia::cpu::interp {

enum class Stop : u8 {
    kBudget,         // all ticks were run
    kHalted,         // HLT: waits for an interrupt
    kRequested,      // the platform asked (hypercall, power-off, ...)
    kShutdown,       // triple fault
    kUnimplemented,  // vcpu.unimplemented names what; RIP is at the instruction
};

struct RunResult {
    Stop stop = Stop::kBudget;
    u64 ticks = 0;  // retired
};

class Interpreter {
  public:
    explicit Interpreter(MMU& mmu) : mmu_(mmu), blocks_(mmu) {}

    void add_vcpu(VCPU& cpu);
    // From now on `code` runs what it can. Null: nothing does.
    void set_translated_code(TranslatedCode* code) { translated_ = code; }

    // To be called when the machine's run begins, before run(): a guest that gets to no next tick
    // is given up after a number of deliveries, which are counted from here.
    void begin() { deliveries_in_a_row_ = 0; }
    // Where a debugger wants runs to end, or null: with Stop::kRequested, and the hit in there.
    void set_debug_stops(DebugStops* stops) { stops_ = stops; }
    // Runs at most `budget` ticks (at least 1).
    RunResult run(VCPU& cpu, u64 budget);

    // Ticks of the present run that have retired before the instruction that is executing; for the
    // platform, while run() is on the stack. Exact in kAlone instructions only.
    u64 ticks_before_current(const VCPU& cpu) const {
        return run_budget_ - static_cast<u64>(cpu.budget) - 1;
    }

    // Forgets all decoded code (tests: must not change any result).
    void drop_caches();

    u64 decoded_count() const { return blocks_.decoded_count(); }
    // Ticks that no translated code has run.
    u64 interpreted_ticks() const { return interpreted_ticks_; }

  private:
    static constexpr u64 kNoKey = ~u64{0};  // never a vCPU's; zero is one
    struct JumpEntry {
        u64 rip = 0;
        u64 key = kNoKey;
        const Block* block = nullptr;
    };
    // What the page of an address was when code was last fetched from it.
    struct FetchEntry {
        u64 page = 0;  // virtual page number
        u64 key = kNoKey;
        u64 page_number = 0;
        u64 generation = 0;  // of its code: the key covers mappings of pages that have code only
    };
    static constexpr std::size_t kJumpEntries = 16384;
    static constexpr std::size_t kFetchEntries = 1024;
    // Lookups by virtual address, one set for each vCPU: valid while their key is the vCPU's.
    struct Lookups {
        std::array<JumpEntry, kJumpEntries> jumps;
        std::array<FetchEntry, kFetchEntries> fetches;
    };

    enum class Next : u8 {
        kRun,    // go on with the instruction at RIP
        kAgain,  // RIP or the flags changed: look again
        kLeave,  // end the run, for the reason in stop_
    };

    Next run_translated(VCPU& cpu);
    const Block* find(VCPU& cpu);
    bool debugger_stops(VCPU& cpu);
    bool debugger_has_stopped(VCPU& cpu);
    u32 part_before_breakpoint(const VCPU& cpu, const Block& block) const;
    const Block* find_slow(VCPU& cpu, JumpEntry& entry);
    void verify_block(VCPU& cpu, const Block* block);
    void collect_blocks();
    void zero_dead_flags(VCPU& cpu);
    u32 fetch_bytes(VCPU& cpu, u32 done, u8* bytes, u32 most, Fault& fault);
    Next run_alone(VCPU& cpu);
    Next run_special(VCPU& cpu);
    Next step(VCPU& cpu);
    Next after_exit(VCPU& cpu, const Op* ops, u32 count);
    bool take_events(VCPU& cpu);
    Next deliver(VCPU& cpu);
    Next deliver_uncounted(VCPU& cpu);
    Next after_delivery(VCPU& cpu);
    Next deliver_breakpoint(VCPU& cpu, u64 hits);
    Next deliver_trap(VCPU& cpu, u64 causes);
    bool too_many_deliveries(VCPU& cpu);
    Next finish(Stop stop);

    MMU& mmu_;
    TranslatedCode* translated_ = nullptr;
    DebugStops* stops_ = nullptr;
    bool looked_at_user_code_ = false;  // by `stops_`, just now
    BlockCache blocks_;
    LiveFlagsCache live_flags_;
    std::vector<std::unique_ptr<Lookups>> lookups_;
    std::array<Op, kMostOps + 1> scratch_;
    u64 run_budget_ = 0;
    u64 interpreted_ticks_ = 0;
    // Exceptions and interrupts delivered since the last instruction that retired.
    u32 deliveries_in_a_row_ = 0;
    i64 last_delivery_budget_ = 0;
    Stop stop_ = Stop::kBudget;
};

}  // namespace uchronia::cpu::interp
