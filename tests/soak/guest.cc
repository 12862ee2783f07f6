#include "tests/soak/guest.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "cli/run_setup.h"

namespace uchronia::soak {
namespace {

machine::MachineConfig config_for(const Subject& subject, machine::Engine engine,
                                  const cpu::jit::TranslatorOptions& translator) {
    machine::MachineConfig config = subject.base.config();
    config.engine = engine;
    config.translator = translator;
    return config;
}

}  // namespace

class Guest::Listener final : public machine::Outside {
  public:
    Listener(const std::vector<u8>& input, OutputUse use) : input_(input), use_(use) {}

    void output(machine::OutputStream, std::span<const u8> bytes) override {
        if (use_ == OutputUse::kShow)
            std::fwrite(bytes.data(), 1, bytes.size(), stdout);
    }
    u64 input(u64 offset, std::span<u8> bytes) override {
        const u64 first = std::min<u64>(offset, input_.size());
        const u64 count = std::min<u64>(bytes.size(), input_.size() - first);
        std::copy_n(input_.begin() + static_cast<i64>(first), count, bytes.begin());
        return count;
    }
    void console(u8) override {}
    void kernel_report(u64, std::string_view text) override { say("kernel", text); }
    void agent_log(u64, std::string_view text) override { say("agent", text); }

  private:
    void say(const char* who, std::string_view text) const {
        if (use_ == OutputUse::kShow)
            std::printf("%s: %.*s\n", who, static_cast<int>(text.size()), text.data());
    }

    const std::vector<u8>& input_;
    const OutputUse use_;
};

Guest::Guest(const Subject& subject, memory::FrameStore& frames, machine::Engine engine,
             const cpu::jit::TranslatorOptions& translator, OutputUse use)
    : machine_(frames, config_for(subject, engine, translator)),
      listener_(std::make_unique<Listener>(subject.history.input, use)),
      files_(demand(cli::open_files(subject.history.files))) {
    demand(subject.base.start(machine_, frames));
    start_ = machine_.ticks();
    tape_ = std::make_unique<history::TapeReader>(subject.history.tape, start_);
    machine_.set_environment({.decisions = tape_.get(),
                              .outside = listener_.get(),
                              .files = files_.get(),
                              .request = demand(encode_run_request(subject.history.request))});
    machine_.start_preemption();
}

Guest::~Guest() = default;

void Guest::restore(const machine::Checkpoint& checkpoint) {
    demand(machine_.restore(checkpoint));
}

void give_up(const Error& error) {
    std::fprintf(stderr, "%s\n", error.message.c_str());
    std::exit(2);
}

}  // namespace uchronia::soak
