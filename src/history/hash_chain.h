// The hash chain: digests of a machine's whole state along a run, by which two runs are compared.
//
// There is a link at the run's start, at each multiple of kChainInterval ticks from there, and at
// the end. Each link has the digest of every component too, so that a difference can be named.
// docs/hash-chain.md.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/fields.h"
#include "base/hash.h"
#include "machine/machine.h"

namespace uchronia::history {

inline constexpr u64 kChainInterval = u64{1} << 26;  // ticks

// Ticks and virtual time count from the run's start.
struct ChainLink {
    Ticks tick;
    VirtualTime time;
    Digest state;
    std::vector<Digest> components;  // as HashChain::components names them

    bool operator==(const ChainLink&) const = default;
};

struct HashChain {
    std::vector<std::string> components;
    std::vector<ChainLink> links;

    // Adds the machine's present state.
    void append(machine::Machine& machine, Ticks run_start, VirtualTime run_start_time);

    // The chain's binary form in a history file.
    void fields(FieldVisitor& v);
    // Whether the links ascend and have all components.
    bool well_formed() const;

    bool operator==(const HashChain&) const = default;
};

// Where two runs of one history first differ.
struct Divergence {
    Ticks last_equal;  // the last tick known to be equal (0 if none is)
    Ticks tick;        // the first tick known to differ
    std::vector<std::string> components;

    std::string describe() const;
};

// The first difference among the links that both have, and in their number if `b` is `kComplete`.
enum class Completeness { kComplete, kGrowing };
std::optional<Divergence> compare(const HashChain& expected, const HashChain& actual,
                                  Completeness completeness);

}  // namespace uchronia::history
