// Takes the samples of a profile: at exact ticks, looks at what a machine executes.
//
// Looking changes nothing in the guest, so that the history is the same with and without it.
// Stacks of the kernel are walked by its ORC tables, stacks of programs by their call frame
// information and, where there is none, by frame pointers.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "history/session.h"
#include "host/files.h"
#include "profile/guest_view.h"
#include "profile/linux_kernel.h"
#include "profile/profile.h"
#include "profile/registers.h"
#include "profile/user_code.h"

namespace uchronia::profile {

class MachineView;

struct ProfilerOptions {
    u64 interval_ticks = 0;  // at least 1
    // Where samples are taken, from the history's start.
    Ticks from_tick{0}, to_tick{~u64{0}};
    VirtualTime from_time{0}, to_time = kNever;
    ReadFile read_file = host::read_file;
};

// Where and when a sample was taken.
struct SamplePlace {
    Ticks tick;         // from the run's start
    VirtualTime time;   // from the run's start
    unsigned vcpu = 0;  // whose turn it is
    u64 address = 0;    // of its next instruction
};

class Profiler final : public history::RunObserver {
  public:
    explicit Profiler(const ProfilerOptions& options);
    ~Profiler() override;

    // Called for each sample, in the order of time.
    void on_sample(std::function<void(const SamplePlace&, const Sample&)> call) {
        call_ = std::move(call);
    }

    // RunObserver.
    Ticks next_stop(Ticks done) override;
    void stopped(machine::Machine& machine, Ticks done, VirtualTime time) override;

    const Profile& profile() const { return profile_; }
    // What the profile lacks and why, for a person.
    std::vector<std::string> remarks() const;

  private:
    struct Walk;

    void attach(machine::Machine& machine);
    void take_sample(machine::Machine& machine, Ticks done, VirtualTime time);
    void walk_kernel(Walk& walk);
    void walk_user(Walk& walk);
    bool step_user(Walk& walk, const std::optional<UserLocation>& location, u64 looked_up);
    Frame user_frame(const std::optional<UserLocation>& location) const;

    ProfilerOptions options_;
    Profile profile_;
    std::unique_ptr<MachineView> view_;
    std::unique_ptr<LinuxKernel> kernel_;
    std::unique_ptr<UserCode> user_code_;
    std::string problem_;
    std::function<void(const SamplePlace&, const Sample&)> call_;
};

}  // namespace uchronia::profile
