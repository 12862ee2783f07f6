#include "tests/programs/guest_run.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "guest/hypercall.h"
#include "history/tape.h"
#include "host/file_tree.h"
#include "machine/machine.h"
#include "machine/run_request.h"
#include "memory/frame_store.h"

namespace uchronia::tests {
namespace {

constexpr u64 kMostTicks = 20'000'000'000;
constexpr u64 kOddPiece = 7'000'003;
constexpr u64 kPiecesPerDrop = 3;
constexpr u64 kPiecePerEngine = 300'007;
// Arbitrary, but inside every program's run.
constexpr u64 kCheckpointTick = 12'345'679;

class Capture final : public machine::Outside {
  public:
    explicit Capture(GuestResult& result) : result_(result) {}
    void output(machine::OutputStream stream, std::span<const u8> bytes) override {
        std::string& to =
            stream == machine::OutputStream::kOutput ? result_.output : result_.errors;
        to.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }
    u64 input(u64, std::span<u8>) override { return 0; }
    void console(u8 byte) override { result_.errors += static_cast<char>(byte); }
    void kernel_report(u64, std::string_view text) override {
        result_.errors += "kernel: " + std::string(text) + "\n";
    }
    void agent_log(u64 level, std::string_view text) override {
        if (level != UCHRONIA_LOG_KERNEL)
            result_.errors += "agent: " + std::string(text) + "\n";
    }

  private:
    GuestResult& result_;
};

template <class T>
T demand(Result<T> result) {
    if (!result) {
        std::fprintf(stderr, "%s\n", result.error().message.c_str());
        std::abort();
    }
    return std::move(*result);
}

void demand(const Status& status) {
    if (!status) {
        std::fprintf(stderr, "%s\n", status.error().message.c_str());
        std::abort();
    }
}

// A machine with all that a run needs around it.
struct Guest {
    memory::FrameStore frames;
    machine::Machine machine;

    explicit Guest(const machine::MachineConfig& config) : machine(frames, config) {}
};

machine::MachineConfig config_for(const machine::BaseImage& base, Way way) {
    machine::MachineConfig config = base.config();
    config.engine =
        way == Way::kInterpreter ? machine::Engine::kInterpreter : machine::Engine::kTranslator;
    return config;
}

machine::StopReason run_in_odd_pieces(machine::Machine& machine, Ticks end) {
    machine::StopReason reason;
    for (u64 piece = 1; machine.ticks() < end; ++piece) {
        reason = machine.run(std::min(machine.ticks() + Ticks(kOddPiece), end));
        if (reason.stop != machine::Stop::kTick)
            break;
        if (piece % kPiecesPerDrop == 0)
            machine.drop_caches();
    }
    return reason;
}

machine::StopReason run_by_both_engines(machine::Machine& machine, Ticks end) {
    using machine::Engine;
    machine.set_heat_threshold(0);
    machine::StopReason reason;
    for (u64 piece = 1; machine.ticks() < end; ++piece) {
        machine.set_engine(piece % 2 == 0 ? Engine::kInterpreter : Engine::kTranslator);
        reason = machine.run(std::min(machine.ticks() + Ticks(kPiecePerEngine), end));
        if (reason.stop != machine::Stop::kTick)
            break;
    }
    return reason;
}

}  // namespace

std::string GuestResult::summary() const {
    return stop + ", status " + std::to_string(exit_status) + ", " + std::to_string(ticks) +
           " ticks, state " + to_hex(state) + "\n" + output + errors;
}

GuestResult run_in_guest(const machine::BaseImage& base, const std::string& script,
                         const std::string& folder, u64 seed, Way way) {
    GuestResult result;
    Capture capture(result);
    host::FileTreeOptions view;
    view.exports = {folder};
    view.exports_if_present = {"/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc", "/opt"};
    view.hidden = host::default_hidden_paths();
    const auto files = demand(host::FileTree::create(view));
    const machine::RunRequest request{
        .arguments = {"/bin/sh", "-c", script},
        .environment = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                        "HOME=/root", "LANG=C.UTF-8"},
        .working_directory = folder,
        .shares = {folder},
        .modules_folder = {},
        .groups = {},
    };
    auto guest = std::make_unique<Guest>(config_for(base, way));
    demand(base.start(guest->machine, guest->frames));
    const Ticks start = guest->machine.ticks();
    history::TapeReader tape(history::Tape::from_seed(seed), start);
    const machine::RunEnvironment environment{.decisions = &tape,
                                              .outside = &capture,
                                              .files = files.get(),
                                              .request = demand(encode_run_request(request))};
    guest->machine.set_environment(environment);
    guest->machine.start_preemption();

    machine::StopReason reason;
    const Ticks end = start + Ticks(kMostTicks);
    if (way == Way::kOddBudgets) {
        reason = run_in_odd_pieces(guest->machine, end);
    } else if (way == Way::kBothEngines) {
        reason = run_by_both_engines(guest->machine, end);
    } else if (way == Way::kThroughCheckpoint) {
        reason = guest->machine.run(start + Ticks(kCheckpointTick));
        const machine::Checkpoint checkpoint = guest->machine.checkpoint();
        // The same machine goes back to it after a detour, with everything that it has cached.
        guest->machine.run(start + Ticks(2 * kCheckpointTick));
        result = {};
        demand(guest->machine.restore(checkpoint));
        reason = guest->machine.run(end);
    } else {
        reason = guest->machine.run(end);
    }
    result.stop = description_of(reason);
    result.ended = reason.stop == machine::Stop::kExited && reason.exit_kind == UCHRONIA_EXITED;
    result.exit_status = reason.exit_code;
    result.ticks = (guest->machine.ticks() - start).value;
    result.state = guest->machine.state_digest();
    return result;
}

}  // namespace uchronia::tests
