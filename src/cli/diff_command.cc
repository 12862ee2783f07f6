// uchronia diff: the first moment at which the states of two histories differ, and in what.

#include <cstdio>
#include <memory>
#include <set>

#include "cli/cache.h"
#include "cli/code_cache.h"
#include "cli/commands.h"
#include "cli/diff_report.h"
#include "cli/engine_option.h"
#include "cli/exit_status.h"
#include "cli/interrupt_watcher.h"
#include "cli/message.h"
#include "cli/opened_history.h"
#include "cli/units.h"
#include "profile/place_names.h"

namespace uchronia::cli {
namespace {

using history::SteppedRun;

struct Options {
    std::string file_a, file_b;
    bool json = false;
    machine::Engine engine = machine::Engine::kTranslator;
};

constexpr char kFooter[] = R"(
Replays the histories A and B ('last': the latest run) side by side and finds the first tick after
which their states differ: registers, fields of devices, and pages of memory, with the file or the
process that a page belongs to where the guest tells. What the tapes have planned (the next stall,
the end of a turn) counts when it comes to something.

First it says in what the configurations differ. Histories that start from different machines are
not replayed.

Exit status: 0 if nothing differs, 1 if the states differ. 123, 125 and 130 as for 'run'.

Examples:
  uchronia diff good.uch bad.uch
  uchronia diff --json last found.uch)";

struct Side {
    LoadedHistory loaded;
    std::unique_ptr<SteppedRun> run;
};

Status start(const machine::BaseImage& base, const Options& options, const CodeCache& code,
             Side& side) {
    Result<std::unique_ptr<SteppedRun>> run = SteppedRun::start(
        base, side.loaded.history, side.loaded.files.get(),
        {.engine = options.engine, .library = code.library(), .store = &side.loaded.store});
    if (!run)
        return run.error();
    side.run = std::move(*run);
    return {};
}

// How far the comparison is, on a terminal.
class Progress {
  public:
    void show(Ticks tick) {
        if (!shown_)
            return;
        std::fprintf(stderr, "\ruchronia: equal up to tick %s", format_count(tick.value).c_str());
        std::fflush(stderr);
    }
    ~Progress() {
        if (shown_)
            std::fputs("\r\x1b[K", stderr);
    }

  private:
    const bool shown_ = errors_go_to_terminal();
};

std::string description_of_end(const SteppedRun& run) {
    return run.end() ? history::describe(*run.end()) : "";
}

void describe_state(Side& a, Side& b, DiffReport& report) {
    static constexpr std::size_t kMostNames = 4096;
    report.state = history::difference_of(a.run->machine(), b.run->machine());
    std::set<u64> pages;
    for (const history::PageDifference& page : report.state.pages) {
        if (pages.size() < kMostNames)
            pages.insert(page.page_number);
    }
    const auto name_pages = [&](Side& side, std::map<u64, std::string>& names) {
        profile::PlaceNames places(side.run->machine(), pages);
        for (const history::PageDifference& page : report.state.pages) {
            if (!pages.contains(page.page_number))
                break;
            if (std::string name = places.page_name(page.page_number, page.offset); !name.empty())
                names.emplace(page.page_number, std::move(name));
        }
    };
    name_pages(a, report.page_names_a);
    name_pages(b, report.page_names_b);
}

Result<history::SearchResult> search(Side& a, Side& b, DiffReport& report) {
    Progress progress;
    history::SearchOptions options;
    options.on_progress = [&](Ticks tick) { progress.show(tick); };
    options.at_last_equal = [&](SteppedRun& run_a, SteppedRun& run_b) {
        report.next_a = profile::PlaceNames(run_a.machine(), {}).next_instruction();
        report.next_b = profile::PlaceNames(run_b.machine(), {}).next_instruction();
    };
    return history::find_first_difference(*a.run, *b.run, options);
}

int print(const Options& options, const DiffReport& report) {
    const std::string text = options.json ? diff_json(report) : diff_text(report);
    std::fputs(text.c_str(), stdout);
    return report.states_compared && !report.first ? kSuccess : kFindings;
}

// Takes the sides over, as their machines must be gone before base image and code are.
int compare_states(const Options& options, const machine::BaseImage& base, const CodeCache& code,
                   Side a, Side b, DiffReport& report) {
    for (Side* side : {&a, &b}) {
        if (Status status = start(base, options, code, *side); !status)
            return fail(status.error(), kHostError);
    }
    int signal = 0;
    Result<history::SearchResult> result = history::SearchResult{};
    {
        InterruptWatcher interrupts([&] {
            a.run->interrupt();
            b.run->interrupt();
        });
        result = search(a, b, report);
        signal = interrupts.signal();
    }
    if (!result)
        return fail(result.error(), kHostError);
    for (const Side* side : {&a, &b})
        side->loaded.say_what_is_not_as_recorded(*side->run);
    if (result->interrupted) {
        say("stopped at tick " + format_count(a.run->ticks().value));
        return signal == 0 ? static_cast<int>(kInterrupted) : kSignalBase + signal;
    }
    report.first = result->difference;
    report.end_a = description_of_end(*a.run);
    report.end_b = description_of_end(*b.run);
    report.time_a = a.run->time().value;
    report.time_b = b.run->time().value;
    report.common_ticks = a.run->ticks().value;
    if (report.first)
        describe_state(a, b, report);
    return print(options, report);
}

int diff(const Options& options) {
    Result<LoadedHistory> loaded_a = LoadedHistory::load(options.file_a);
    if (!loaded_a)
        return fail(loaded_a.error(), kHostError);
    Result<LoadedHistory> loaded_b = LoadedHistory::load(options.file_b);
    if (!loaded_b)
        return fail(loaded_b.error(), kHostError);
    const history::History &a = loaded_a->history, &b = loaded_b->history;
    DiffReport report;
    report.name_a = options.file_a;
    report.name_b = options.file_b;
    report.configuration = history::configuration_differences(a, b);
    if (a.base.image != b.base.image)
        return print(options, report);
    report.states_compared = true;
    say_if_engine_is_missing(options.engine);
    const CodeCache code;
    const Result<std::unique_ptr<machine::BaseImage>> base =
        obtain_base_image_of(a.base, options.engine, code.library());
    if (!base)
        return fail(base.error(), kBootFailed);
    return compare_states(options, **base, code, {std::move(*loaded_a), {}},
                          {std::move(*loaded_b), {}}, report);
}

}  // namespace

Command add_diff_command(CLI::App& parent) {
    CLI::App* app = parent.add_subcommand("diff", "Finds the first difference of two histories");
    auto options = std::make_shared<Options>();
    app->add_option("A", options->file_a, "A history, or 'last'")->required();
    app->add_option("B", options->file_b, "Another one")->required();
    app->add_flag("--json", options->json, "All that differs, as JSON");
    add_engine_option(*app, options->engine);
    app->footer(kFooter);
    return {.app = app,
            .run = [options](const auto&) { return diff(*options); },
            .takes_command = false};
}

}  // namespace uchronia::cli
