// Visits: commands that were called into the guest at moments of a history, and what they were
// given. They make it another history, as a change of the tape does.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "machine/calls.h"
#include "machine/run_request.h"

namespace uchronia::history {

// A place in a run, counted from its start: where tick and time are first both reached.
struct Place {
    Ticks tick;
    VirtualTime time;

    auto operator<=>(const Place&) const = default;
};

// What is given to the terminal of a visit.
struct TerminalInput {
    enum class Kind : u8 { kTyped, kWindow, kHangUp };

    Place at;
    Kind kind = Kind::kTyped;
    std::string typed = {};  // at most kMostTyped bytes
    u16 rows = 0, columns = 0;

    bool operator==(const TerminalInput&) const = default;
};
inline constexpr std::size_t kMostTyped = 4096;

bool same_request(const machine::RunRequest& a, const machine::RunRequest& b);

struct Visit {
    // The last two are the agent's own work on the file that the only argument names.
    enum class Kind : u8 { kCommand, kListFiles, kBringFiles };

    Place at;
    Kind kind = Kind::kCommand;
    machine::RunRequest request;
    std::vector<TerminalInput> terminal;
    std::vector<u8> input;  // standard input, as far as it was read

    bool operator==(const Visit& other) const;
};

// Whether their places ascend, and all can be given to a guest.
Status check_visits(const std::vector<Visit>& visits);

// Drops what had not been given after so many calls.
void cut_visits(std::vector<Visit>& visits, u64 calls);

// Gives the visits of a history to a machine whose run starts at `tick` and `time` of its own.
class VisitCalls final : public machine::CallSource {
  public:
    // Answers for standard input that has not been recorded, as machine::Outside::input.
    class Input {
      public:
        virtual ~Input() = default;
        virtual u64 visit_input(u64 offset, std::span<u8> bytes) = 0;
    };

    // `visits` pass their check; more may be added to them, and then update() is to be called.
    VisitCalls(std::vector<Visit>& visits, Ticks tick, VirtualTime time);
    void update();
    // Where the last visit's standard input goes on; it is recorded. Null: it ends.
    void set_input(Input* input) { input_ = input; }

    const machine::Call* call(u64 index) override;
    u64 visit_input(u64 visit, u64 offset, std::span<u8> bytes) override;

  private:
    std::vector<Visit>& visits_;
    const Place origin_;
    std::vector<machine::Call> calls_;
    Input* input_ = nullptr;
};

}  // namespace uchronia::history
