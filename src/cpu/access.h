// Guest memory access of instruction functions: the fast path inline, everything else in the MMU.
//
//     u32 value;
//     if (!read_memory(cpu, op, address, value)) return;   // the fault is already recorded
//
// `address` is linear (the segment base is in). Multi-byte accesses are little-endian and may cross
// pages: a crossing store checks both pages before it writes a byte. No pointer to a local escapes,
// so that handlers stay tail calls.
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

// Offset part of a memory operand: what LEA gives.
inline u64 effective_address(const VCPU& cpu, const Op* op) {
    u64 address = cpu.state.gpr[op->base] + (cpu.state.gpr[op->index] << op->scale) +
                  static_cast<u64>(static_cast<i64>(op->displacement));
    if ((op->flags & op_flag::kAddress32) != 0) [[unlikely]]
        address = static_cast<u32>(address);
    return address;
}

// Linear address of a memory operand.
inline u64 linear_address(const VCPU& cpu, const Op* op) {
    return effective_address(cpu, op) + cpu.state.segment_base[op->segment];
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
