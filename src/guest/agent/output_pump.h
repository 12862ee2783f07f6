// Carries the command's standard streams between its pipes and the machine.
//
// Output goes out as it comes. Input is fetched from the machine only when everything fetched
// before has been taken by the pipe.
#pragma once

#include <poll.h>

#include <cstddef>

namespace uchronia::agent {

class OutputPump {
  public:
    // Makes the pipes. `child_*` are the command's ends; close them with close_child_ends() once
    // the command has them.
    enum class Input { kNone, kFromHost };
    void open(Input input);
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

    // No output can come any more.
    bool outputs_ended() const { return own_[1] < 0 && own_[2] < 0; }

  private:
    // False if there was nothing to carry.
    bool pump_output(int stream);
    void pump_input();
    void close_own(int stream);

    int own_[3] = {-1, -1, -1};
    int child_[3] = {-1, -1, -1};
    std::size_t input_begin_ = 0;  // what was fetched and is not yet in the pipe
    std::size_t input_end_ = 0;
};

}  // namespace uchronia::agent
