// The choices that the guest cannot make for itself, and where the machine asks for them.
//
// Every kind has a stream of its own, and the machine counts how far each has been drawn: the
// counts are guest-visible state, the words belong to the tape (design, section 5).
#pragma once

#include <array>
#include <optional>

#include "base/fields.h"
#include "base/types.h"

namespace uchronia::machine {

enum class DecisionKind : u8 {
    kEntropy,  // RDRAND, RDSEED, virtio-rng, the agent's seed
    kQuantum,  // ticks until the vCPU is next held up
    kStall,    // how long it is held up, virtual nanoseconds
    kTurn,     // ticks that a vCPU runs before it is the next one's turn
    kCount,
};

inline constexpr std::size_t kDecisionKinds = static_cast<std::size_t>(DecisionKind::kCount);

// A vCPU is held up before the instruction that it would execute at a tick or after it, for so much
// virtual time: the others go on.
struct Hold {
    Ticks tick;
    u32 vcpu = 0;
    VirtualTime length;

    bool operator==(const Hold&) const = default;
};

class DecisionSource {
  public:
    virtual ~DecisionSource() = default;
    // The word number `counter` of a kind's stream, asked for at `moment`.
    virtual u64 word(DecisionKind kind, u64 counter, Ticks moment) = 0;
    // The hold number `index`, in the order of their ticks, which are the machine's; nothing: there
    // are no more.
    virtual std::optional<Hold> hold(u64) { return std::nullopt; }
};

// How far each stream has been drawn.
struct DecisionCounters {
    std::array<u64, kDecisionKinds> drawn{};
    void fields(FieldVisitor& v) { v("drawn", drawn); }
};

}  // namespace uchronia::machine
