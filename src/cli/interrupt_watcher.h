// Turns Ctrl-C (and SIGTERM, SIGHUP) into a call, by a thread that waits for them.
//
// There is at most one at a time, made before other threads are. The first signal calls; a second
// one ends the process at once.
#pragma once

#include <atomic>
#include <functional>
#include <thread>

#include "base/result.h"
#include "host/file_descriptor.h"

namespace uchronia::cli {

class InterruptWatcher {
  public:
    // `on_signal` is called from another thread, at most once.
    explicit InterruptWatcher(std::function<void()> on_signal);
    ~InterruptWatcher();
    InterruptWatcher(const InterruptWatcher&) = delete;
    InterruptWatcher& operator=(const InterruptWatcher&) = delete;

    // Readable from the first signal on.
    int descriptor() const { return told_.number(); }
    // The first signal, or 0.
    int signal() const { return signal_; }

  private:
    void watch();

    std::function<void()> on_signal_;
    host::FileDescriptor signals_;
    host::FileDescriptor told_;
    host::FileDescriptor end_;
    std::atomic<int> signal_ = 0;
    std::thread thread_;
};

}  // namespace uchronia::cli
