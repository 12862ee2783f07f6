#include "cli/run_session.h"

#include <cerrno>
#include <cstring>

#include "cli/cache.h"
#include "cli/exit_status.h"
#include "cli/interrupt_watcher.h"
#include "cli/message.h"
#include "cli/out_option.h"
#include "cli/run_setup.h"
#include "cli/units.h"
#include "history/history_file.h"
#include "host/clock.h"

namespace uchronia::cli {
namespace {

// A command's own end speaks for itself.
void say_outcome(const history::RunResult& result) {
    using history::OutcomeKind;
    const OutcomeKind kind = result.outcome.kind;
    if (kind != OutcomeKind::kExited && kind != OutcomeKind::kSignaled)
        say(history::describe(result.outcome) + ", at tick " + std::to_string(result.ticks.value) +
            " (" + format_seconds(result.time.value) + " of virtual time)");
}

int exit_status_of_run(const history::RunResult& result, int output_error, int signal) {
    if (output_error == EPIPE)
        return kOutputClosed;
    if (output_error != 0) {
        say(std::string("cannot write the command's output: ") + std::strerror(output_error));
        return kHostError;
    }
    if (result.outcome.kind == history::OutcomeKind::kStopped && signal != 0)
        return kSignalBase + signal;
    return exit_status_of(result.outcome);
}

}  // namespace

void keep_as_last(const history::History& history) {
    const Result<std::string> path = last_history_path();
    if (!path)
        return;
    if (Status status = history::save_history(history, *path); !status)
        say("the history is not kept for 'replay last': " + status.error().message);
}

int keep_history(const ForegroundRun& done, const std::string& save, KeepAsLast keep) {
    if (!done.begun)
        return done.exit_status;
    if (done.changed_file)
        say(missing_contents(*done.changed_file, done.history.files));
    if (keep == KeepAsLast::kYes)
        keep_as_last(done.history);
    if (!save.empty()) {
        if (Status status = history::save_history(done.history, save); !status)
            return fail(status.error(), kHostError);
    }
    return done.changed_file ? static_cast<int>(kHostError) : done.exit_status;
}

Result<ForegroundRun> run_in_foreground(const machine::BaseImage& base, history::History history,
                                        const ForegroundOptions& options) {
    Result<std::unique_ptr<host::FileSource>> files = open_files(history.files);
    if (!files)
        return files.error();
    RunOutside outside(options.console);
    outside.bring_out_to(options.out);
    const history::ContentStore store = content_store();
    history::SessionOptions session_options = options.session;
    session_options.store = &store;
    history::Session session(base, std::move(history), outside, files->get(), session_options);
    int signal = 0;
    u64 host_nanoseconds = 0;
    {
        InterruptWatcher interrupts([&] { session.interrupt(); });
        outside.stop_input_on(interrupts.descriptor());
        outside.on_output_failure([&] { session.interrupt(); });
        const u64 begin = host::monotonic_nanoseconds();
        if (options.begin) {
            const Status begun = options.begin(session, outside);
            if (!begun && interrupts.signal() != 0) {
                say(begun.error().message);
                return ForegroundRun{.history = {},
                                     .divergence = {},
                                     .changed_file = {},
                                     .exit_status = kSignalBase + interrupts.signal(),
                                     .begun = false};
            }
            if (!begun)
                return begun.error();
        }
        if (Status status = session.run(); !status)
            return status.error();
        host_nanoseconds = host::monotonic_nanoseconds() - begin;
        signal = interrupts.signal();
    }
    if (options.end)
        options.end();
    if (Status status = session.keep_contents(); !status)
        say("the contents of the files that were read are not kept for replays: " +
            status.error().message);
    const history::RunResult& result = *session.history().result;
    if (outside.output_error() == 0 && !session.divergence())
        say_outcome(result);
    const bool is_all_out = options.out == nullptr || say_what_came_out(*options.out);
    report_run(session, host_nanoseconds, options.report);
    const int exit_status = exit_status_of_run(result, outside.output_error(), signal);
    // Who asked for files must not take a success for them.
    const bool is_ended = result.outcome.kind == history::OutcomeKind::kExited;
    return ForegroundRun{.history = session.history(),
                         .divergence = session.divergence(),
                         .changed_file = session.changed_file(),
                         .exit_status = is_all_out || !is_ended ? exit_status : kHostError};
}

}  // namespace uchronia::cli
