// Virtual time, from ticks.
//
// vCPUs take turns on one thread, but time passes as if those that run did so at once: if `shares`
// of them run, a tick of one of them takes one nanosecond divided by `shares`. So each has one tick
// a nanosecond on average, and no vCPU ever sees a time before one that another has seen.
//
// Invariant: what advance() adds does not depend on the pieces in which it is called.
#pragma once

#include "base/fields.h"
#include "base/types.h"
#include "cpu/vcpu.h"

namespace uchronia::machine {

class VirtualClock {
  public:
    static constexpr unsigned kMostShares = 8;
    // Of a nanosecond; each number of shares divides it.
    static constexpr u32 kParts = cpu::RunClock::kParts;

    VirtualTime now() const { return now_; }

    // The time after so many more ticks.
    VirtualTime after(u64 ticks, unsigned shares) const {
        return now_ + VirtualTime(ticks / shares + parts_after(ticks, shares) / kParts);
    }
    void advance(u64 ticks, unsigned shares) {
        const u32 parts = parts_after(ticks, shares);
        now_ += VirtualTime(ticks / shares + parts / kParts);
        parts_ = parts % kParts;
    }
    // The fewest ticks after which it is `time`, which is not before now.
    u64 ticks_until(VirtualTime time, unsigned shares) const {
        constexpr u64 kFarthest = u64{1} << 58;  // years
        const u64 distance = time.value - now_.value;
        if (distance == 0 || distance > kFarthest)
            return distance;
        return distance * shares - parts_ / (kParts / shares);
    }
    // How a vCPU's time stamp goes on from now.
    cpu::RunClock run_clock(unsigned shares) const {
        return {.start = now_.value, .parts = parts_, .parts_of_tick = kParts / shares};
    }
    // Time in which nobody runs.
    void skip(VirtualTime time) { now_ += time; }

    void fields(FieldVisitor& v) {
        v("now", now_);
        v("parts", parts_);
    }
    bool is_sound() const {
        constexpr u64 kLatest = u64{1} << 62;
        return now_.value <= kLatest && parts_ < kParts;
    }

  private:
    u32 parts_after(u64 ticks, unsigned shares) const {
        return parts_ + static_cast<u32>(ticks % shares) * (kParts / shares);
    }

    VirtualTime now_;
    u32 parts_ = 0;
};

}  // namespace uchronia::machine
