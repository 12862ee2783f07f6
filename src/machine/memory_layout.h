// The guest-physical address space: where RAM lies and what the boot puts into it.
//
// RAM fills [0, kHoleBegin) and goes on at 4 GiB; the hole belongs to devices (local APIC, IO-APIC,
// virtio). Inside RAM, what lies below 1 MiB is fixed (docs/boot.md has the table).
#pragma once

#include "base/types.h"

namespace uchronia::machine {

inline constexpr u64 kHoleBegin = 0xc000'0000;
inline constexpr u64 kHoleEnd = 0x1'0000'0000;

constexpr u64 low_memory_size(u64 memory_size) {
    return memory_size < kHoleBegin ? memory_size : kHoleBegin;
}
constexpr u64 high_memory_size(u64 memory_size) {
    return memory_size - low_memory_size(memory_size);
}

// Written by linux_boot; page tables and GDT are the kernel's to reuse after its first
// instructions.
inline constexpr PhysicalAddress kBootGDT{0x1000};
inline constexpr PhysicalAddress kBootParameters{0x2000};
inline constexpr PhysicalAddress kBootCommandLine{0x3000};
inline constexpr PhysicalAddress kBootPageTables{0x8000};  // 6 pages: PML4, PDPT, 4 PDs
// End of conventional memory; from here to 1 MiB is firmware's, as on a PC.
inline constexpr u64 kConventionalEnd = 0x9fc00;
inline constexpr u64 kFirmwareBegin = 0xe0000;  // ACPI tables
inline constexpr u64 kFirmwareEnd = 0x100000;

}  // namespace uchronia::machine
