// The random baseline: one command under many seeds, and the distinct ways in which it ended.
//
// Seeds are taken from a queue by threads, each with machines and files of its own. What they give
// is added to the results in the order of the seeds, so that these depend neither on the number of
// threads nor on interruptions: what is known when an exploration ends is that of all seeds up to
// one.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "explore/results.h"
#include "explore/results_log.h"
#include "history/session.h"
#include "machine/base_image.h"

namespace uchronia::explore {

struct ExploreOptions {
    u64 first_seed = 0;
    u64 seed_count = 1;
    u64 stop_after = ~u64{0};  // failures
    unsigned job_count = 1;
    machine::Engine engine = machine::Engine::kTranslator;
    std::shared_ptr<cpu::jit::CodeLibrary> library = {};  // of all threads
    const history::ContentStore* store = nullptr;         // of what failed runs read; null: none
};

// How the exploration gets the host's files: called once by each thread.
using OpenFiles = std::function<Result<std::unique_ptr<host::FileSource>>()>;

// How fast it is, and how far.
struct Pace {
    u64 runs = 0;        // of this process, ended
    u64 seeds_left = 0;  // not yet ended
    VirtualTime time;    // of these runs
};

class Explorer {
  public:
    // `history` is run once for each seed; its own tape does not matter. `base` must outlive this.
    Explorer(const machine::BaseImage& base, history::History history, OpenFiles open_files,
             ExploreOptions options);
    ~Explorer();

    // Before run(): goes on after the runs of an earlier exploration of the same identity.
    void resume(LoggedResults earlier);
    // Before run(): adds the results to a file too, whose rest the caller flushes after run().
    void keep_results(ResultsLog& log);
    // Called after each run, from one thread at a time.
    void on_progress(std::function<void(const Results&, const Pace&)> call);

    // Runs all seeds, or until interrupt() or so many failures. Error: the first one that kept a
    // run from being made, or something that earlier runs read is no longer as it was.
    Status run();

    // From any thread: runs that are under way are given up.
    void interrupt();

    // After run().
    const Results& results() const;
    const Pace& pace() const;
    // Whether the store took what failed runs read.
    const Status& contents_kept() const;

  private:
    struct Shared;
    struct Finished;

    bool is_done() const;
    void stop_sessions();
    void fail(const Error& error);
    void work(unsigned job);
    Status check_files(host::FileSource& files);
    bool take_seed(u64& seed);
    Status run_seed(unsigned job, u64 seed, host::FileSource& files);
    bool is_known(u64 seed) const;
    bool needs_history(u64 seed, const history::Outcome& outcome) const;
    Status finish_again(u64 seed, Finished run);
    void finish_new(u64 seed, Finished run);
    void commit();

    const machine::BaseImage& base_;
    const history::History history_;
    const OpenFiles open_files_;
    const ExploreOptions options_;
    std::function<void(const Results&, const Pace&)> call_;
    ResultsLog* log_ = nullptr;
    std::unique_ptr<Shared> shared_;
};

}  // namespace uchronia::explore
