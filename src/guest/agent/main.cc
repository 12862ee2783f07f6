// PID 1 of the guest: boots the user space, says READY, runs one command, reports how it ended.
//
// docs/boot.md tells the whole story. The machine takes the base image inside the READY call, so
// everything before it is done once and everything after it in each run.
#include <errno.h>
#include <linux/random.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fcntl.h>

#include "guest/agent/clock.h"
#include "guest/agent/command.h"
#include "guest/agent/guest_host.h"
#include "guest/agent/init.h"
#include "guest/agent/kernel_modules.h"
#include "guest/agent/kernel_watch.h"
#include "guest/agent/out_files.h"
#include "guest/agent/output_pump.h"
#include "guest/agent/root_file_system.h"
#include "guest/agent/visits.h"

namespace uchronia::agent {
namespace {

constexpr int kEntropySize = 64;

alignas(4096) unsigned char run_buffer[UCHRONIA_MAXIMUM_TRANSFER];
KernelWatch kernel_watch;
OutputPump pump;
Visits visits;

// Gives this run's random bytes to the kernel, and makes it forget what it had drawn before.
void feed_entropy() {
    // rand_pool_info, which the header declares without a size for its bytes.
    struct {
        int entropy_bits = kEntropySize * 8;
        int size = kEntropySize;
        unsigned char bytes[kEntropySize];
    } pool;
    random_bytes(pool.bytes, sizeof pool.bytes);
    const int device =
        static_cast<int>(require(open("/dev/urandom", O_RDWR | O_CLOEXEC), "open", "/dev/urandom"));
    require(ioctl(device, RNDADDENTROPY, &pool), "feed the random number generator");
    require(ioctl(device, RNDRESEEDCRNG), "reseed the random number generator");
    close(device);
}

void read_run(guest::RunDescription& run) {
    // Its size first, so that only the pages that it needs are touched.
    const long size = read_run_description(run_buffer, 0);
    errno = EPROTO;
    if (size < 0 || size > static_cast<long>(sizeof run_buffer) ||
        read_run_description(run_buffer, static_cast<std::size_t>(size)) != size ||
        !guest::parse_run_description(run_buffer, static_cast<std::size_t>(size), run))
        panic("read the run description");
}

// The run's own command.
struct Command {
    pid_t process = -1;
    bool ended = false;
    int status = 0;
    long deadline = 0;  // after its end: for output of what it left behind
    bool drained = false;
};

void reap(Command& command) {
    int status;
    for (pid_t child; (child = waitpid(-1, &status, WNOHANG)) > 0;) {
        visits.child_ended(child, status);
        if (child == command.process) {
            command.status = status;
            command.ended = true;
            command.deadline = milliseconds_now() + kGraceMilliseconds;
        }
    }
}

// The shorter of two waits; -1 is for ever.
long shorter(long a, long b) {
    return a < 0 || (b >= 0 && b < a) ? b : a;
}

// Serves the command until it has ended, its output is drained and no visit goes on; after that,
// for ever.
void serve(Command& command, int signals) {
    constexpr std::size_t kCount = OutputPump::kPollCount + Visits::kPollCount + 2;
    const bool is_after_run = command.drained;
    for (;;) {
        pollfd entries[kCount];
        pump.prepare(entries);
        visits.prepare(entries + OutputPump::kPollCount);
        pollfd& signal_entry = entries[kCount - 2];
        pollfd& kernel_entry = entries[kCount - 1];
        signal_entry = {signals, POLLIN, 0};
        kernel_entry = {kernel_watch.descriptor(), POLLIN, 0};
        const bool waits = command.ended && !command.drained;
        const long left = waits ? command.deadline - milliseconds_now() : -1;
        if (waits && (pump.outputs_ended() || left < 0)) {
            pump.drain_outputs();
            command.drained = true;
        }
        if (command.drained && !is_after_run && !visits.active())
            return;
        const long limit = shorter(command.drained ? -1 : left, visits.wait_limit());
        if (poll(entries, kCount, static_cast<int>(limit)) < 0)
            continue;
        pump.handle(entries);
        if (kernel_entry.revents != 0)
            kernel_watch.drain();
        if (signal_entry.revents != 0) {
            signalfd_siginfo information;
            while (read(signals, &information, sizeof information) > 0) {
            }
            reap(command);
        }
        visits.handle(entries + OutputPump::kPollCount);
    }
}

// SIGCHLD as a descriptor; everything else that could disturb PID 1 is blocked with it.
int open_signals() {
    signal(SIGPIPE, SIG_IGN);
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, nullptr);
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    return static_cast<int>(
        require(signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK), "watch for signals"));
}

void boot() {
    mount_kernel_file_systems();
    apply_settings();
    load_modules();
    make_device_nodes();
    configure_network_and_name();
    kernel_watch.open();
    kernel_watch.drain();
    visits.open();
    require(mlockall(MCL_CURRENT | MCL_FUTURE), "lock its memory");
    errno = EPROTO;
    if (hypercall(UCHRONIA_VERSION) != UCHRONIA_ABI)
        panic("work with this version of the machine");
}

[[noreturn]] void run_once() {
    guest::RunDescription run;
    kernel_watch.pass_on_lines();
    read_run(run);
    feed_entropy();
    const RootFolders folders = enter_root_file_system(run);
    offer_kernel_modules(folders.host, run.modules_folder);
    if (run.out_folder != nullptr)
        wait_for_next_moment();
    const int signals = open_signals();
    pump.open(UCHRONIA_OF_RUN, (run.flags & UCHRONIA_RUN_HAS_INPUT) != 0
                                   ? OutputPump::Input::kFromHost
                                   : OutputPump::Input::kNone);
    Command command;
    command.process = start_command(run, pump);
    pump.close_child_ends();
    serve(command, signals);
    if (run.out_folder != nullptr)
        bring_out_files(folders.upper, run.out_folder);
    sync();
    kernel_watch.drain();
    finish(command.status);
    // The run goes on, for a visit.
    for (;;)
        serve(command, signals);
}

}  // namespace
}  // namespace uchronia::agent

// As PID 1 it is the agent; else the kernel has called it to load a module.
int main(int argument_count, char** arguments) {
    using namespace uchronia::agent;
    if (getpid() != 1 && on_uchronia())
        return load_kernel_module(arguments[argument_count - 1]);
    boot();
    hypercall(UCHRONIA_READY);
    run_once();
}
