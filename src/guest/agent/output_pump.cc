#include "guest/agent/output_pump.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/agent/guest_host.h"

namespace uchronia::agent {
namespace {

constexpr int kMostDrainingReads = 16;  // pipes can be enlarged to 1 MiB

constexpr gid_t kTerminalGroup = 5;
constexpr mode_t kTerminalMode = 0620;

char output_buffer[65536];

}  // namespace

void OutputPump::open(UchroniaOwner owner, Input input_kind) {
    owner_ = owner;
    is_terminal_ = false;
    input_begin_ = input_end_ = 0;
    for (int stream = 0; stream < 3; ++stream) {
        if (stream == 0 && input_kind == Input::kNone) {
            child_[0] = static_cast<int>(
                require(::open("/dev/null", O_RDONLY | O_CLOEXEC), "open", "/dev/null"));
            continue;
        }
        int ends[2];
        require(pipe2(ends, O_CLOEXEC), "make a pipe");
        own_[stream] = ends[stream == 0 ? 1 : 0];
        child_[stream] = ends[stream == 0 ? 0 : 1];
        require(fcntl(own_[stream], F_SETFL, O_NONBLOCK), "set up a pipe");
    }
}

void OutputPump::open_terminal(UchroniaOwner owner, uid_t user) {
    owner_ = owner;
    is_terminal_ = true;
    const int master = static_cast<int>(require(
        ::open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC), "open", "/dev/ptmx"));
    require(unlockpt(master), "unlock a terminal");
    const int slave =
        static_cast<int>(require(ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC),
                                 "open the other end of a terminal"));
    require(fchown(slave, user, kTerminalGroup), "give a terminal to the user");
    require(fchmod(slave, kTerminalMode), "set up a terminal");
    own_[0] = own_[2] = -1;
    own_[1] = master;
    for (int& descriptor : child_)
        descriptor =
            static_cast<int>(require(fcntl(slave, F_DUPFD_CLOEXEC, 0), "set up a terminal"));
    close(slave);
}

void OutputPump::close_all() {
    for (int stream = 0; stream < 3; ++stream)
        close_own(stream);
}

void OutputPump::abandon() {
    for (int& descriptor : own_)
        descriptor = -1;
}

void OutputPump::close_child_ends() {
    for (int& descriptor : child_) {
        close(descriptor);
        descriptor = -1;
    }
}

void OutputPump::prepare(pollfd* entries) const {
    entries[0] = {own_[0], POLLOUT, 0};
    entries[1] = {own_[1], POLLIN, 0};
    entries[2] = {own_[2], POLLIN, 0};
}

void OutputPump::handle(const pollfd* entries) {
    for (int stream = 1; stream <= 2; ++stream) {
        if (entries[stream].revents != 0)
            pump_output(stream);
    }
    if ((entries[0].revents & (POLLERR | POLLNVAL)) != 0)
        close_own(0);  // nobody reads any more
    else if (entries[0].revents != 0)
        pump_input();
}

void OutputPump::drain_outputs() {
    for (int stream = 1; stream <= 2; ++stream) {
        // Bounded: a process that was left behind may write forever.
        for (int count = 0; count < kMostDrainingReads && pump_output(stream); ++count) {
        }
    }
}

bool OutputPump::pump_output(int stream) {
    if (own_[stream] < 0)
        return false;
    const ssize_t size = read(own_[stream], output_buffer, sizeof output_buffer);
    if (size > 0)
        output(stream + (owner_ == UCHRONIA_OF_VISIT ? UCHRONIA_STREAM_ERROR : 0), output_buffer,
               static_cast<std::size_t>(size));
    else if (size == 0 || (errno != EAGAIN && errno != EINTR))
        close_own(stream);
    return size > 0;
}

void OutputPump::pump_input() {
    if (input_begin_ == input_end_) {
        input_begin_ = 0;
        input_end_ = input(owner_, input_, sizeof input_);
        if (input_end_ == 0) {
            close_own(0);
            return;
        }
    }
    const ssize_t size = write(own_[0], input_ + input_begin_, input_end_ - input_begin_);
    if (size > 0)
        input_begin_ += static_cast<std::size_t>(size);
    else if (errno != EAGAIN && errno != EINTR)
        close_own(0);
}

void OutputPump::close_own(int stream) {
    if (own_[stream] < 0)
        return;
    close(own_[stream]);
    own_[stream] = -1;
}

}  // namespace uchronia::agent
