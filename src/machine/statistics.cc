#include "machine/statistics.h"

#include <array>
#include <string_view>

namespace uchronia::machine {

namespace {

// Why translated code was left, and what that took of the host's time, in the order of
// cpu::jit::SiteKind.
struct Leaving {
    std::string_view count, cost;
};
constexpr std::array<Leaving, cpu::jit::kSiteKinds> kLeavings = {{
    {"left: budget", "cost: budget"},
    {"left: single", "cost: single"},
    {"left: end of block", "cost: end of block"},
    {"left: not linked", "cost: not linked"},
    {"left: other page", "cost: other page"},
    {"left: indirect", "cost: indirect"},
    {"left: changed code", "cost: changed code"},
    {"left: walk check", "cost: walk check"},
    {"left: joint check", "cost: joint check"},
}};

void add_translator(const Machine::Statistics& statistics, std::vector<Counter>& counters) {
    const cpu::jit::Translator::Counters& t = statistics.translator;
    const cpu::jit::CodeStore::Counters& code = statistics.code;
    counters.push_back({"translated blocks", code.blocks, ""});
    counters.push_back({"of these kept", code.installed, "blocks from earlier runs or machines"});
    counters.push_back({"translated instr.", code.instructions, ""});
    counters.push_back({"guest code", code.guest_bytes, "bytes"});
    counters.push_back({"host code", code.hot_bytes + code.cold_bytes, "bytes"});
    counters.push_back({"code pages dropped", code.pages_dropped, ""});
    counters.push_back({"code flushes", code.flushes, ""});
    counters.push_back({"entries", t.entries, "from the interpreter's loop"});
    for (std::size_t i = 0; i < kLeavings.size(); ++i)
        counters.push_back({kLeavings[i].count, t.sites[i], ""});
    if (statistics.timed) {
        constexpr u64 kNanoseconds = 1000;
        for (std::size_t i = 0; i < kLeavings.size(); ++i)
            counters.push_back({kLeavings[i].cost, t.site_time[i] / kNanoseconds, "us"});
        counters.push_back(
            {"cost: translation", t.translation_time / kNanoseconds, "us of the above"});
        counters.push_back(
            {"cost: kept code", t.installation_time / kNanoseconds, "us of the above"});
    }
    counters.push_back(
        {"by function", t.helper_calls, "instructions by their interpreter function"});
}

}  // namespace

std::vector<Counter> counters_of(const Machine::Statistics& statistics) {
    const cpu::MMU::Counters& mmu = statistics.mmu;
    std::vector<Counter> counters = {
        {"interpreted ticks", statistics.interpreted_ticks, ""},
        {"decoded instructions", statistics.decoded_instructions, ""},
        {"interrupts", statistics.interrupts, ""},
        {"idle jumps", statistics.idle_jumps, ""},
        {"stalls", statistics.stalls, ""},
        {"holds", statistics.holds, ""},
        {"turns", statistics.turns, "of several vCPUs"},
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
    if (statistics.translates)
        add_translator(statistics, counters);
    return counters;
}

}  // namespace uchronia::machine
