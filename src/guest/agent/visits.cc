#include "guest/agent/visits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "guest/agent/clock.h"
#include "guest/agent/command.h"
#include "guest/agent/guest_host.h"
#include "guest/agent/list_files.h"
#include "guest/agent/out_files.h"
#include "guest/run_description.h"

namespace uchronia::agent {
namespace {

constexpr char kSerialPort[] = "/dev/ttyS0";

alignas(4096) unsigned char message[UCHRONIA_MAXIMUM_TRANSFER];

// Does the agent's own work for a visit, as a child of it.
pid_t start_worker(const guest::RunDescription& run, const OutputPump& pump,
                   int (*work)(const char* path)) {
    const pid_t child = fork();
    if (require(child, "start a process") != 0)
        return child;
    dup2(pump.child_output(), STDOUT_FILENO);
    dup2(pump.child_error(), STDERR_FILENO);
    if (chdir(run.working_directory) != 0 && chdir("/") != 0)
        _exit(kCannotExecute);
    _exit(work(run.arguments.first));
}

}  // namespace

void Visits::open() {
    serial_ = static_cast<int>(require(
        ::open(kSerialPort, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC), "open", kSerialPort));
    // It is the console too: what is written there stays as it is.
    termios settings;
    require(tcgetattr(serial_, &settings), "set up", kSerialPort);
    settings.c_iflag = 0;
    settings.c_lflag = 0;
    settings.c_cflag |= CREAD | CLOCAL;
    settings.c_cc[VMIN] = 1;
    settings.c_cc[VTIME] = 0;
    require(tcsetattr(serial_, TCSANOW, &settings), "set up", kSerialPort);
}

void Visits::prepare(pollfd* entries) const {
    pump_.prepare(entries);
    entries[OutputPump::kPollCount] = {serial_, POLLIN, 0};
    const bool has_typed = typed_begin_ != typed_end_;
    entries[OutputPump::kPollCount + 1] = {has_typed ? pump_.terminal() : -1, POLLOUT, 0};
}

long Visits::wait_limit() const {
    if (!active_ || !ended_)
        return -1;
    const long left = deadline_ - milliseconds_now();
    return pump_.outputs_ended() || left < 0 ? 0 : left;
}

void Visits::handle(const pollfd* entries) {
    pump_.handle(entries);
    if (entries[OutputPump::kPollCount].revents != 0)
        read_serial_port();
    pump_typed();
    take_messages();
    end_if_over();
}

void Visits::child_ended(pid_t child, int status) {
    if (!active_ || child != child_)
        return;
    status_ = status;
    ended_ = true;
    deadline_ = milliseconds_now() + kGraceMilliseconds;
}

void Visits::read_serial_port() {
    char bytes[64];
    while (read(serial_, bytes, sizeof bytes) > 0)
        called_ = true;
}

// What was typed before must be in the terminal first.
void Visits::take_messages() {
    while (called_ && typed_begin_ == typed_end_) {
        // Its size first, so that only the pages that it needs are touched.
        std::size_t size = agent::take_message(message, 0);
        if (size != 0 && size <= sizeof message)
            size = agent::take_message(message, size);
        if (size < sizeof(UchroniaCallHeader) || size > sizeof message) {
            called_ = false;
            return;
        }
        take_message(size);
    }
}

void Visits::take_message(std::size_t size) {
    UchroniaCallHeader header;
    memcpy(&header, message, sizeof header);
    const unsigned char* rest = message + sizeof header;
    size -= sizeof header;
    switch (header.kind) {
        case UCHRONIA_CALL_COMMAND:
        case UCHRONIA_CALL_LIST:
        case UCHRONIA_CALL_BRING:
            number_ = header.number;
            kind_ = header.kind;
            begin(rest, size);
            break;
        case UCHRONIA_CALL_INPUT:
            if (pump_.terminal() >= 0 && size <= sizeof typed_) {
                memcpy(typed_, rest, size);
                typed_begin_ = 0;
                typed_end_ = size;
                pump_typed();
            }
            break;
        case UCHRONIA_CALL_WINDOW:
            set_window(rest, size);
            break;
        case UCHRONIA_CALL_HANG_UP:
            if (pump_.terminal() >= 0)
                pump_.hang_up();
            break;
        default:
            log_line(UCHRONIA_LOG_WARNING, "the machine calls for something unknown");
    }
}

void Visits::begin(const unsigned char* description, std::size_t size) {
    pump_.abandon();
    typed_begin_ = typed_end_ = 0;
    active_ = true;
    ended_ = false;
    guest::RunDescription run;
    errno = EPROTO;
    if (!guest::parse_run_description(description, size, run))
        panic("read the description of a visit");
    if ((run.flags & UCHRONIA_RUN_HAS_TERMINAL) != 0)
        pump_.open_terminal(UCHRONIA_OF_VISIT, run.uid);
    else
        pump_.open(UCHRONIA_OF_VISIT, (run.flags & UCHRONIA_RUN_HAS_INPUT) != 0
                                          ? OutputPump::Input::kFromHost
                                          : OutputPump::Input::kNone);
    if (kind_ == UCHRONIA_CALL_COMMAND)
        child_ = start_command(run, pump_);
    else
        child_ = start_worker(run, pump_, kind_ == UCHRONIA_CALL_LIST ? list_files : bring_out_all);
    pump_.close_child_ends();
}

void Visits::set_window(const unsigned char* bytes, std::size_t size) {
    uint16_t numbers[2];
    if (pump_.terminal() < 0 || size < sizeof numbers)
        return;
    memcpy(numbers, bytes, sizeof numbers);
    const winsize window{numbers[0], numbers[1], 0, 0};
    ioctl(pump_.terminal(), TIOCSWINSZ, &window);
}

void Visits::pump_typed() {
    if (typed_begin_ == typed_end_)
        return;
    const ssize_t size = write(pump_.terminal(), typed_ + typed_begin_, typed_end_ - typed_begin_);
    if (size > 0)
        typed_begin_ += static_cast<std::size_t>(size);
    else if (size < 0 && errno != EAGAIN && errno != EINTR)
        typed_begin_ = typed_end_;  // nobody will read it
}

void Visits::end_if_over() {
    if (!active_ || !ended_ || (!pump_.outputs_ended() && milliseconds_now() <= deadline_))
        return;
    pump_.drain_outputs();
    pump_.close_all();
    active_ = false;
    end_visit(status_, number_);
}

}  // namespace uchronia::agent
