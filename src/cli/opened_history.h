// A saved history, opened for looking around in it: with its files, base image and translations.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "cli/code_cache.h"
#include "history/content_store.h"
#include "history/history.h"
#include "history/timeline.h"
#include "host/file_source.h"
#include "machine/base_image.h"

namespace uchronia::cli {

// What a run of it needs beside the machine.
struct LoadedHistory {
    std::string name;  // as the user calls it
    Digest digest;     // of the file
    history::History history;
    history::ContentStore store;
    std::unique_ptr<host::FileSource> files;

    // `name`: a file, or "last".
    static Result<LoadedHistory> load(const std::string& name);
    // Says on standard error what makes `run` another one than the recorded one: a file that has
    // changed, or another end.
    void say_what_is_not_as_recorded(history::SteppedRun& run) const;
};

class OpenedHistory {
  public:
    // A seek shows on a terminal how far it is. Errors: the history cannot be read, or its base
    // image cannot be had.
    static Result<std::unique_ptr<OpenedHistory>> open(const std::string& name,
                                                       machine::Engine engine);
    ~OpenedHistory();

    const LoadedHistory& loaded() const { return loaded_; }
    const history::History& history() const { return loaded_.history; }
    const machine::BaseImage& base() const { return *base_; }
    const CodeCache& code() const { return code_; }
    history::Timeline& timeline() { return *timeline_; }

    // Timeline::seek, which Ctrl-C ends. An interruption is an error.
    Status seek(const history::Moment& moment);

  private:
    explicit OpenedHistory(LoadedHistory loaded) : loaded_(std::move(loaded)) {}
    void show_progress(Ticks tick, VirtualTime time);

    LoadedHistory loaded_;
    // Both must outlive the machine.
    CodeCache code_;
    std::unique_ptr<machine::BaseImage> base_;
    std::unique_ptr<history::Timeline> timeline_;
    bool shows_progress_ = false;
    u64 last_shown_ = 0;  // host's nanoseconds; 0: seek() is not running
    bool said_disk_failure_ = false;
};

}  // namespace uchronia::cli
