#include "explore/explore.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "explore/file_changes.h"
#include "host/clock.h"

namespace uchronia::explore {
namespace {

// Seeds that are run ahead of one that takes long; their results wait in memory.
constexpr u64 kMostAhead = 4096;

constexpr char kRemedy[] = "; without --resume all seeds are run anew";

}  // namespace

// A run that has ended.
struct Explorer::Finished {
    RunSummary summary;
    std::optional<history::History> history;  // if it may be the first of its kind of failure
};

// What the threads have in common; all of it is only used with the mutex held.
struct Explorer::Shared {
    explicit Shared(u64 first_seed) : results(first_seed) {}

    std::mutex mutex;
    std::condition_variable changed;
    Results results;
    history::FileRecord files;               // what the runs have seen
    std::deque<u64> again;                   // seeds of failures whose histories are missing
    u64 next_index = 0;                      // of the seed that is run next
    std::map<u64, Finished> pending;         // by index: those that wait for one before
    std::vector<history::Session*> running;  // by job; null: none
    Pace pace;
    Status contents_kept;
    std::optional<Error> error;
    bool stop = false;
};

Explorer::Explorer(const machine::BaseImage& base, history::History history, OpenFiles open_files,
                   ExploreOptions options)
    : base_(base),
      history_(history::without_result(std::move(history))),
      open_files_(std::move(open_files)),
      options_(options),
      shared_(std::make_unique<Shared>(options.first_seed)) {
    shared_->running.resize(options_.job_count);
    shared_->pace.seeds_left = options_.seed_count;
}

Explorer::~Explorer() = default;

void Explorer::resume(LoggedResults earlier) {
    shared_->files = std::move(earlier.files);
    for (const RunSummary& run : earlier.runs) {
        if (is_done())
            break;
        shared_->results.add(run);
    }
    for (const Failure& failure : shared_->results.failures())
        shared_->again.push_back(failure.lowest_seed);
    shared_->next_index = shared_->results.runs();
    shared_->pace.seeds_left = options_.seed_count - shared_->results.runs();
}

void Explorer::keep_results(ResultsLog& log) {
    log_ = &log;
}

void Explorer::on_progress(std::function<void(const Results&, const Pace&)> call) {
    call_ = std::move(call);
}

const Results& Explorer::results() const {
    return shared_->results;
}

const Pace& Explorer::pace() const {
    return shared_->pace;
}

const Status& Explorer::contents_kept() const {
    return shared_->contents_kept;
}

Status Explorer::run() {
    const Result<std::unique_ptr<host::FileSource>> files = open_files_();
    if (!files)
        return files.error();
    if (Status status = check_files(**files); !status)
        return status;
    std::vector<std::thread> threads;
    for (unsigned job = 0; job < options_.job_count; ++job)
        threads.emplace_back([this, job] { work(job); });
    for (std::thread& thread : threads)
        thread.join();
    return shared_->error ? Status(*shared_->error) : Status();
}

Status Explorer::check_files(host::FileSource& files) {
    if (const auto path = first_changed_file(shared_->files, files))
        return Error{*path +
                     " has changed since the earlier seeds were run, so other seeds would "
                     "not be runs of the same" +
                     kRemedy};
    return {};
}

bool Explorer::is_done() const {
    return shared_->results.runs() >= options_.seed_count ||
           shared_->results.failed() >= options_.stop_after;
}

void Explorer::interrupt() {
    const std::lock_guard lock(shared_->mutex);
    stop_sessions();
}

void Explorer::stop_sessions() {
    shared_->stop = true;
    for (history::Session* session : shared_->running) {
        if (session != nullptr)
            session->interrupt();
    }
    shared_->changed.notify_all();
}

void Explorer::fail(const Error& error) {
    const std::lock_guard lock(shared_->mutex);
    if (!shared_->error)
        shared_->error = error;
    stop_sessions();
}

void Explorer::work(unsigned job) {
    Result<std::unique_ptr<host::FileSource>> files = open_files_();
    if (!files)
        return fail(files.error());
    u64 seed = 0;
    while (take_seed(seed)) {
        if (Status status = run_seed(job, seed, **files); !status)
            return fail(status.error());
    }
}

// False: there is none left.
bool Explorer::take_seed(u64& seed) {
    Shared& shared = *shared_;
    std::unique_lock lock(shared.mutex);
    shared.changed.wait(lock, [&] {
        return shared.stop || !shared.again.empty() || is_done() ||
               shared.next_index < shared.results.runs() + kMostAhead;
    });
    if (shared.stop)
        return false;
    if (!shared.again.empty()) {
        seed = shared.again.front();
        shared.again.pop_front();
        return true;
    }
    if (is_done() || shared.next_index >= options_.seed_count)
        return false;
    seed = options_.first_seed + shared.next_index++;
    return true;
}

Status Explorer::run_seed(unsigned job, u64 seed, host::FileSource& files) {
    history::History history = history_;
    history.tape = history::Tape::from_seed(seed);
    // What a run says while it is explored is not shown; a replay shows it.
    OutputSummariser outside;
    history::Session session(
        base_, std::move(history), outside, &files,
        {.engine = options_.engine, .library = options_.library, .store = options_.store});
    {
        const std::lock_guard lock(shared_->mutex);
        if (shared_->stop)
            return {};
        shared_->running[job] = &session;
    }
    const Status status = session.run();
    std::unique_lock lock(shared_->mutex);
    shared_->running[job] = nullptr;
    // A run that was given up says nothing about its seed.
    if (!status || shared_->stop)
        return status;
    const history::RunResult& result = *session.history().result;
    Finished run{.summary = {.outcome = result.outcome,
                             .output = outside.summary(),
                             .ticks = result.ticks,
                             .time = result.time},
                 .history = std::nullopt};
    if (needs_history(seed, result.outcome)) {
        lock.unlock();
        const Status kept = session.keep_contents();
        run.history = session.history();
        lock.lock();
        if (!kept)
            shared_->contents_kept = kept;
    }
    ++shared_->pace.runs;
    shared_->pace.time += result.time;
    const history::FileRecord news = add_new_answers(shared_->files, session.history().record);
    if (log_ != nullptr)
        log_->add(news);
    if (is_known(seed))
        return finish_again(seed, std::move(run));
    finish_new(seed, std::move(run));
    return {};
}

// Whether results have the seed, which is run again for its history.
bool Explorer::is_known(u64 seed) const {
    return seed - options_.first_seed < shared_->results.runs();
}

bool Explorer::needs_history(u64 seed, const history::Outcome& outcome) const {
    if (is_known(seed))
        return true;
    const std::string description = history::describe(outcome);
    for (const auto& [index, earlier] : shared_->pending) {
        if (index < seed - options_.first_seed && earlier.history &&
            history::describe(earlier.summary.outcome) == description)
            return false;
    }
    return shared_->results.is_new_failure(outcome);
}

// Gives a failure its history, if the seed gave again what it gave before.
Status Explorer::finish_again(u64 seed, Finished run) {
    for (Failure& failure : shared_->results.failures()) {
        if (failure.lowest_seed != seed)
            continue;
        const RunSummary& before = failure.first;
        const RunSummary& now = run.summary;
        if (now.outcome != before.outcome || now.output.digest != before.output.digest ||
            now.ticks != before.ticks || now.time != before.time)
            return Error{"seed " + std::to_string(seed) +
                         " gave something else when it was run again, so files that it reads have "
                         "changed" +
                         kRemedy};
        failure.history = std::move(run.history);
    }
    return {};
}

void Explorer::finish_new(u64 seed, Finished run) {
    // A run of a higher seed that waits with the same failure needs no history any more.
    for (auto later = shared_->pending.upper_bound(seed - options_.first_seed);
         run.history && later != shared_->pending.end(); ++later) {
        if (history::describe(later->second.summary.outcome) ==
            history::describe(run.summary.outcome))
            later->second.history.reset();
    }
    shared_->pending.emplace(seed - options_.first_seed, std::move(run));
    --shared_->pace.seeds_left;
    commit();
    if (log_ != nullptr)
        log_->flush_now_and_then(host::monotonic_nanoseconds());
    if (call_)
        call_(shared_->results, shared_->pace);
    if (shared_->results.failed() >= options_.stop_after)
        stop_sessions();
    shared_->changed.notify_all();
}

// Adds to the results the runs that no seed before them is missing for.
void Explorer::commit() {
    Shared& shared = *shared_;
    for (auto next = shared.pending.begin();
         next != shared.pending.end() && next->first == shared.results.runs() && !is_done();
         next = shared.pending.erase(next)) {
        Finished& run = next->second;
        const bool is_new_failure = shared.results.is_new_failure(run.summary.outcome);
        const bool is_new = shared.results.add(run.summary);
        if (is_new_failure)
            shared.results.failures().back().history = std::move(run.history);
        if (log_ != nullptr)
            log_->add(run.summary,
                      is_new ? ResultsLog::Outcome::kNew : ResultsLog::Outcome::kKnown);
    }
}

}  // namespace uchronia::explore
