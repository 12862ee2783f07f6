// Visits: commands that the machine calls into the guest while the run's own command runs, or after
// it (docs/hypercalls.md).
//
// A byte on the first serial port says that there are messages. There is one visit at a time: a new
// one leaves the command of the one before to itself.
#pragma once

#include <poll.h>
#include <sys/types.h>

#include <cstddef>

#include "guest/agent/output_pump.h"

namespace uchronia::agent {

class Visits {
  public:
    // Opens the serial port.
    void open();

    // A visit's command runs, or its end has not been told yet.
    bool active() const { return active_; }

    // Fills the entries for poll() (exactly kPollCount), and handles what it answered.
    static constexpr std::size_t kPollCount = OutputPump::kPollCount + 2;
    void prepare(pollfd* entries) const;
    void handle(const pollfd* entries);
    // For poll() too: -1, or the milliseconds after which handle() has something to do all the
    // same.
    long wait_limit() const;

    // A child of this process has ended.
    void child_ended(pid_t child, int status);

  private:
    void read_serial_port();
    void take_messages();
    void take_message(std::size_t size);
    void begin(const unsigned char* description, std::size_t size);
    void set_window(const unsigned char* bytes, std::size_t size);
    void pump_typed();
    void end_if_over();

    int serial_ = -1;
    bool called_ = false;  // there may be messages
    bool active_ = false;
    unsigned number_ = 0;
    unsigned kind_ = 0;
    pid_t child_ = -1;
    bool ended_ = false;  // with status_; what is left of its output is waited for until deadline_
    int status_ = 0;
    long deadline_ = 0;
    OutputPump pump_;
    // What was typed and is not yet in the terminal.
    std::size_t typed_begin_ = 0, typed_end_ = 0;
    unsigned char typed_[4096];
};

}  // namespace uchronia::agent
