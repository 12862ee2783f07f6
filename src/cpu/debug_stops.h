// Places at which a debugger wants a run to stop: addresses of instructions, accesses to memory,
// and the way back into user mode.
//
// Not state of the guest: never saved, hashed or seen by it. A run with stops goes through the same
// states as one without; it only ends earlier, and is slower in pages that have one.
#pragma once

#include <algorithm>
#include <vector>

#include "base/types.h"

namespace uchronia::cpu {

class VCPU;

struct DebugHit {
    enum class Kind : u8 {
        kBreakpoint,  // before the instruction at `address`
        kRead,        // after an instruction that read some of a watched range
        kWrite,       // or wrote
        kUserMode,    // before the first instruction in user mode since the kernel ran
    };
    Kind kind = Kind::kBreakpoint;
    unsigned vcpu = 0;
    u64 address = 0;  // of the instruction, or of the watched range
};

// Asked at each hit, while the machine runs; must not change it.
class DebugFilter {
  public:
    virtual ~DebugFilter() = default;
    // Whether to stop.
    virtual bool wants(const DebugHit& hit, const VCPU& cpu) = 0;
};

class DebugStops {
  public:
    // Linear addresses.
    struct Watch {
        u64 address = 0, size = 0;
        bool reads = false, writes = false;

        bool operator==(const Watch&) const = default;
    };
    struct Places {
        std::vector<u64> breakpoints = {};  // in ascending order, without doubles
        std::vector<Watch> watches = {};
        bool user_mode = false;

        bool operator==(const Places&) const = default;
        bool empty() const { return breakpoints.empty() && watches.empty() && !user_mode; }
    };

    void set(Places places) { places_ = std::move(places); }
    const Places& places() const { return places_; }
    void set_filter(DebugFilter* filter) { filter_ = filter; }

    // The first breakpoint at or after an address in the same page, or ~0.
    u64 next_breakpoint(u64 address) const {
        const auto& all = places_.breakpoints;
        const auto found = std::lower_bound(all.begin(), all.end(), address);
        const bool in_page = found != all.end() && (*found ^ address) >> kPageBits == 0;
        return in_page ? *found : ~u64{0};
    }
    // Whether code there may only run where each instruction is looked at.
    bool looks_at_code(u64 address, bool user) const {
        return (user && places_.user_mode) || next_breakpoint(address & ~kPageMask) != ~u64{0};
    }
    // Whether no access of the kind may go by without being looked at, in the page of an address.
    bool watches_page(u64 address, bool write) const {
        const u64 page = address & ~kPageMask;
        return std::any_of(places_.watches.begin(), places_.watches.end(), [&](const Watch& w) {
            return (write ? w.writes || w.reads : w.reads) && w.address < page + kPageSize &&
                   page < w.address + w.size;
        });
    }
    const Watch* watch_at(u64 address, u64 size, bool write) const {
        for (const Watch& w : places_.watches) {
            if ((write ? w.writes : w.reads) && w.address < address + size &&
                address < w.address + w.size)
                return &w;
        }
        return nullptr;
    }

    // Whether the next run goes on although it begins at such a place.
    enum class First : u8 { kPass, kStop };
    void set_first(First first) { first_ = first; }
    // Where the run is, in the machine's ticks.
    void begin_run(u64 tick) {
        passed_tick_ = first_ == First::kPass ? tick : ~u64{0};
        has_hit_ = false;
    }
    void set_tick(u64 tick) { tick_ = tick; }
    u64 tick() const { return tick_; }
    u64 passed_tick() const { return passed_tick_; }

    void report(const DebugHit& hit, const VCPU& cpu) {
        if (has_hit_ || (filter_ != nullptr && !filter_->wants(hit, cpu)))
            return;
        has_hit_ = true;
        hit_ = hit;
    }
    bool has_hit() const { return has_hit_; }
    const DebugHit& hit() const { return hit_; }

    // Of instructions in user mode: the one at `tick` comes right after another one.
    bool is_new_in_user_mode(u64 tick) const { return tick != end_of_user_code_; }
    void note_user_code(u64 end_tick) { end_of_user_code_ = end_tick; }

  private:
    Places places_;
    DebugFilter* filter_ = nullptr;
    First first_ = First::kPass;
    DebugHit hit_;
    bool has_hit_ = false;
    u64 tick_ = 0;
    u64 passed_tick_ = ~u64{0};
    u64 end_of_user_code_ = ~u64{0};
};

}  // namespace uchronia::cpu
