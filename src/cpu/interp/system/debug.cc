#include "cpu/interp/system/debug.h"

namespace uchronia::cpu::interp {

namespace {

// The R/W field of a breakpoint in DR7 (APM vol. 2, 13.1.1.4).
enum class Condition : u8 { kExecute, kWrite, kPort, kReadWrite };

bool enabled(const CPUState& state, unsigned index) {
    return ((state.dr7 >> (2 * index)) & 3u) != 0;
}

Condition condition_of(const CPUState& state, unsigned index) {
    return static_cast<Condition>((state.dr7 >> (16 + 4 * index)) & 3u);
}

u64 size_of(const CPUState& state, unsigned index) {
    static constexpr u64 kSizes[] = {1, 2, 8, 4};
    return kSizes[(state.dr7 >> (18 + 4 * index)) & 3u];
}

bool covers(const CPUState& state, unsigned index, BreakpointAccess access) {
    const Condition condition = condition_of(state, index);
    switch (access) {
        case BreakpointAccess::kExecute:
            return condition == Condition::kExecute;
        case BreakpointAccess::kRead:
            return condition == Condition::kReadWrite;
        case BreakpointAccess::kWrite:
            return condition == Condition::kReadWrite || condition == Condition::kWrite;
        case BreakpointAccess::kPort:
            return condition == Condition::kPort && (state.cr4 & cr4::kDE) != 0;
    }
    return false;
}

}  // namespace

bool breakpoints_armed(const CPUState& state, BreakpointAccess access) {
    if ((state.dr7 & dr7::kEnables) == 0) [[likely]]
        return false;
    for (unsigned i = 0; i < state.dr.size(); ++i)
        if (enabled(state, i) && covers(state, i, access))
            return true;
    return false;
}

u64 breakpoints_hit(const CPUState& state, BreakpointAccess access, u64 address, u64 size) {
    if ((state.dr7 & dr7::kEnables) == 0) [[likely]]
        return 0;
    u64 hits = 0;
    for (unsigned i = 0; i < state.dr.size(); ++i) {
        if (!enabled(state, i) || !covers(state, i, access))
            continue;
        const u64 length = size_of(state, i);
        const u64 start = state.dr[i] & ~(length - 1);
        const bool hit = access == BreakpointAccess::kExecute
                             ? state.dr[i] == address
                             : address - start < length || start - address < size;
        if (hit)
            hits |= u64{1} << i;
    }
    return hits;
}

void report_debug(CPUState& state, u64 causes) {
    state.dr6 = (state.dr6 & ~dr6::kMatches) | causes | dr6::kFixed;
}

}  // namespace uchronia::cpu::interp
