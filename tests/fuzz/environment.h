// What a fuzz target runs machines with: decisions of a fixed seed, and a world outside that
// remembers all that it was told.
#pragma once

#include <algorithm>

#include "base/prng.h"
#include "machine/machine.h"

namespace uchronia::fuzz {

class FixedDecisions final : public machine::DecisionSource {
  public:
    u64 word(machine::DecisionKind kind, u64 counter, Ticks) override {
        const u64 word = random_word(1, static_cast<u64>(kind), counter);
        // The shortest turns (machine/turns.cc), as runs are short.
        return kind == machine::DecisionKind::kTurn ? word & ~u64{0xff} : word;
    }
};

class RememberingOutside final : public machine::Outside {
  public:
    void output(machine::OutputStream stream, std::span<const u8> bytes) override {
        heard_.push_back(static_cast<u8>(stream));
        heard_.insert(heard_.end(), bytes.begin(), bytes.end());
    }
    u64 input(u64 offset, std::span<u8> bytes) override {
        constexpr u64 kSize = 10'000;
        const u64 count = std::min<u64>(bytes.size(), offset < kSize ? kSize - offset : 0);
        for (u64 i = 0; i < count; ++i)
            bytes[i] = static_cast<u8>(offset + i);
        return count;
    }
    void console(u8 byte) override { heard_.push_back(byte); }
    void kernel_report(u64, std::string_view text) override { remember(text); }
    void agent_log(u64, std::string_view text) override { remember(text); }

    const std::vector<u8>& heard() const { return heard_; }

  private:
    void remember(std::string_view text) { heard_.insert(heard_.end(), text.begin(), text.end()); }

    std::vector<u8> heard_;
};

}  // namespace uchronia::fuzz
