// For tests only: the smallest file that parse_kernel_image accepts.
#pragma once

#include <cstring>
#include <string_view>
#include <vector>

#include "base/types.h"
#include "machine/kernel_image.h"

namespace uchronia::machine {

inline void put(std::vector<u8>& bytes, u64 offset, auto value) {
    std::memcpy(bytes.data() + offset, &value, sizeof value);
}

// The version is one that has no checksum, unless the test names another.
inline std::vector<u8> fake_kernel(std::string_view version = "6.20.0-1-cloud-amd64 (builder)") {
    constexpr u64 kSetupSize = 5 * 512;
    constexpr u32 kProtectedSize = 0x3000;
    std::vector<u8> file(kSetupSize + kProtectedSize, 0x90);
    std::memset(file.data(), 0, kSetupSize);
    put(file, setup::kSectors, u8{4});
    put(file, setup::kPagesSize, u32{kProtectedSize / 16});
    put(file, setup::kBootFlag, u16{0xaa55});
    put(file, setup::kJump, u8{0xeb});
    put(file, setup::kJump + 1, u8{0x6a});
    put(file, setup::kMagic, u32{0x53726448});
    put(file, setup::kProtocol, u16{0x20f});
    put(file, setup::kVersionOffset, u16{0x200});
    std::memcpy(file.data() + 0x400, version.data(), version.size());
    put(file, setup::kLoadFlags, u8{1});
    put(file, setup::kRamdiskLimit, u32{0x7fffffff});
    put(file, setup::kLoadFlags64, u16{0x7f});
    put(file, setup::kCommandLineSize, u32{2047});
    put(file, setup::kPayloadOffset, u32{0x300});
    put(file, setup::kPayloadSize, u32{0x2000});
    put(file, setup::kPreferredAddress, u64{0x1000000});
    put(file, setup::kInitialSize, u32{0x200000});
    return file;
}

}  // namespace uchronia::machine
