// The self-test: what the host's processor computes otherwise, and one short run by each engine.

#include "cli/cache.h"
#include "cli/code_cache.h"
#include "cli/diagnosis.h"
#include "cli/run_setup.h"
#include "cli/units.h"
#include "history/session.h"
#include "host/clock.h"

namespace uchronia::cli {
namespace {

using machine::Engine;

struct Run {
    history::History history;
    std::string host_differences;
    u64 nanoseconds = 0;
};

Result<Run> run(const machine::BaseImage& base, const history::History& history, Engine engine,
                const CodeCache& code) {
    Result<std::unique_ptr<host::FileSource>> files = open_files(history.files);
    if (!files)
        return files.error();
    machine::SilentOutside outside;
    history::Session session(base, history, outside, files->get(),
                             {.engine = engine, .library = code.library()});
    const u64 begin = host::monotonic_nanoseconds();
    if (Status status = session.run(); !status)
        return status.error();
    return Run{.history = session.history(),
               .host_differences = session.machine().host_differences(),
               .nanoseconds = host::monotonic_nanoseconds() - begin};
}

std::string described(const Run& run) {
    return format_count(run.history.result->ticks.value) + " ticks in " +
           std::to_string(run.nanoseconds / 1'000'000) + " ms";
}

Diagnosis judge(const std::string& subject, const Run& run) {
    if (history::succeeded(run.history.result->outcome))
        return {subject, Verdict::kOK, "ran 'true' in a guest: " + described(run)};
    return {subject, Verdict::kError,
            "'true' in a guest: " + history::describe(run.history.result->outcome),
            "'uchronia run --verbose -- true' shows the guest's console"};
}

Diagnosis compare(const Run& translated, const Run& interpreted) {
    const std::optional<history::Divergence> difference = history::compare(
        interpreted.history.chain, translated.history.chain, history::Completeness::kComplete);
    if (!difference)
        return {"self-test", Verdict::kOK,
                "both engines gave the same states, the last one " +
                    to_hex(translated.history.result->state)};
    return {"self-test", Verdict::kError, "the engines differ: " + difference->describe(),
            "use --engine interp, which is right, and report this with the processor's name; "
            "'uchronia cache --clear code' removes translated code that may be damaged"};
}

Diagnosis arithmetic(const Run& translated) {
    if (translated.host_differences == "unknown")
        return {"host arithmetic", Verdict::kWarning,
                "not measured, as translated code cannot be run here"};
    if (translated.host_differences == "none")
        return {"host arithmetic", Verdict::kOK, "as that of the guest's processor"};
    return {"host arithmetic", Verdict::kOK,
            "differs from that of the guest's processor in " + translated.host_differences +
                ", which is emulated"};
}

}  // namespace

std::vector<Diagnosis> diagnose_engines() {
    const auto broken = [](const Error& error) {
        return Diagnosis{"self-test", Verdict::kError, error.message, "see the lines above"};
    };
    Result<history::History> history = make_history(RunOptions(), {"true"}, 0);
    if (!history)
        return {broken(history.error())};
    // Whatever folder the user is in, and whatever standard input there is.
    history->request.working_directory = "/";
    history->request.input = machine::StandardInput::kNone;
    history->files.working_folders.clear();
    const CodeCache code;
    const Result<std::unique_ptr<machine::BaseImage>> base =
        obtain_base_image(history->base, Engine::kTranslator, code.library());
    if (!base)
        return {broken(base.error())};
    const Result<Run> translated = run(**base, *history, Engine::kTranslator, code);
    if (!translated)
        return {broken(translated.error())};
    // Afterwards from its record, so that the same files are seen whatever happens to them.
    const Result<Run> interpreted = run(**base, translated->history, Engine::kInterpreter, code);
    if (!interpreted)
        return {broken(interpreted.error())};
    return {arithmetic(*translated), judge("translated code", *translated),
            judge("interpreter", *interpreted), compare(*translated, *interpreted)};
}

}  // namespace uchronia::cli
