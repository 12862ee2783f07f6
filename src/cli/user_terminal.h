// The user's terminal, for a terminal of the guest: raw while it lives, and put back after that.
//
// The guest's time goes as fast as the user's while the guest waits, and slower where it works.
#pragma once

#include <termios.h>

#include "base/result.h"
#include "history/session.h"

namespace uchronia::cli {

class UserTerminal final : public history::LiveTerminal {
  public:
    // `interrupt`: a descriptor that ends every wait when it is readable.
    explicit UserTerminal(int interrupt) : interrupt_(interrupt) {}
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

    const int interrupt_;
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
