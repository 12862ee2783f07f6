// Counter-based randomness: a word is a pure function of a key and a counter, so streams need no
// state, can be entered anywhere, and do not shift when another stream is drawn from.
//
// Philox-4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3",
// SC'11).
#pragma once

#include "base/types.h"

namespace uchronia {

// `stream` tells streams of one seed apart.
u64 random_word(u64 seed, u64 stream, u64 counter);

}  // namespace uchronia
