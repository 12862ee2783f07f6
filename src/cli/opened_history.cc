#include "cli/opened_history.h"

#include <cstdio>

#include "cli/cache.h"
#include "cli/engine_option.h"
#include "cli/interrupt_watcher.h"
#include "cli/message.h"
#include "cli/named_history.h"
#include "cli/run_setup.h"
#include "cli/units.h"
#include "host/clock.h"

namespace uchronia::cli {
namespace {

constexpr u64 kProgressInterval = 200'000'000;  // ns

}  // namespace

Result<LoadedHistory> LoadedHistory::load(const std::string& name) {
    Result<history::History> history = load_named_history(name);
    if (!history)
        return history.error();
    const Result<Digest> digest = digest_of_named_history(name);
    if (!digest)
        return digest.error();
    Result<std::unique_ptr<host::FileSource>> files = open_files(history->files);
    if (!files)
        return files.error();
    return LoadedHistory{.name = name,
                         .digest = *digest,
                         .history = std::move(*history),
                         .store = content_store(),
                         .files = std::move(*files)};
}

void LoadedHistory::say_what_is_not_as_recorded(history::SteppedRun& run) const {
    say_if_changed(run.changed_file(), name);
    const std::optional<history::RunResult>& recorded = history.result;
    if (recorded && run.end() &&
        (recorded->ticks != run.ticks() || recorded->outcome.kind != run.end()->kind))
        say("the replay of " + name +
            " did not end as the recorded run; 'uchronia replay --verify' tells where they part");
}

OpenedHistory::~OpenedHistory() = default;

Result<std::unique_ptr<OpenedHistory>> OpenedHistory::open(const std::string& name,
                                                           machine::Engine engine) {
    Result<LoadedHistory> loaded = LoadedHistory::load(name);
    if (!loaded)
        return loaded.error();
    say_if_engine_is_missing(engine);
    std::unique_ptr<OpenedHistory> opened(new OpenedHistory(std::move(*loaded)));
    LoadedHistory& it = opened->loaded_;
    Result<std::unique_ptr<machine::BaseImage>> base =
        obtain_base_image_of(it.history.base, engine, opened->code_.library());
    if (!base)
        return base.error();
    opened->base_ = std::move(*base);
    OpenedHistory* const self = opened.get();
    Result<std::unique_ptr<history::Timeline>> timeline = history::Timeline::open(
        *opened->base_, it.history, it.files.get(),
        {.run = {.engine = engine, .library = opened->code_.library(), .store = &it.store},
         .kept = {.folder = checkpoint_folder(it.digest)},
         .on_progress = [self](Ticks tick, VirtualTime time) { self->show_progress(tick, time); }});
    if (!timeline)
        return timeline.error();
    opened->timeline_ = std::move(*timeline);
    return opened;
}

Status OpenedHistory::seek(const history::Moment& moment) {
    Status status;
    {
        InterruptWatcher interrupts([&] { timeline_->run().interrupt(); });
        last_shown_ = host::monotonic_nanoseconds();
        status = timeline_->seek(moment);
        last_shown_ = 0;
    }
    if (shows_progress_)
        std::fputs("\r\x1b[K", stderr);
    shows_progress_ = false;
    if (!said_disk_failure_)
        say_if_not_kept(timeline_->disk_failure());
    said_disk_failure_ = !timeline_->disk_failure().empty();
    if (status && timeline_->run().interrupted())
        return Error{"interrupted at tick " + format_count(timeline_->ticks().value)};
    return status;
}

void OpenedHistory::show_progress(Ticks tick, VirtualTime time) {
    if (last_shown_ == 0 || !errors_go_to_terminal() ||
        host::monotonic_nanoseconds() - last_shown_ < kProgressInterval)
        return;
    last_shown_ = host::monotonic_nanoseconds();
    shows_progress_ = true;
    std::fprintf(stderr, "\ruchronia: at %s, tick %s", format_seconds(time.value).c_str(),
                 format_count(tick.value).c_str());
    std::fflush(stderr);
}

}  // namespace uchronia::cli
