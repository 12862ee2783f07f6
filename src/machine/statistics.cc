#include "machine/statistics.h"

namespace uchronia::machine {

std::vector<Counter> counters_of(const Machine::Statistics& statistics) {
    const cpu::MMU::Counters& mmu = statistics.mmu;
    return {
        {"decoded instructions", statistics.decoded_instructions, ""},
        {"interrupts", statistics.interrupts, ""},
        {"idle jumps", statistics.idle_jumps, ""},
        {"stalls", statistics.stalls, ""},
        {"device accesses", statistics.device_accesses, ""},
        {"mmu slow reads", mmu.slow_reads, ""},
        {"mmu slow writes", mmu.slow_writes, ""},
        {"mmu fills", mmu.fills, "translations"},
        {"mmu table stores", mmu.table_stores, "stores to page tables"},
        {"mmu invalidations", mmu.invalidations, "translations"},
        {"mmu full flushes", mmu.full_flushes, ""},
        {"mmu fetch walks", mmu.fetch_walks, ""},
        {"mmu code drops", mmu.code_drops, "pages of code"},
    };
}

}  // namespace uchronia::machine
