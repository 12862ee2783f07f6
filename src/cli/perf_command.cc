// uchronia perf: where the ticks of a history went.

#include <unistd.h>

#include <cstdio>
#include <memory>

#include "cli/cache.h"
#include "cli/code_cache.h"
#include "cli/commands.h"
#include "cli/engine_option.h"
#include "cli/exit_status.h"
#include "cli/interrupt_watcher.h"
#include "cli/message.h"
#include "cli/named_history.h"
#include "cli/perf_report.h"
#include "cli/run_setup.h"
#include "cli/units.h"
#include "history/history_file.h"
#include "host/files.h"
#include "profile/flame_graph.h"
#include "profile/profiler.h"

namespace uchronia::cli {
namespace {

// A prime, so that a loop of the guest does not keep step with the samples.
constexpr u64 kDefaultInterval = 100'003;

struct Options {
    std::string file;
    u64 interval = kDefaultInterval;
    std::string from, to;
    std::string by = "function";
    std::size_t rows = 40;
    std::string flame, folded;
    bool list = false;
    bool json = false;
    machine::Engine engine = machine::Engine::kTranslator;
};

constexpr char kFooter[] = R"(
Replays the history FILE ('last': the latest run) and notes every N ticks what is executed, with all
that called it, in programs and in the kernel. A tick is an instruction: time that the guest sleeps
does not count, nor is a slow instruction more than a fast one. The same history gives the same
profile, byte for byte, and profiling does not change the history: the state's hashes along the
replay are compared with the recorded ones.

Names come from the guest's kernel and from the programs' symbol tables, or their .debug files in
/usr/lib/debug. MOMENT is #N, a tick from the run's start, or a virtual time as 1.5s or 250ms.

Exit status: 0; 1 if the replay was not the recorded history; 123, 125 and 130 as for 'run'.

Examples:
  uchronia perf last
  uchronia perf --by process --flame slow.svg slow.uch
  uchronia perf --from 1.5s --to 2s --every 1009 slow.uch
  uchronia perf --list --every 1 --from #250000 --to #250100 slow.uch)";

// Puts "#123" or "1.5s" where it belongs.
Status parse_moment(const std::string& text, Ticks& tick, VirtualTime& time) {
    if (text.empty())
        return {};
    if (text[0] != '#') {
        const Result<VirtualTime> parsed = parse_duration(text);
        if (!parsed)
            return Error{"'" + text + "' is no moment; write it like #250000, 1.5s or 250ms"};
        time = *parsed;
        return {};
    }
    const Result<Ticks> parsed = parse_tick(text);
    if (!parsed)
        return parsed.error();
    tick = *parsed;
    return {};
}

Result<profile::ProfilerOptions> profiler_options(const Options& options) {
    profile::ProfilerOptions result;
    if (options.interval == 0)
        return Error{"--every must be at least 1 tick"};
    result.interval_ticks = options.interval;
    if (Status status = parse_moment(options.from, result.from_tick, result.from_time); !status)
        return status.error();
    if (Status status = parse_moment(options.to, result.to_tick, result.to_time); !status)
        return status.error();
    return result;
}

profile::GroupBy group_of(const std::string& name) {
    using profile::GroupBy;
    return name == "process"  ? GroupBy::kProcess
           : name == "symbol" ? GroupBy::kSymbol
           : name == "object" ? GroupBy::kObject
                              : GroupBy::kFunction;
}

struct Replay {
    history::History history;
    std::optional<history::Divergence> divergence;
    std::optional<std::string> changed_file;
    int signal = 0;
};

Result<Replay> replay_with(profile::Profiler& profiler, const machine::BaseImage& base,
                           const history::History& recorded, machine::Engine engine,
                           const std::shared_ptr<cpu::jit::CodeLibrary>& library) {
    Result<std::unique_ptr<host::FileSource>> files = open_files(recorded.files);
    if (!files)
        return files.error();
    // The command's output has been seen when the history was recorded.
    machine::SilentOutside outside;
    const bool has_chain = !recorded.chain.links.empty();
    const history::ContentStore store = content_store();
    history::Session session(base, recorded, outside, files->get(),
                             {.live_input = history::LiveInput::kNo,
                              .expected = has_chain ? &recorded.chain : nullptr,
                              .observer = &profiler,
                              .engine = engine,
                              .library = library,
                              .store = &store});
    InterruptWatcher interrupts([&] { session.interrupt(); });
    if (Status status = session.run(); !status)
        return status.error();
    return Replay{.history = session.history(),
                  .divergence = session.divergence(),
                  .changed_file = session.changed_file(),
                  .signal = interrupts.signal()};
}

// The programs of an image are read from there.
profile::ProfilerOptions with_files_of(profile::ProfilerOptions options,
                                       const history::History& recorded) {
    if (!recorded.files.has_image())
        return options;
    Result<std::unique_ptr<host::FileSource>> opened = open_files(recorded.files);
    if (!opened)
        return options;
    options.read_file = [files = std::shared_ptr<host::FileSource>(std::move(*opened))](
                            const std::string& path) -> Result<std::vector<u8>> {
        const host::FileResult<host::FileAttributes> found = files->attributes(path);
        constexpr u64 kLargestProgram = u64{1} << 30;
        if (!found.ok() || !found->is_regular() || found->size > kLargestProgram)
            return Error{"the image has no program " + path};
        std::vector<u8> bytes(found->size);
        const host::FileResult<u64> count = files->read(path, 0, bytes);
        if (!count.ok() || *count != bytes.size())
            return Error{"the image does not have " + path};
        return bytes;
    };
    return options;
}

Status write_files(const Options& options, const profile::Profile& profile) {
    if (!options.flame.empty()) {
        const std::string graph = profile::flame_graph(profile, "uchronia perf " + options.file);
        if (Status status = host::write_file_atomically(options.flame, graph); !status)
            return status;
    }
    if (!options.folded.empty())
        return host::write_file_atomically(options.folded, profile::folded_stacks(profile));
    return {};
}

// What there is to say about the replay, and the exit status that follows.
int judge(const history::History& recorded, const Replay& replay) {
    if (replay.changed_file)
        say(missing_contents(*replay.changed_file, recorded.files));
    if (replay.signal != 0) {
        say("stopped at tick " + format_count(replay.history.result->ticks.value) +
            "; the profile is of what was before");
        return kSignalBase + replay.signal;
    }
    if (replay.divergence) {
        say("not the recorded history: " + replay.divergence->describe());
        return kFindings;
    }
    const std::string hash = to_hex(replay.history.result->state);
    if (recorded.chain.links.empty())
        say("the history has no hashes to compare with; the state at the end is " + hash);
    else
        say("the same history: all " + std::to_string(recorded.chain.links.size()) +
            " hashes are the recorded ones, the last one " + hash);
    return kSuccess;
}

// One line for each sample: "#123456  CPU 1  sort 83  0x4011c3  compare < msort < main".
void list_sample(const profile::SamplePlace& place, const profile::Sample& sample) {
    std::string stack;
    for (const profile::Frame& frame : sample.frames)
        stack += (stack.empty() ? "" : " < ") + profile::label_of(frame);
    std::printf("#%-12llu CPU %u  %-20s 0x%012llx  %s\n",
                static_cast<unsigned long long>(place.tick.value), place.vcpu,
                sample.process.c_str(), static_cast<unsigned long long>(place.address),
                stack.c_str());
}

void print(const Options& options, const profile::Profile& profile, const Replay& replay,
           bool same) {
    if (options.json) {
        const std::string hash = to_hex(replay.history.result->state);
        std::fputs(profile_json(profile, group_of(options.by), hash, same).c_str(), stdout);
        return;
    }
    const TableOptions table{
        .group = group_of(options.by),
        .row_count = options.rows == 0 ? ~std::size_t{0} : options.rows,
        .colours = ::isatty(STDOUT_FILENO) == 1 ? Colours::kYes : Colours::kNo};
    std::printf("%s samples, one each %s ticks; %.1f %% in the kernel\n\n",
                format_count(profile.sample_count()).c_str(),
                format_count(profile.interval_ticks()).c_str(),
                100.0 * static_cast<double>(profile.kernel_sample_count()) /
                    static_cast<double>(std::max<u64>(1, profile.sample_count())));
    std::fputs(profile_table(profile, table).c_str(), stdout);
}

int perf(const Options& options) {
    const Result<profile::ProfilerOptions> sampling = profiler_options(options);
    if (!sampling)
        return fail(sampling.error(), kHostError);
    const Result<history::History> recorded = load_named_history(options.file);
    if (!recorded)
        return fail(recorded.error(), kHostError);
    say_if_engine_is_missing(options.engine);
    const CodeCache code;
    const Result<std::unique_ptr<machine::BaseImage>> base =
        obtain_base_image_of(recorded->base, options.engine, code.library());
    if (!base)
        return fail(base.error(), kBootFailed);

    profile::Profiler profiler(with_files_of(*sampling, *recorded));
    if (options.list)
        profiler.on_sample(list_sample);
    const Result<Replay> replay =
        replay_with(profiler, **base, *recorded, options.engine, code.library());
    if (!replay)
        return fail(replay.error(), kHostError);
    for (const std::string& remark : profiler.remarks())
        say(remark);
    const int status = judge(*recorded, *replay);
    if (profiler.profile().sample_count() == 0)
        say("no samples: the history has " + format_count(replay->history.result->ticks.value) +
            " ticks; choose a smaller --every, or another --from and --to");
    if (!options.list)
        print(options, profiler.profile(), *replay,
              status == kSuccess && !recorded->chain.links.empty());
    if (Status written = write_files(options, profiler.profile()); !written)
        return fail(written.error(), kHostError);
    return status;
}

}  // namespace

Command add_perf_command(CLI::App& parent) {
    CLI::App* app = parent.add_subcommand("perf", "Tells where the ticks of a history went");
    auto options = std::make_shared<Options>();
    app->add_option("FILE", options->file, "The history, or 'last'")->required();
    app->add_option("--every", options->interval, "Takes a sample every N ticks")
        ->type_name("N")
        ->capture_default_str();
    app->add_option("--from", options->from, "Only samples from this moment on")
        ->type_name("MOMENT");
    app->add_option("--to", options->to, "Only samples before this moment")->type_name("MOMENT");
    app->add_option("--by", options->by, "A row for each function, process, symbol or object")
        ->check(CLI::IsMember({"function", "process", "symbol", "object"}))
        ->type_name("WHAT")
        ->capture_default_str();
    app->add_option("--rows", options->rows, "Shows so many rows; 0: all")
        ->type_name("N")
        ->capture_default_str();
    app->add_option("--flame", options->flame, "Writes a flame graph to this SVG file")
        ->type_name("FILE");
    app->add_option("--folded", options->folded,
                    "Writes collapsed stacks, as tools for flame graphs read them")
        ->type_name("FILE");
    CLI::Option* list = app->add_flag(
        "--list", options->list,
        "In place of the table each sample with its tick, CPU and stack, in the order of time");
    app->add_flag("--json", options->json, "The table as JSON, with all rows")->excludes(list);
    add_engine_option(*app, options->engine);
    app->footer(kFooter);
    return {.app = app,
            .run = [options](const auto&) { return perf(*options); },
            .takes_command = false};
}

}  // namespace uchronia::cli
