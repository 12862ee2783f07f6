#include "debug/traveller.h"

#include <algorithm>
#include <utility>

namespace uchronia::debug {
namespace {

using cpu::DebugHit;
using cpu::DebugStops;

constexpr u64 kSlice = u64{1} << 23;    // ticks between two looks at whether to give up
constexpr u64 kSpacing = u64{1} << 26;  // ticks between checkpoints, on the way

bool stops_after(DebugHit::Kind kind) {
    return kind == DebugHit::Kind::kRead || kind == DebugHit::Kind::kWrite;
}

}  // namespace

Traveller::Traveller(history::Timeline& timeline) : timeline_(timeline) {
    stops_.set_filter(this);
}

Traveller::~Traveller() {
    machine().set_debug_stops(nullptr);
}

bool Traveller::wants(const DebugHit& hit, const cpu::VCPU& cpu) {
    return hunt_ != nullptr && (!hunt_->wants || hunt_->wants(hit, cpu));
}

void Traveller::set_places(const DebugStops::Places& places) {
    if (places == stops_.places())
        return;
    stops_.set(places);
    machine().set_debug_stops(places.empty() ? nullptr : &stops_);
}

// Nothing is looked for: what makes runs slower goes.
void Traveller::hurry() {
    if (stops_.places().user_mode || !stops_.places().watches.empty())
        set_places({});
}

Status Traveller::seek(const history::Moment& moment) {
    hurry();
    return timeline_.seek(moment);
}

Status Traveller::seek(Ticks tick) {
    return seek(history::Moment::at(tick));
}

Halt Traveller::run(Ticks limit, const Hunt& hunt) {
    return run_from(limit, hunt, DebugStops::First::kPass);
}

Halt Traveller::run_from(Ticks limit, const Hunt& hunt, DebugStops::First first) {
    set_places(hunt.places);
    if (hunt.begins)
        hunt.begins();
    while (ticks() < limit) {
        if (timeline_.end())
            return {.why = Halt::Why::kEnd};
        if (timeline_.run().interrupted() || (is_interrupted_ && is_interrupted_()))
            return {.why = Halt::Why::kInterrupted};
        const u64 here = ticks().value;
        const u64 next = std::min({limit.value, here + kSlice, (here / kSpacing + 1) * kSpacing});
        stops_.set_first(std::exchange(first, DebugStops::First::kStop));
        hunt_ = &hunt;
        timeline_.run().run_to(Ticks(next));
        hunt_ = nullptr;
        const bool has_hit = !hunt.places.empty() && stops_.has_hit();
        if (has_hit && (!hunt.accepts || hunt.accepts(stops_.hit())))
            return {.why = Halt::Why::kHit, .hit = stops_.hit()};
        if (has_hit && !stops_after(stops_.hit().kind))
            first = DebugStops::First::kPass;
        if (ticks().value % kSpacing == 0 && !has_hit && !timeline_.end())
            timeline_.lay_checkpoint();
    }
    return {.why = timeline_.end() ? Halt::Why::kEnd : Halt::Why::kTick};
}

Halt Traveller::run_back(Ticks begin, const Hunt& hunt) {
    for (Ticks end = ticks(); end > begin;) {
        const Ticks start = std::max(begin, timeline_.checkpoint_before(end));
        if (Status status = timeline_.seek(history::Moment::at(start)); !status)
            return {.why = Halt::Why::kFailed, .message = status.error().message};
        std::optional<Found> last;
        DebugStops::First first = DebugStops::First::kStop;
        for (;;) {
            const Halt halt = run_from(end, hunt, first);
            if (halt.why == Halt::Why::kInterrupted)
                return halt;
            if (halt.why != Halt::Why::kHit)
                break;
            const bool after = stops_after(halt.hit.kind);
            first = after ? DebugStops::First::kStop : DebugStops::First::kPass;
            const Ticks tick = after ? ticks() - Ticks(1) : ticks();
            if (tick >= start && tick < end)
                last = Found{tick, halt.hit};
        }
        if (last) {
            if (Status status = return_to(*last, hunt); !status)
                return {.why = Halt::Why::kFailed, .message = status.error().message};
            return {.why = Halt::Why::kHit, .hit = last->hit};
        }
        end = start;
    }
    if (Status status = seek(begin); !status)
        return {.why = Halt::Why::kFailed, .message = status.error().message};
    return {.why = Halt::Why::kBegin};
}

// Before the instruction of a hit. An interrupt may come at the same tick before it.
Status Traveller::return_to(const Found& found, const Hunt& hunt) {
    if (Status status = seek(found.tick); !status)
        return status;
    const u64 rip = machine().vcpu(found.hit.vcpu).state.rip;
    if (found.hit.kind == DebugHit::Kind::kBreakpoint && rip != found.hit.address)
        (void)run_from(found.tick + Ticks(1), hunt, DebugStops::First::kStop);
    return {};
}

}  // namespace uchronia::debug
