// uchronia replay: a saved history again.

#include <memory>

#include "cli/cache.h"
#include "cli/code_cache.h"
#include "cli/commands.h"
#include "cli/engine_option.h"
#include "cli/exit_status.h"
#include "cli/holds.h"
#include "cli/message.h"
#include "cli/out_option.h"
#include "cli/run_session.h"
#include "history/history_file.h"

namespace uchronia::cli {
namespace {

struct Options {
    std::string file;
    std::string out;
    bool verify = false;
    std::vector<std::string> holds;
    std::string save;
    bool verbose = false;
    machine::Engine engine = machine::Engine::kTranslator;
    ReportOptions report;
};

constexpr char kFooter[] = R"(
FILE is what 'run --save' or 'explore' wrote, or the word 'last' for the latest run. Standard input,
arguments and the recorded answers of the host's file system come from the history; the contents of
system files from the host or, where they have changed since, from the cache.

With --hold, another history is run: one that differs from the recorded one by a CPU that is held for
some time at an exact instruction. It is kept as the last one, and as a file with --save.

With --verify, the state's hashes along the replay (one each 2^26 ticks and at the end) are compared
with those in the history. The first tick and the components that differ are named.

Exit status: that of the replayed command, as 'run' gives it. With --verify: 0 if every hash is the
same, 1 if not. 125 also if contents of a file are nowhere any more; 123 and 130 as for 'run'.

Examples:
  uchronia replay found.uch
  uchronia replay --verify --stats found.uch
  uchronia replay --hold 1@#123456+5ms --save held.uch found.uch
  uchronia replay last)";

// What can be said about the replay by comparing it with the recording.
int judge(const Options& options, const history::History& recorded, const ForegroundRun& done) {
    if (done.changed_file)
        say(missing_contents(*done.changed_file, recorded.files));
    if (!options.verify) {
        if (done.changed_file)
            return kHostError;
        const bool same = !recorded.result || *recorded.result == *done.history.result;
        if (!same && done.exit_status != kInterrupted)
            say("this replay did not end as the recorded run; --verify tells where they part");
        return done.exit_status;
    }
    if (done.divergence) {
        say("not the same: " + done.divergence->describe());
        return kFindings;
    }
    say("the same: " + std::to_string(recorded.chain.links.size()) + " hashes, the last one " +
        to_hex(done.history.result->state) + " at tick " +
        std::to_string(done.history.result->ticks.value));
    return kSuccess;
}

// With holds it is another history, which has not been run, but knows what this one read.
Result<history::History> with_holds(const history::History& recorded, const Options& options) {
    history::History history = recorded;
    if (options.holds.empty())
        return history;
    history.result.reset();
    history.chain = {};
    if (Status status = add_holds(options.holds, history.base.vcpu_count, history.tape); !status)
        return status.error();
    return history;
}

int replay(const Options& options) {
    if (options.holds.empty() && !options.save.empty())
        return fail(Error{"--save is for the other history that --hold makes; a replay of FILE is "
                          "FILE again"},
                    kHostError);
    if (!options.holds.empty() && options.verify)
        return fail(Error{"--verify compares with the recorded history, and --hold makes another "
                          "one; save that with --save and verify it then"},
                    kHostError);
    const Result<std::string> path = history_path(options.file);
    if (!path)
        return fail(path.error(), kHostError);
    const Result<history::History> loaded = history::load_history(*path);
    if (!loaded)
        return fail(loaded.error(), kHostError);
    const Result<history::History> recorded = with_holds(*loaded, options);
    if (!recorded)
        return fail(recorded.error(), kHostError);
    if (options.verify && recorded->chain.links.empty())
        return fail(Error{*path + " has no hash chain to compare with"}, kHostError);
    const Result<std::unique_ptr<OutWriter>> out = reopen_out(options.out, *recorded);
    if (!out)
        return fail(out.error(), kHostError);
    say_if_engine_is_missing(options.engine);
    const CodeCache code;
    const Result<std::unique_ptr<machine::BaseImage>> base =
        obtain_base_image_of(recorded->base, options.engine, code.library());
    if (!base)
        return fail(base.error(), kBootFailed);

    ForegroundOptions foreground;
    foreground.session.expected = options.verify ? &recorded->chain : nullptr;
    foreground.session.engine = options.engine;
    foreground.session.library = code.library();
    foreground.report = options.report;
    foreground.console = options.verbose ? ConsoleUse::kShow : ConsoleUse::kDrop;
    foreground.out = out->get();
    const Result<ForegroundRun> done = run_in_foreground(**base, *recorded, foreground);
    if (!done)
        return fail(done.error(), kHostError);
    if (!options.holds.empty())
        return keep_history(*done, options.save, KeepAsLast::kYes);
    return judge(options, *recorded, *done);
}

}  // namespace

Command add_replay_command(CLI::App& parent) {
    CLI::App* app = parent.add_subcommand("replay", "Runs a saved history again");
    auto options = std::make_shared<Options>();
    app->add_option("FILE", options->file, "The history, or 'last'")->required();
    app->add_flag("--verify", options->verify, "Compares the hash chain with the recorded one");
    add_hold_option(*app, options->holds);
    app->add_option("--save", options->save, "Writes the history with the holds to this file")
        ->type_name("FILE");
    app->add_option("--out", options->out,
                    "Brings out into this folder what a history that was recorded with --out wrote")
        ->type_name("DIR");
    app->add_flag("--stats", options->report.statistics, "As for run");
    app->add_flag("--json", options->report.json, "As for run");
    app->add_flag("--verbose", options->verbose, "As for run");
    add_engine_option(*app, options->engine);
    app->footer(kFooter);
    return {.app = app,
            .run = [options](const auto&) { return replay(*options); },
            .takes_command = false};
}

}  // namespace uchronia::cli
