// Carries a command's standard streams between its pipes, or its terminal, and the machine.
//
// Output goes out as it comes. Input is fetched from the machine only when everything fetched
// before has been taken by the pipe.
#pragma once

#include <poll.h>

#include <sys/types.h>

#include <cstddef>

#include "guest/hypercall.h"

namespace uchronia::agent {

class OutputPump {
  public:
    // Makes the pipes. `child_*` are the command's ends; close them with close_child_ends() once
    // the command has them.
    enum class Input { kNone, kFromHost };
    void open(UchroniaOwner owner, Input input);
    // A terminal for the user in place of the pipes; what is typed there comes by type().
    void open_terminal(UchroniaOwner owner, uid_t user);
    int child_input() const { return child_[0]; }
    int child_output() const { return child_[1]; }
    int child_error() const { return child_[2]; }
    void close_child_ends();

    // Fills the entries for poll() (exactly kPollCount), and handles what it answered.
    static constexpr std::size_t kPollCount = 3;
    void prepare(pollfd* entries) const;
    void handle(const pollfd* entries);

    // Carries what lies in the output pipes now, without waiting for more.
    void drain_outputs();

    // The terminal's end for the keyboard and the window's size, or -1.
    int terminal() const { return is_terminal_ ? own_[1] : -1; }
    void hang_up() { close_own(1); }

    void close_all();
    // Leaves everything as it is, to whoever uses it, and forgets it.
    void abandon();

    // No output can come any more.
    bool outputs_ended() const { return own_[1] < 0 && own_[2] < 0; }

  private:
    // False if there was nothing to carry.
    bool pump_output(int stream);
    void pump_input();
    void close_own(int stream);

    static constexpr std::size_t kBufferSize = 65536;  // the usual capacity of a pipe

    UchroniaOwner owner_ = UCHRONIA_OF_RUN;
    bool is_terminal_ = false;
    int own_[3] = {-1, -1, -1};
    int child_[3] = {-1, -1, -1};
    std::size_t input_begin_ = 0;  // what was fetched and is not yet in the pipe
    std::size_t input_end_ = 0;
    char input_[kBufferSize];
};

}  // namespace uchronia::agent
