// The random baseline: one command under many seeds, and the distinct ways in which it failed.
//
// Seeds are taken from a queue by threads, each with machines and files of its own. What is
// reported does not depend on the number of threads or on their order: each failure keeps its
// lowest seed.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "history/session.h"
#include "machine/base_image.h"

namespace uchronia::explore {

// One way to fail, told apart by what describe() says of the outcome.
struct Failure {
    std::string description;
    u64 count = 0;
    u64 lowest_seed = 0;
    history::History history;  // of the lowest seed, with its result
};

struct Findings {
    u64 runs = 0;                   // seeds that were run to their end
    u64 passed = 0;                 // of these
    std::vector<Failure> failures;  // by their lowest seeds
    Status contents_kept = {};      // whether the store took what failed runs read

    void add(u64 seed, const history::History& run);
};

struct ExploreOptions {
    u64 first_seed = 0;
    u64 seed_count = 1;
    unsigned job_count = 1;
    machine::Engine engine = machine::Engine::kTranslator;
    std::shared_ptr<cpu::jit::CodeLibrary> library = {};  // of all threads
    const history::ContentStore* store = nullptr;         // of what failed runs read; null: none
};

// How the exploration gets the host's files: called once by each thread.
using OpenFiles = std::function<Result<std::unique_ptr<host::FileSource>>()>;

class Explorer {
  public:
    // `history` is run once for each seed; its own tape does not matter. `base` must outlive this.
    Explorer(const machine::BaseImage& base, history::History history, OpenFiles open_files,
             ExploreOptions options);
    ~Explorer();

    // Called after each run, from one thread at a time.
    void on_progress(std::function<void(const Findings&)> call);

    // Runs all seeds, or until interrupt(). Error: the first one that kept a run from being made.
    Result<Findings> run();

    // From any thread: runs that are under way are given up.
    void interrupt();

  private:
    struct Shared;

    void work(unsigned job);
    Status run_seed(unsigned job, u64 seed, host::FileSource& files);

    const machine::BaseImage& base_;
    const history::History history_;
    const OpenFiles open_files_;
    const ExploreOptions options_;
    std::function<void(const Findings&)> progress_;
    std::unique_ptr<Shared> shared_;
};

}  // namespace uchronia::explore
