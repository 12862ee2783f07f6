// A profile: how many samples were taken in which stacks.
//
// Everything is kept and given in an order that depends on the samples alone, so that two profiles
// of one history are equal byte for byte.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/types.h"

namespace uchronia::profile {

enum class Mode : u8 { kUser, kKernel };

struct Frame {
    std::string symbol;
    std::string object;  // a path, "[kernel]", "[virtiofs]", "[anon]"
    Mode mode = Mode::kUser;

    auto operator<=>(const Frame&) const = default;
};

struct Sample {
    std::string process;        // "gcc 123"
    std::vector<Frame> frames;  // the innermost first; at least one
};

class Profile {
  public:
    using FrameId = u32;
    struct StackKey {
        std::string process;
        std::vector<FrameId> frames;  // the outermost first

        auto operator<=>(const StackKey&) const = default;
    };

    explicit Profile(u64 interval_ticks) : interval_ticks_(interval_ticks) {}
    Profile(const Profile&) = delete;
    Profile& operator=(const Profile&) = delete;

    void add(const Sample& sample);

    u64 interval_ticks() const { return interval_ticks_; }
    u64 sample_count() const { return sample_count_; }
    u64 kernel_sample_count() const { return kernel_sample_count_; }
    const Frame& frame(FrameId id) const { return *frames_[id]; }
    const std::map<StackKey, u64>& stacks() const { return stacks_; }

  private:
    u64 interval_ticks_;
    u64 sample_count_ = 0, kernel_sample_count_ = 0;
    std::map<Frame, FrameId> frame_ids_;
    std::vector<const Frame*> frames_;  // keys of frame_ids_
    std::map<StackKey, u64> stacks_;
};

// What a table has a row for.
enum class GroupBy : u8 { kFunction, kProcess, kSymbol, kObject };

struct Row {
    std::string process, object, symbol;  // empty: not told apart by it
    std::string mode;                     // "user", "kernel" or "both"
    u64 self = 0;                         // samples in it
    u64 total = 0;                        // samples in it or in what it called
};

// The rows, those with the most samples first.
std::vector<Row> rows_of(const Profile& profile, GroupBy group);

// "cc1 83;main;expand_expr 200006": collapsed stacks, as tools for flame graphs read them, weighted
// in ticks.
std::string folded_stacks(const Profile& profile);

// What a frame is called where nothing else is said about it. One without a name of its own is told
// by its object; functions of the kernel end with "_[k]".
std::string label_of(const Frame& frame);

// A name without its folder.
std::string short_object_name(const std::string& object);

}  // namespace uchronia::profile
