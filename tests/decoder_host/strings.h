// The byte strings: random ones, most of them shaped like instructions.
#pragma once

#include <array>

#include "cpu/decode/decoder.h"
#include "tests/decoder_host/host_cpu.h"
#include "tests/witness/random.h"

namespace uchronia::decoder_host {

using String = std::array<u8, kLongest>;

String make_string(witness::Random& random);

// Whether the host's answer means nothing, or executing it there would do harm: instructions that
// our model deliberately lacks or has to itself, system calls, and what changes the process behind
// its back.
bool is_left_out(const String& string, const cpu::Decoded& decoded, cpu::DecodeStatus status);

}  // namespace uchronia::decoder_host
