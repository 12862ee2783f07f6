// Standard input as a history has it: what was read is recorded, and read again from there.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "base/types.h"

namespace uchronia::history {

// Fills `bytes` from `offset` of what is recorded, as far as that goes. Any offset may be asked
// for, as a state from a file may say. Gives the number of bytes.
u64 read_recorded(std::span<const u8> recorded, u64 offset, std::span<u8> bytes);

// Gives more of it from an offset on, as machine::Outside::input.
using LiveBytes = std::function<u64(u64 offset, std::span<u8> bytes)>;
// The same, and goes on with what is live behind the record, which that is added to.
u64 read_and_record(std::vector<u8>& recorded, u64 offset, std::span<u8> bytes,
                    const LiveBytes& live);

}  // namespace uchronia::history
