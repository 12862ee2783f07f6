// Instruction forms of floating-point moves and rearrangements, on top of vex_forms.h.
#pragma once

#include "cpu/interp/sse/forms.h"
#include "cpu/interp/vex_forms.h"

// Defines the rows NAME_128 and NAME_256: the form, called with the number of lanes.
#define BOTH_LENGTHS(name, ...)                            \
    const HandlerSet name##_128 = (__VA_ARGS__)(kOneLane); \
    const HandlerSet name##_256 = (__VA_ARGS__)(kTwoLanes)

namespace uchronia::cpu::interp::avx_float {

using namespace vex;

// How many lanes an instruction computes: VEX.L as a value.
template <unsigned count>
struct Lanes {};
inline constexpr Lanes<1> kOneLane;
inline constexpr Lanes<2> kTwoLanes;

template <unsigned lane_count>
inline constexpr Length kLengthOf = lane_count == 2 ? k256 : k128;

template <auto F, unsigned lane_count, unsigned shift = 0>
inline constexpr auto by_lane = by_lanes<F, kLengthOf<lane_count>, shift>;

// Packed operands: a function on 128-bit values, lane by lane.
template <auto F, unsigned shift = 0>
inline constexpr auto packed = []<unsigned n>(Lanes<n>) { return lanes<F, kLengthOf<n>, shift>(); };
// Scalar operands: the lowest element of `b`, the rest of `a`.
template <auto F, unsigned size>
consteval HandlerSet scalar() {
    return whole<by_lane<F, 1>, k128, size>();
}

}  // namespace uchronia::cpu::interp::avx_float
