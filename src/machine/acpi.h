// The ACPI tables that tell the guest what the machine has.
//
// Source: ACPI Specification 6.5, chapters 5 and 6. The machine is hardware-reduced: no fixed
// hardware, no SCI, no FACS, no 8259, no legacy devices; power-off and reset are by the registers
// of devices/acpi_power.h.
#pragma once

#include <vector>

#include "base/types.h"

namespace uchronia::machine {

struct ACPIConfig {
    // A virtio transport in memory (virtio 1.2, 4.2); `interrupt` is an IO-APIC pin.
    struct VirtioMMIO {
        u32 address = 0;
        u32 size = 0x200;
        u32 interrupt = 0;
    };
    enum class RTC : u8 { kAbsent, kPresent };

    unsigned vcpu_count = 1;  // local APIC IDs 0 to vcpu_count - 1; at most 255
    u32 local_apic_address = 0xfee00000;
    u32 io_apic_address = 0xfec00000;
    u16 power_port = 0x600;  // base of devices::ACPIPower
    u16 serial_port = 0x3f8;
    u32 serial_interrupt = 4;
    RTC rtc = RTC::kAbsent;  // at ports 0x70 and 0x71, without an interrupt
    std::vector<VirtioMMIO> virtio;
};

// Where the RSDP is in the result of build_acpi_tables.
inline constexpr u64 kRSDPOffset = 0;

// All tables as one piece for guest-physical `base`, which is a multiple of 16. The guest's memory
// map must not list that range as usable RAM.
std::vector<u8> build_acpi_tables(const ACPIConfig& config, PhysicalAddress base);

}  // namespace uchronia::machine
