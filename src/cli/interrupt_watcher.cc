#include "cli/interrupt_watcher.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace uchronia::cli {
namespace {

sigset_t watched_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGINT, SIGTERM, SIGHUP})
        sigaddset(&set, number);
    return set;
}

void raise_event(const host::FileDescriptor& event) {
    const u64 one = 1;
    static_cast<void>(!::write(event.number(), &one, sizeof one));
}

}  // namespace

InterruptWatcher::InterruptWatcher(std::function<void()> on_signal)
    : on_signal_(std::move(on_signal)),
      told_(::eventfd(0, EFD_CLOEXEC)),
      end_(::eventfd(0, EFD_CLOEXEC)) {
    const sigset_t set = watched_signals();
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    signals_ = host::FileDescriptor(::signalfd(-1, &set, SFD_CLOEXEC));
    thread_ = std::thread([this] { watch(); });
}

InterruptWatcher::~InterruptWatcher() {
    raise_event(end_);
    thread_.join();
    const sigset_t set = watched_signals();
    pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

void InterruptWatcher::watch() {
    while (true) {
        pollfd waits[2] = {{signals_.number(), POLLIN, 0}, {end_.number(), POLLIN, 0}};
        if (::poll(waits, 2, -1) < 0)
            continue;
        if (waits[1].revents != 0)
            return;
        signalfd_siginfo information{};
        if (::read(signals_.number(), &information, sizeof information) != sizeof information)
            continue;
        const int number = static_cast<int>(information.ssi_signo);
        if (signal_ != 0)
            ::_exit(128 + number);
        signal_ = number;
        raise_event(told_);
        on_signal_();
    }
}

}  // namespace uchronia::cli
