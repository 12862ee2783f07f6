// A machine under a history, as `uchronia run` would run it, that a test can cut up and set back.
#pragma once

#include <memory>
#include <string>

#include "history/history.h"
#include "history/tape.h"
#include "host/file_tree.h"
#include "machine/base_image.h"
#include "machine/machine.h"
#include "memory/frame_store.h"

namespace uchronia::soak {

// What is run; must outlive the guests.
struct Subject {
    const machine::BaseImage& base;
    const history::History& history;
};

enum class OutputUse : u8 { kDrop, kShow };

// Ticks count from the run's start here.
class Guest {
  public:
    // At the run's start. Guests that share `frames` can be set to each other's checkpoints.
    // Errors of the host are fatal.
    Guest(const Subject& subject, memory::FrameStore& frames, machine::Engine engine,
          const cpu::jit::TranslatorOptions& translator = {}, OutputUse use = OutputUse::kDrop);
    ~Guest();

    machine::Machine& machine() { return machine_; }
    u64 ticks() const { return (machine_.ticks() - start_).value; }
    // To `tick`, or to an earlier end.
    machine::StopReason run(u64 tick) { return machine_.run(start_ + Ticks(tick)); }
    void restore(const machine::Checkpoint& checkpoint);

  private:
    class Listener;

    machine::Machine machine_;
    Ticks start_;
    std::unique_ptr<Listener> listener_;
    std::unique_ptr<host::FileSource> files_;
    std::unique_ptr<history::TapeReader> tape_;
};

// Ends the process with the error's message.
[[noreturn]] void give_up(const Error& error);

template <class T>
T demand(Result<T> result) {
    if (!result)
        give_up(result.error());
    return std::move(*result);
}

inline void demand(const Status& status) {
    if (!status)
        give_up(status.error());
}

}  // namespace uchronia::soak
