#include "explore/explore.h"

#include <mutex>
#include <optional>
#include <thread>

namespace uchronia::explore {

// What the threads have in common; all of it is only used with the mutex held, but for `stop`.
struct Explorer::Shared {
    std::mutex mutex;
    u64 next_index = 0;
    Findings findings;
    std::optional<Error> error;
    std::vector<history::Session*> running;  // by job; null: none
    std::atomic<bool> stop = false;
};

Explorer::Explorer(const machine::BaseImage& base, history::History history, OpenFiles open_files,
                   ExploreOptions options)
    : base_(base),
      history_(history::without_result(std::move(history))),
      open_files_(std::move(open_files)),
      options_(options),
      shared_(std::make_unique<Shared>()) {
    shared_->running.resize(options_.job_count);
}

Explorer::~Explorer() = default;

void Explorer::on_progress(std::function<void(const Findings&)> call) {
    progress_ = std::move(call);
}

Result<Findings> Explorer::run() {
    std::vector<std::thread> threads;
    for (unsigned job = 0; job < options_.job_count; ++job)
        threads.emplace_back([this, job] { work(job); });
    for (std::thread& thread : threads)
        thread.join();
    if (shared_->error)
        return *shared_->error;
    return std::move(shared_->findings);
}

void Explorer::interrupt() {
    const std::lock_guard lock(shared_->mutex);
    shared_->stop = true;
    for (history::Session* session : shared_->running) {
        if (session != nullptr)
            session->interrupt();
    }
}

void Explorer::work(unsigned job) {
    const auto fail = [this](const Error& error) {
        {
            const std::lock_guard lock(shared_->mutex);
            if (!shared_->error)
                shared_->error = error;
        }
        interrupt();
    };
    Result<std::unique_ptr<host::FileSource>> files = open_files_();
    if (!files)
        return fail(files.error());
    while (!shared_->stop) {
        u64 index = 0;
        {
            const std::lock_guard lock(shared_->mutex);
            index = shared_->next_index++;
        }
        if (index >= options_.seed_count)
            return;
        if (Status status = run_seed(job, options_.first_seed + index, **files); !status)
            return fail(status.error());
    }
}

Status Explorer::run_seed(unsigned job, u64 seed, host::FileSource& files) {
    history::History history = history_;
    history.tape = history::Tape::from_seed(seed);
    // What a run says while it is explored is not shown; a replay shows it.
    machine::SilentOutside outside;
    history::Session session(
        base_, std::move(history), outside, &files,
        {.engine = options_.engine, .library = options_.library, .store = options_.store});
    {
        const std::lock_guard lock(shared_->mutex);
        if (shared_->stop)
            return {};
        shared_->running[job] = &session;
    }
    Status status = session.run();
    Status kept;
    if (status && !history::succeeded(session.history().result->outcome))
        kept = session.keep_contents();
    const std::lock_guard lock(shared_->mutex);
    shared_->running[job] = nullptr;
    // A run that was given up says nothing about its seed.
    if (!status || shared_->stop)
        return status;
    shared_->findings.add(seed, session.history());
    if (!kept)
        shared_->findings.contents_kept = kept;
    if (progress_)
        progress_(shared_->findings);
    return {};
}

}  // namespace uchronia::explore
