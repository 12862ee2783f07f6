// The user's terminal, for a terminal of the guest: raw while it lives, and put back after that.
//
// The guest's time goes as fast as the user's while the guest waits, and slower where it works.
#pragma once

#include <termios.h>

#include <functional>

#include "base/result.h"
#include "history/session.h"

namespace uchronia::cli {

class UserTerminal final : public history::LiveTerminal {
  public:
    // `interrupt`: a descriptor that ends every wait when it is readable. `leave` is called when
    // the user wants to leave without the guest's help.
    UserTerminal(int interrupt, std::function<void()> leave)
        : interrupt_(interrupt), leave_(std::move(leave)) {}
    ~UserTerminal() override;
    UserTerminal(const UserTerminal&) = delete;
    UserTerminal& operator=(const UserTerminal&) = delete;

    // Errors: standard input or output is no terminal.
    static Status check();
    // From now on it is the guest's.
    void make_raw();
    // What the guest's terminal is told first.
    history::TerminalInput window() const;

    VirtualTime limit(VirtualTime time) override;
    std::vector<history::TerminalInput> take(VirtualTime time) override;

  private:
    bool wait_for_key(u64 nanoseconds) const;
    void look_for_escape(const std::string& typed);

    const int interrupt_;
    const std::function<void()> leave_;
    unsigned escapes_ = 0;  // in a row
    bool is_raw_ = false;
    termios settings_{};
    bool ended_ = false;
    u16 rows_ = 0, columns_ = 0;
    // Where the guest's time and the user's are compared from.
    bool is_anchored_ = false;
    u64 host_anchor_ = 0;
    VirtualTime guest_anchor_;
};

}  // namespace uchronia::cli
