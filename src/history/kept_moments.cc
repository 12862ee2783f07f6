#include "history/kept_moments.h"

namespace uchronia::history {
namespace {

// What is nearer is run to faster than it is loaded.
constexpr Ticks kWorthLoading(u64{1} << 26);

}  // namespace

KeptMoments::KeptMoments(const KeptMomentsOptions& options)
    : options_(options), store_(options.folder) {
    if (options.folder.empty())
        return;
    for (const StoredMoment& moment : store_.moments())
        moments_.insert(moment);
}

std::optional<StoredMoment> KeptMoments::restore_before(const Moment& moment, Ticks tick,
                                                        machine::Machine& machine,
                                                        memory::FrameStore& frames,
                                                        const memory::RAMSnapshot& start) {
    std::optional<StoredMoment> best;
    for (const StoredMoment& kept : moments_) {
        if (kept.tick > tick + kWorthLoading &&
            leads_to(kept.tick, kept.time, Arrival::kByTick, moment))
            best = kept;
    }
    if (!best)
        return std::nullopt;
    const Result<machine::Checkpoint> checkpoint = store_.load(*best, frames, start);
    if (checkpoint && machine.restore(*checkpoint))
        return best;
    moments_.clear();  // somebody has emptied the store
    return std::nullopt;
}

void KeptMoments::pass(const StoredMoment& here, machine::Machine& machine,
                       const memory::RAMSnapshot& start) {
    if (options_.folder.empty() || here.tick == Ticks(0) ||
        here.tick.value % options_.spacing != 0 || !failure_.empty() || moments_.contains(here) ||
        store_.size() >= options_.budget)
        return;
    const Status status = store_.save(here, machine.checkpoint(), start);
    if (status)
        moments_.insert(here);
    else
        failure_ = status.error().message;
}

}  // namespace uchronia::history
