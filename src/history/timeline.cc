#include "history/timeline.h"

#include <algorithm>

namespace uchronia::history {
namespace {

constexpr u64 kSpacing = u64{1} << 26;  // ticks
constexpr std::size_t kMostLaid = 256;

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
    if (ticks() > moment.tick || time() > moment.time || end()) {
        if (Status status = go_back_before(moment); !status)
            return status;
    }
    while (!end() && !run_->interrupted() && (ticks() < moment.tick || time() < moment.time)) {
        const Ticks next((ticks().value / kSpacing + 1) * kSpacing);
        // A moment by time alone has no tick to stop at, and the other way round.
        const Ticks tick = ticks() < moment.tick ? std::min(moment.tick, next) : next;
        run_on(tick, time() < moment.time ? moment.time : kNever);
    }
    return {};
}

Ticks Timeline::checkpoint_before(Ticks tick) const {
    const auto next = laid_.lower_bound(tick);
    return next == laid_.begin() ? Ticks(0) : std::prev(next)->first;
}

void Timeline::lay_checkpoint() {
    if (laid_.contains(ticks()))
        return;
    laid_.emplace(ticks(), Laid{time(), run_->mark()});
    if (laid_.size() > kMostLaid)
        thin_out();
}

// To the last checkpoint at which neither tick nor time is past the moment.
Status Timeline::go_back_before(const Moment& moment) {
    auto best = laid_.begin();
    for (auto laid = laid_.begin(); laid != laid_.end(); ++laid) {
        if (laid->first <= moment.tick && laid->second.time <= moment.time)
            best = laid;
    }
    return run_->go_back(best->second.mark);
}

void Timeline::run_on(Ticks tick, VirtualTime time) {
    run_->run_to(tick, time);
    if (ticks().value % kSpacing == 0 && !end())
        lay_checkpoint();
    if (options_.on_progress)
        options_.on_progress(ticks(), this->time());
}

// Drops the checkpoint that is least missed: whose neighbours are nearest to each other, measured
// by how far it lies behind.
void Timeline::thin_out() {
    auto least = laid_.end();
    double least_loss = 0;
    for (auto laid = std::next(laid_.begin()); std::next(laid) != laid_.end(); ++laid) {
        const double gap =
            static_cast<double>((std::next(laid)->first - std::prev(laid)->first).value);
        const u64 last = laid_.rbegin()->first.value;
        const double loss = gap / static_cast<double>(last - laid->first.value + kSpacing);
        if (least == laid_.end() || loss < least_loss) {
            least = laid;
            least_loss = loss;
        }
    }
    if (least != laid_.end())
        laid_.erase(least);
}

}  // namespace uchronia::history
