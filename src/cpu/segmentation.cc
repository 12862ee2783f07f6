// Segmented addresses outside 64-bit mode.
//
// Source: APM vol. 2, 4.5 (segment registers), 4.7 (descriptors) and 4.12 (limit checks).
#include "cpu/access.h"

namespace uchronia::cpu {
namespace {

constexpr u16 kCode = 1u << 3;
constexpr u16 kWritableOrReadable = 1u << 1;
constexpr u16 kExpandDown = 1u << 2;

bool covers(const Segment& segment, u64 offset, u32 size) {
    const u64 last = offset + size - 1;
    if ((segment.attributes & (kCode | kExpandDown)) != kExpandDown)
        return last <= segment.limit;
    const u64 end = (segment.attributes & Segment::kBig) != 0 ? 0xffffffff : 0xffff;
    return offset > segment.limit && last <= end;
}

bool allows(const Segment& segment, Access access) {
    if ((segment.attributes & Segment::kPresent) == 0)
        return false;
    const bool second = (segment.attributes & kWritableOrReadable) != 0;
    if ((segment.attributes & kCode) != 0)
        return access == Access::kRead && second;
    return access == Access::kRead || second;
}

}  // namespace

u64 segmented_address(const CPUState& state, const Segment& segment, u64 offset, Access access,
                      u32 size) {
    // In real mode every segment can be read and written.
    const bool allowed = (state.cr0 & cr0::kPE) == 0 || allows(segment, access);
    if (!allowed || !covers(segment, offset, size))
        return kNotCanonical;
    return static_cast<u32>(segment.base + offset);
}

u64 special_address(const VCPU& cpu, const Op* op, u64 offset, Access access, u32 size) {
    const bool wide = (op->flags & op_flag::kAddress32) != 0;
    offset = wide ? static_cast<u32>(offset) : static_cast<u16>(offset);
    if ((op->flags & op_flag::kLegacy) != 0)
        return segmented_address(cpu, op->segment, offset, access, size);
    return offset + cpu.state.segment_base[op->segment];
}

}  // namespace uchronia::cpu
