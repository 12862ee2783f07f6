// uchronia log: what was said in a history, and when.

#include <cstdio>
#include <memory>
#include <regex>

#include "cli/cache.h"
#include "cli/code_cache.h"
#include "cli/commands.h"
#include "cli/engine_option.h"
#include "cli/exit_status.h"
#include "cli/interrupt_watcher.h"
#include "cli/log_lines.h"
#include "cli/message.h"
#include "cli/moments.h"
#include "cli/opened_history.h"
#include "history/session.h"

namespace uchronia::cli {
namespace {

struct Options {
    std::string history;
    std::string grep;
    std::string between;
    bool json = false;
    machine::Engine engine = machine::Engine::kTranslator;
};

constexpr char kFooter[] = R"(
Replays HISTORY ('last': the latest run) and prints what was said in it, line by line, each with its
virtual time and its exact tick, which --at of other commands takes. A line is said where its end was
written. The sources:

  output, error              the command's
  console                    the serial console: what the kernel prints there, which is what is grave
  kernel                     the kernel's log (dmesg), said a little later than the kernel did
  report                     the kernel's reports about itself: warnings, oopses, stalls
  agent                      notes of Uchronia's agent in the guest
  visit-output, visit-error  of commands that were called into it ('exec --save', 'shell')

--grep takes an extended regular expression; it is looked for in the source and the text ("console
.*Call Trace"). --between takes two moments; either may be left out ("2.5s..", "#0..#5000000").
With --json each line is one object; those of the kernel and of the console have the kernel's own
time, too.

The history stays as it is. Exit status: 0; 1 if the replay was not the same as what was recorded;
123, 125 and 130 as for 'run'.

Examples:
  uchronia log last
  uchronia log found.uch --grep 'error|warning' --between 1.5s..2s
  uchronia log last --json | jq -r 'select(.source == "kernel") | .tick')";

struct Range {
    history::Moment from = history::Moment::at(Ticks(0));
    history::Moment to = history::Moment::end();
};

Result<Range> parse_range(const std::string& text) {
    Range range;
    if (text.empty())
        return range;
    const std::size_t dots = text.find("..");
    if (dots == std::string::npos)
        return Error{"--between: '" + text + "' has no '..'; write it like 1.5s..2s or #100..#900"};
    // "1.5s...2s" has one dot too many for either side, and its moments say so.
    const auto read = [](const std::string& part, history::Moment& moment) -> Status {
        if (part.empty())
            return {};
        const Result<history::Moment> parsed = parse_moment(part);
        if (!parsed)
            return Error{"--between: " + parsed.error().message};
        moment = *parsed;
        return {};
    };
    if (Status status = read(text.substr(0, dots), range.from); !status)
        return status.error();
    if (Status status = read(text.substr(dots + 2), range.to); !status)
        return status.error();
    return range;
}

// Null if everything is wanted.
Result<std::unique_ptr<std::regex>> parse_pattern(const std::string& text) {
    if (text.empty())
        return std::unique_ptr<std::regex>();
    try {
        return std::make_unique<std::regex>(text, std::regex::extended | std::regex::nosubs);
    } catch (const std::regex_error& error) {
        return Error{"--grep: '" + text + "' is no extended regular expression: " + error.what()};
    }
}

class Printer {
  public:
    Printer(const Options& options, const Range& range, const std::regex* pattern)
        : options_(options), range_(range), pattern_(pattern) {}

    void print(const LogLine& line) {
        if (!history::has_come_to(range_.from, line.tick, line.time) || !matches(line))
            return;
        const std::string text = options_.json ? log_json(line) : log_text(line);
        std::puts(text.c_str());
        if (std::ferror(stdout) != 0 && failed_)
            failed_();
    }
    void on_failure(std::function<void()> call) { failed_ = std::move(call); }

  private:
    bool matches(const LogLine& line) const {
        const std::string subject = std::string(name_of(line.source)) + " " +
                                    (line.kind.empty() ? "" : line.kind + ": ") + line.text;
        return pattern_ == nullptr || std::regex_search(subject, *pattern_);
    }

    const Options& options_;
    const Range& range_;
    const std::regex* pattern_;
    std::function<void()> failed_;
};

// What can be said by comparing the replay with the recording, at its end.
int judge(history::Session& session, const LoadedHistory& loaded) {
    if (const auto file = session.changed_file()) {
        say(missing_contents(*file, loaded.history.files));
        return kHostError;
    }
    const std::optional<history::RunResult>& recorded = loaded.history.result;
    const bool same = !session.end() || !recorded ||
                      (recorded->ticks == session.ticks() && recorded->time == session.time() &&
                       recorded->outcome.kind == session.end()->kind &&
                       recorded->state == session.machine().state_digest());
    if (!same)
        say("this replay did not end as the recorded run; 'uchronia replay --verify' tells where "
            "they part");
    return same ? kSuccess : kFindings;
}

int log(const Options& options) {
    const Result<Range> range = parse_range(options.between);
    if (!range)
        return fail(range.error(), kHostError);
    const Result<std::unique_ptr<std::regex>> pattern = parse_pattern(options.grep);
    if (!pattern)
        return fail(pattern.error(), kHostError);
    const Result<LoadedHistory> loaded = LoadedHistory::load(options.history);
    if (!loaded)
        return fail(loaded.error(), kHostError);
    say_if_engine_is_missing(options.engine);
    const CodeCache code;
    const Result<std::unique_ptr<machine::BaseImage>> base =
        obtain_base_image_of(loaded->history.base, options.engine, code.library());
    if (!base)
        return fail(base.error(), kBootFailed);

    Printer printer(options, *range, pattern->get());
    history::Session* running = nullptr;
    LogOutside outside([&] { return std::pair(running->present_tick(), running->present_time()); },
                       [&](const LogLine& line) { printer.print(line); });
    history::Session session(**base, loaded->history, outside, loaded->files.get(),
                             {.expected = &loaded->history.chain,
                              .engine = options.engine,
                              .library = code.library(),
                              .store = &loaded->store});
    running = &session;
    printer.on_failure([&] { session.interrupt(); });
    Status status;
    int signal = 0;
    {
        InterruptWatcher interrupts([&] { session.interrupt(); });
        status = session.go_to(range->to);
        signal = interrupts.signal();
    }
    outside.finish();
    const bool is_written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
    if (signal != 0) {
        say(status ? "interrupted" : status.error().message);
        return kSignalBase + signal;
    }
    if (!is_written)
        return kOutputClosed;
    if (!status)
        return fail(status.error(), session.divergence() ? kFindings : kHostError);
    return judge(session, *loaded);
}

}  // namespace

Command add_log_command(CLI::App& parent) {
    CLI::App* app = parent.add_subcommand("log", "Prints what was said in a history, and when");
    auto options = std::make_shared<Options>();
    app->add_option("HISTORY", options->history, "The history, or 'last'")->required();
    app->add_option("--grep", options->grep, "Only lines with this (a regular expression)")
        ->type_name("RE");
    app->add_option("--between", options->between, "Only from moment A to moment B")
        ->type_name("A..B");
    app->add_flag("--json", options->json, "Each line as JSON");
    add_engine_option(*app, options->engine);
    app->footer(kFooter);
    return {.app = app,
            .run = [options](const auto&) { return log(*options); },
            .takes_command = false};
}

}  // namespace uchronia::cli
