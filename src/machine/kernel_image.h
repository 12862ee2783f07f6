// A Linux kernel in its own file format, the bzImage: checked, and taken apart.
//
// Source: the kernel's Documentation/arch/x86/boot.rst. Only kernels with the 64-bit entry point
// and a boot protocol of at least 2.12 (Linux 3.8) are accepted.
#pragma once

#include <span>
#include <string>

#include "base/result.h"
#include "base/types.h"

namespace uchronia::machine {

// Offsets of the setup header, the same in the file and in the boot parameters ("zero page").
namespace setup {
inline constexpr u64 kSectors = 0x1f1;
inline constexpr u64 kPagesSize = 0x1f4;  // of the protected-mode part, in 16-byte units
inline constexpr u64 kBootFlag = 0x1fe;
inline constexpr u64 kJump = 0x200;  // a short jump over the header: its target is the header's end
inline constexpr u64 kMagic = 0x202;
inline constexpr u64 kProtocol = 0x206;
inline constexpr u64 kVersionOffset = 0x20e;
inline constexpr u64 kLoaderType = 0x210;
inline constexpr u64 kLoadFlags = 0x211;
inline constexpr u64 kRamdiskImage = 0x218;
inline constexpr u64 kRamdiskSize = 0x21c;
inline constexpr u64 kCommandLine = 0x228;
inline constexpr u64 kRamdiskLimit = 0x22c;
inline constexpr u64 kLoadFlags64 = 0x236;  // "xloadflags"
inline constexpr u64 kCommandLineSize = 0x238;
inline constexpr u64 kPayloadOffset = 0x248;
inline constexpr u64 kPayloadSize = 0x24c;
inline constexpr u64 kPreferredAddress = 0x258;
inline constexpr u64 kInitialSize = 0x260;
inline constexpr u64 kHeaderLimit = 0x290;  // the header never reaches beyond
}  // namespace setup

// Views into the file's bytes, which must outlive it.
struct KernelImage {
    std::span<const u8> setup_header;    // from setup::kSectors to the end of the header
    std::span<const u8> protected_mode;  // the part to load; its 64-bit entry is at +0x200
    std::string version;                 // "6.1.0-56-cloud-amd64", as in /lib/modules
    u64 preferred_address = 0;
    u32 initial_size = 0;       // memory that the kernel needs from its load address on
    u32 ramdisk_limit = 0;      // highest address of the initramfs's last byte
    u32 command_line_size = 0;  // longest command line, without the final NUL
};

// `name` is only for messages. Fails with the reason if `file` is no such kernel, is truncated, or
// does not match its own checksum.
Result<KernelImage> parse_kernel_image(std::span<const u8> file, const std::string& name);

}  // namespace uchronia::machine
