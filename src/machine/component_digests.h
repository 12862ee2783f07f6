// One digest for each component of a machine, to name the one that differs.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/hash.h"

namespace uchronia::machine {

class Machine;

struct ComponentDigest {
    std::string name;
    Digest digest;
};

// "machine" (what belongs to no chip), each vCPU, each device, and "ram": always the same names in
// the same order for machines of one configuration.
std::vector<ComponentDigest> component_digests(Machine& machine);

}  // namespace uchronia::machine
