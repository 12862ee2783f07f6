// Where processors of several vendors differ in what a case does, so that a host is no witness for
// the model (docs/testing.md, "Where vendors differ").
#pragma once

#include "tests/witness/case.h"

namespace uchronia::witness {

// Whether there is nothing to compare for that reason.
bool is_vendor_difference(const Case& c, const Outcome& native, const Outcome& guest);

}  // namespace uchronia::witness
