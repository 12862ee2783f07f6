// Guest memory access of instruction functions: the fast path inline, everything else in the MMU.
//
//     u32 value;
//     if (!read_memory(cpu, op, address, value)) return;   // the fault is already recorded
//
// `address` is linear (the segment base is in). Multi-byte accesses are little-endian and may cross
// pages: a crossing store checks both pages before it writes a byte. No pointer to a local escapes,
// so that handlers stay tail calls.
//
// Outside 64-bit mode the segment of a memory operand is checked where its address is made linear:
// one that the segment does not allow becomes kNotCanonical, which faults as such an address does,
// with #GP or #SS. Without a size only the first byte is checked against the limit, and an operand
// that crosses the end of the 4 GiB does not wrap.
#pragma once

#include <cstring>
#include <type_traits>

#include "cpu/mmu/mmu.h"
#include "cpu/vcpu.h"

namespace uchronia::cpu {

struct alignas(16) Bytes16 {
    u64 low, high;
};
struct Bytes10 {  // an x87 extended operand
    u64 mantissa;
    u16 exponent;
};

// Any address that is not canonical.
inline constexpr u64 kNotCanonical = u64{1} << 63;

// Ops whose addresses are not simply a sum and a base.
inline constexpr u8 kSpecialAddress = op_flag::kAddress32 | op_flag::kLegacy;

// The sum that ModRM asks for, before it is cut to the address size.
inline u64 address_sum(const VCPU& cpu, const Op* op) {
    return cpu.state.gpr[op->base] + (cpu.state.gpr[op->index] << op->scale) +
           static_cast<u64>(static_cast<i64>(op->displacement));
}

// Offset part of a memory operand: what LEA gives.
inline u64 effective_address(const VCPU& cpu, const Op* op) {
    const u64 address = address_sum(cpu, op);
    if ((op->flags & kSpecialAddress) != 0) [[unlikely]]
        return (op->flags & op_flag::kAddress32) != 0 ? static_cast<u32>(address)
                                                      : static_cast<u16>(address);
    return address;
}

// The linear address of an offset in a segment outside 64-bit mode, or kNotCanonical.
u64 segmented_address(const CPUState& state, const Segment& segment, u64 offset, Access access,
                      u32 size);
inline u64 segmented_address(const VCPU& cpu, unsigned segment, u64 offset, Access access,
                             u32 size) {
    return segmented_address(cpu.state, cpu.state.segments[segment], offset, access, size);
}

// The linear address of an operand of an Op with kSpecialAddress.
u64 special_address(const VCPU& cpu, const Op* op, u64 offset, Access access, u32 size);

// Linear address of an offset that is not in ModRM, in the segment of the operand.
inline u64 linear_address_at(const VCPU& cpu, const Op* op, u64 offset,
                             Access access = Access::kRead, u32 size = 1) {
    if ((op->flags & kSpecialAddress) != 0) [[unlikely]]
        return special_address(cpu, op, offset, access, size);
    return offset + cpu.state.segment_base[op->segment];
}

// Linear address of a memory operand.
inline u64 linear_address(const VCPU& cpu, const Op* op, Access access = Access::kRead,
                          u32 size = 1) {
    return linear_address_at(cpu, op, address_sum(cpu, op), access, size);
}

// The FSPT entry for an address, or the always-empty one if it is not canonical.
inline const TableEntry& table_entry(const VCPU& cpu, u64 address) {
    const TableEntry& entry = cpu.tables[address >> 63][(address >> kPageBits) & kTableIndexMask];
    if constexpr (kCheckWalks)
        cpu.mmu.verify_entry(cpu, address, entry);
    return entry;
}
inline bool is_canonical(u64 address) {
    return ((address + (u64{1} << 47)) >> 48) == 0;
}

inline bool fits_in_page(u64 address, u64 size) {
    return (address & kPageMask) <= kPageSize - size;
}

template <class T>
inline bool read_memory(VCPU& cpu, const Op* op, u64 address, T& value) {
    static_assert(std::is_integral_v<T>);
    const TableEntry& entry = table_entry(cpu, address);
    if (entry.read != 0 && fits_in_page(address, sizeof(T)) && is_canonical(address)) [[likely]] {
        std::memcpy(&value, reinterpret_cast<const void*>(address + entry.read), sizeof(T));
        return true;
    }
    const SlowRead slow = cpu.mmu.read_slow(cpu, op, address, sizeof(T));
    value = static_cast<T>(slow.value);
    return slow.ok;
}

template <class T>
inline bool write_memory(VCPU& cpu, const Op* op, u64 address, T value) {
    static_assert(std::is_integral_v<T>);
    const TableEntry& entry = table_entry(cpu, address);
    if (entry.write != 0 && fits_in_page(address, sizeof(T)) && is_canonical(address)) [[likely]] {
        std::memcpy(reinterpret_cast<void*>(address + entry.write), &value, sizeof(T));
        return true;
    }
    return cpu.mmu.write_slow(cpu, op, address, sizeof(T), static_cast<u64>(value));
}

// For read-modify-write: a host pointer if the page is plain writable memory, else null (and then
// read_for_write, followed by write_memory, does it the slow way).
template <class T>
inline T* writable_pointer(VCPU& cpu, u64 address) {
    const TableEntry& entry = table_entry(cpu, address);
    if (entry.write != 0 && fits_in_page(address, sizeof(T)) && is_canonical(address)) [[likely]]
        return reinterpret_cast<T*>(address + entry.write);
    return nullptr;
}

// Reads the destination of a read-modify-write: its faults are those of a write.
template <class T>
inline bool read_for_write(VCPU& cpu, const Op* op, u64 address, T& value) {
    const SlowRead slow = cpu.mmu.read_for_write_slow(cpu, op, address, sizeof(T));
    value = static_cast<T>(slow.value);
    return slow.ok;
}

// 10, 16 and larger operands: through a pointer when they lie in one plain page, else byte by byte.
// `data` must not be a local whose address escapes in a hot handler; a VCPU member or register is.
inline bool read_bytes(VCPU& cpu, const Op* op, u64 address, void* data, u32 size) {
    const TableEntry& entry = table_entry(cpu, address);
    if (entry.read != 0 && fits_in_page(address, size) && is_canonical(address)) [[likely]] {
        std::memcpy(data, reinterpret_cast<const void*>(address + entry.read), size);
        return true;
    }
    return cpu.mmu.read_bytes_slow(cpu, op, address, data, size);
}
inline bool write_bytes(VCPU& cpu, const Op* op, u64 address, const void* data, u32 size) {
    const TableEntry& entry = table_entry(cpu, address);
    if (entry.write != 0 && fits_in_page(address, size) && is_canonical(address)) [[likely]] {
        std::memcpy(reinterpret_cast<void*>(address + entry.write), data, size);
        return true;
    }
    return cpu.mmu.write_bytes_slow(cpu, op, address, data, size);
}
// Checks that `size` bytes can be written (all pages), without writing: for instructions that must
// not change anything before a fault.
inline bool check_writable(VCPU& cpu, const Op* op, u64 address, u32 size) {
    const TableEntry& entry = table_entry(cpu, address);
    if (entry.write != 0 && fits_in_page(address, size) && is_canonical(address)) [[likely]]
        return true;
    return cpu.mmu.check_writable_slow(cpu, op, address, size);
}

// Goes on to the next instruction of the block. Always `return next(cpu, op);`.
inline void next(VCPU& cpu, const Op* op) {
    return op[1].handler(cpu, op + 1);
}

// Operand registers by the byte offsets of Op.
template <class T>
inline T& register_at(VCPU& cpu, u8 byte_offset) {
    return *reinterpret_cast<T*>(reinterpret_cast<u8*>(cpu.state.gpr.data()) + byte_offset);
}
// Writes a general register as the architecture does: 32-bit results clear the upper half.
template <class T>
inline void set_register(VCPU& cpu, u8 byte_offset, T value) {
    if constexpr (sizeof(T) == 4)
        register_at<u64>(cpu, byte_offset) = value;
    else
        register_at<T>(cpu, byte_offset) = value;
}

}  // namespace uchronia::cpu
