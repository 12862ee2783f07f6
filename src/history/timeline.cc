#include "history/timeline.h"

#include <algorithm>

namespace uchronia::history {
namespace {

constexpr u64 kNear = u64{1} << 15;  // ticks; nearer ones count as this far
constexpr std::size_t kMostLaid = 4096;
constexpr std::size_t kFewestLaid = 8;  // whatever memory they take
// Before the tick that a seek goes to, as the next one mostly goes a little back.
constexpr u64 kDistancesBefore[] = {u64{1} << 23, u64{1} << 19, u64{1} << 15};

}  // namespace

Result<std::unique_ptr<Timeline>> Timeline::open(const machine::BaseImage& base, History history,
                                                 host::FileSource* files,
                                                 const TimelineOptions& options) {
    Result<std::unique_ptr<SteppedRun>> run =
        SteppedRun::start(base, std::move(history), files, options.run);
    if (!run)
        return run.error();
    std::unique_ptr<Timeline> timeline(new Timeline(options));
    timeline->run_ = std::move(*run);
    timeline->lay_checkpoint();
    return timeline;
}

Status Timeline::seek(const Moment& moment) {
    if (is_here(moment))
        return {};
    const bool is_past = end() || !leads_to(ticks(), run_->time(), run_->arrival(), moment);
    if (Status status = go_near(moment, is_past); !status)
        return status;
    here_.reset();
    while (!end() && !run_->interrupted() && !has_come_to(moment, ticks(), run_->time())) {
        run_->run_to(next_stop(moment), names_a_time(moment) ? moment.time : kNever);
        if (!end()) {
            lay_checkpoint();
            kept_.pass({ticks(), run_->time()}, machine(), start_ram());
        }
        if (options_.on_progress)
            options_.on_progress(ticks(), run_->time());
    }
    if (run_->interrupted())
        return {};
    here_ = Here{moment, ticks(), run_->time()};
    return {};
}

// Whether the last seek was for this moment, and nobody has run on since.
bool Timeline::is_here(const Moment& moment) const {
    return here_ && here_->moment == moment && here_->tick == ticks() &&
           here_->time == run_->time();
}

// Where a run to the moment stops next, to lay checkpoints.
Ticks Timeline::next_stop(const Moment& moment) const {
    const u64 here = ticks().value;
    u64 next = (here / options_.spacing + 1) * options_.spacing;
    if (names_a_time(moment))
        return Ticks(next);
    for (const u64 distance : kDistancesBefore) {
        if (moment.tick.value > distance && moment.tick.value - distance > here)
            next = std::min(next, moment.tick.value - distance);
    }
    return std::min(moment.tick, Ticks(next));
}

Ticks Timeline::checkpoint_before(Ticks tick) const {
    const auto next = laid_.lower_bound(tick);
    return next == laid_.begin() ? Ticks(0) : std::prev(next)->first;
}

void Timeline::lay_checkpoint() {
    if (!laid_.contains(ticks()))
        laid_.emplace(ticks(), Laid{run_->time(), run_->mark()});
    while (laid_.size() > kMostLaid ||
           (run_->memory_in_use() > options_.memory_budget && laid_.size() > kFewestLaid))
        thin_out();
}

// To the latest checkpoint from which the moment is reached, if that is nearer than running on from
// here. `is_past`: from here it is not reached.
Status Timeline::go_near(const Moment& moment, bool is_past) {
    const Ticks here = is_past ? Ticks(0) : ticks();
    auto best = laid_.end();
    for (auto laid = laid_.begin(); laid != laid_.end(); ++laid) {
        if (leads_to(laid->first, laid->second.time, laid->second.mark.arrival, moment))
            best = laid;
    }
    if (best == laid_.end())
        best = laid_.begin();  // the start
    const bool goes_by_memory = is_past || best->first > here;
    if (kept_.restore_before(moment, std::max(here, best->first), machine(), run_->frames(),
                             start_ram())) {
        run_->has_gone_to_a_tick();
        return {};
    }
    return goes_by_memory ? run_->go_back(best->second.mark) : Status();
}

void Timeline::thin_out() {
    const u64 here = ticks().value;
    auto least = laid_.end();
    double least_loss = 0;
    for (auto laid = std::next(laid_.begin()); laid != laid_.end(); ++laid) {
        const auto next = std::next(laid);
        const u64 tick = laid->first.value;
        const u64 before = std::prev(laid)->first.value;
        const u64 after = next == laid_.end() ? tick + options_.spacing : next->first.value;
        const u64 distance = here > tick ? here - tick : tick - here;
        const double loss =
            static_cast<double>(after - before) / static_cast<double>(distance + kNear);
        if (tick != here && (least == laid_.end() || loss < least_loss)) {
            least = laid;
            least_loss = loss;
        }
    }
    if (least != laid_.end())
        laid_.erase(least);
}

}  // namespace uchronia::history
