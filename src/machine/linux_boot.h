// Puts a Linux kernel into guest memory and says with which CPU state it starts.
//
// This is the part of firmware and boot loader in one: the 64-bit boot protocol of the kernel's
// Documentation/arch/x86/boot.rst ("64-bit BOOT PROTOCOL"), boot parameters as in zero-page.rst.
// docs/boot.md tells the whole story. ACPI tables are written by somebody else; only their root
// pointer passes through here.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/types.h"
#include "cpu/state.h"
#include "machine/kernel_image.h"
#include "memory/guest_memory.h"

namespace uchronia::machine {

// The kernel's command line. Each word has its reason in docs/boot.md.
inline constexpr std::string_view kKernelCommandLine =
    "console=ttyS0 quiet nokaslr panic=-1 reboot=a mitigations=off random.trust_cpu=on "
    "tsc=reliable no_timer_check nmi_watchdog=0 audit=0 pci=conf1,noearly";

// The smallest memory that a Debian kernel boots in, and the largest that we lay out.
inline constexpr u64 kMinimumMemorySize = u64{128} << 20;
inline constexpr u64 kMaximumMemorySize = u64{512} << 30;

struct BootInput {
    const KernelImage& kernel;
    std::span<const u8> initramfs{};
    std::string_view command_line = kKernelCommandLine;
    u64 memory_size = 0;                  // bytes of RAM, whole pages
    PhysicalAddress acpi_root_pointer{};  // of the RSDP; 0 for none
};

// Writes kernel, initramfs, boot parameters, command line, GDT and page tables; sets `state` to
// that of the boot CPU at the kernel's first instruction. Fails, with the remedy, if the memory is
// too small or the command line too long.
Status load_linux(memory::GuestMemory& memory, const BootInput& input, cpu::CPUState& state);

}  // namespace uchronia::machine
