#include "history/timeline.h"

#include <algorithm>

#include "base/check.h"

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
    timeline->branches_[kRecorded] = {};
    timeline->lay_checkpoint();
    return timeline;
}

Status Timeline::seek(const Moment& moment) {
    return seek(present_, moment);
}

Status Timeline::seek(BranchNumber branch, const Moment& moment) {
    if (branch == present_ && is_here(moment))
        return {};
    if (Status status = go_near(branch, moment); !status)
        return status;
    here_.reset();
    while (!end() && !run_->interrupted() && !has_come_to(moment, ticks(), run_->time())) {
        run_->run_to(next_stop(moment), names_a_time(moment) ? moment.time : kNever);
        if (!end()) {
            lay_checkpoint();
            const Branch* const first = first_branch(present_);
            if (first == nullptr || ticks() < first->from)
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

Result<BranchNumber> Timeline::branch(u64 seed, VirtualTime timeout) {
    if (end())
        return Error{"nothing goes on from the end of a history: " + describe(*end())};
    Branch branch{.parent = owner_here(), .from = ticks(), .from_time = time()};
    branches_.at(present_).course = run_->course();
    run_->branch(seed, timeout);
    present_ = ++last_number_;
    branches_.emplace(present_, std::move(branch));
    here_.reset();
    lay_checkpoint();
    return present_;
}

void Timeline::drop(BranchNumber branch) {
    const auto dropped = branches_.find(branch);
    CHECK(dropped != branches_.end() && branch != kRecorded && branch != present_);
    CHECK(std::none_of(branches_.begin(), branches_.end(), [&](const auto& other) {
        return other.first != kRecorded && other.second.parent == branch;
    }));
    laid_count_ -= dropped->second.laid.size();
    branches_.erase(dropped);
}

// Whether the last seek was for this moment of this branch, and nobody has run on since.
bool Timeline::is_here(const Moment& moment) const {
    return here_ && here_->moment == moment && here_->tick == ticks() &&
           here_->time == run_->time();
}

// The branch whose state this is, and that of all the branches that were made from it later on.
BranchNumber Timeline::owner_here() const {
    BranchNumber owner = present_;
    while (ticks() < branches_.at(owner).from)
        owner = branches_.at(owner).parent;
    return owner;
}

// The one by which this branch left the recorded history; null: it is that itself.
const Timeline::Branch* Timeline::first_branch(BranchNumber branch) const {
    const Branch* first = nullptr;
    for (; branch != kRecorded; branch = first->parent)
        first = &branches_.at(branch);
    return first;
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

// The latest checkpoint in the branch and what came before it that is as asked for, or the start.
template <class IsGood>
const Timeline::LaidByTick::value_type& Timeline::latest(BranchNumber branch,
                                                         const IsGood& is_good) const {
    for (Ticks end(~u64{0});;) {
        const Branch& part = branches_.at(branch);
        for (auto laid = part.laid.lower_bound(end); laid != part.laid.begin();) {
            --laid;
            if (is_good(*laid))
                return *laid;
        }
        if (branch == kRecorded)
            return *part.laid.begin();
        end = part.from;
        branch = part.parent;
    }
}

Ticks Timeline::checkpoint_before(Ticks tick) const {
    return latest(present_, [&](const auto& laid) { return laid.first < tick; }).first;
}

void Timeline::lay_checkpoint() {
    LaidByTick& laid = branches_.at(owner_here()).laid;
    if (!laid.contains(ticks())) {
        laid.emplace(ticks(), Laid{run_->time(), run_->mark()});
        ++laid_count_;
    }
    while (laid_count_ > kMostLaid ||
           (run_->memory_in_use() > options_.memory_budget && laid_count_ > kFewestLaid))
        thin_out();
}

// Into the branch, to the latest checkpoint from which the moment is reached, if that is nearer
// than running on from here.
Status Timeline::go_near(BranchNumber branch, const Moment& moment) {
    const bool goes_on =
        branch == present_ && !end() && leads_to(ticks(), run_->time(), run_->arrival(), moment);
    const Ticks here = goes_on ? ticks() : Ticks(0);
    const auto& [tick, laid] = latest(branch, [&](const auto& candidate) {
        const auto& [at, state] = candidate;
        return leads_to(at, state.time, state.mark.arrival, moment);
    });
    if (!go_near_by_disk(branch, moment, std::max(here, tick)) && (!goes_on || tick > here)) {
        if (Status status = run_->go_back(laid.mark); !status)
            return status;
    }
    if (branch != present_) {
        branches_.at(present_).course = run_->course();
        run_->set_course(branches_.at(branch).course);
        present_ = branch;
    }
    return {};
}

// To a checkpoint on disk well after `tick`, if there is one.
bool Timeline::go_near_by_disk(BranchNumber branch, const Moment& moment, Ticks tick) {
    Moment latest = moment;
    if (const Branch* const first = first_branch(branch)) {
        if (first->from == Ticks(0))
            return false;
        const bool is_later =
            names_a_time(moment) ? moment.time >= first->from_time : moment.tick >= first->from;
        if (is_later)
            latest = Moment::at(first->from - Ticks(1));
    }
    if (!kept_.restore_before(latest, tick, machine(), run_->frames(), start_ram()))
        return false;
    run_->has_gone_to_a_tick();
    return true;
}

// A checkpoint goes whose neighbours are near to each other, and which is far from here, in ticks,
// whatever its branch is.
void Timeline::thin_out() {
    const u64 here = ticks().value;
    LaidByTick* from = nullptr;
    LaidByTick::iterator least;
    double least_loss = 0;
    for (auto& [number, branch] : branches_) {
        const bool is_recorded = number == kRecorded;
        u64 before = branch.from.value - std::min(branch.from.value, options_.spacing);
        for (auto laid = branch.laid.begin(); laid != branch.laid.end(); ++laid) {
            const u64 tick = laid->first.value;
            const auto next = std::next(laid);
            const u64 after =
                next == branch.laid.end() ? tick + options_.spacing : next->first.value;
            const u64 distance = here > tick ? here - tick : tick - here;
            const double loss =
                static_cast<double>(after - before) / static_cast<double>(distance + kNear);
            const bool may_go = tick != here && !(is_recorded && laid == branch.laid.begin());
            if (may_go && (from == nullptr || loss < least_loss)) {
                from = &branch.laid;
                least = laid;
                least_loss = loss;
            }
            before = tick;
        }
    }
    if (from == nullptr)
        return;
    from->erase(least);
    --laid_count_;
}

}  // namespace uchronia::history
