#include "machine/kernel_image.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <vector>

namespace uchronia::machine {
namespace {

constexpr u64 kSectorSize = 512;
constexpr u16 kBootFlagValue = 0xaa55;
constexpr u32 kMagicValue = 0x53726448;  // "HdrS"
constexpr u16 kOldestProtocol = 0x20c;
constexpr u8 kLoadedHigh = 1;      // loadflags: the protected-mode part belongs at 1 MiB or above
constexpr u16 kHas64BitEntry = 1;  // xloadflags: XLF_KERNEL_64

// Fields of the PE/COFF header that the image begins with ("EFI stub"): signing for secure boot
// fills them after the image was checksummed.
constexpr u64 kPEHeaderOffset = 0x3c;
constexpr u64 kPEChecksum = 24 + 64;
constexpr u64 kPECertificateTable = 24 + 112 + 4 * 8;

template <class T>
T field(std::span<const u8> bytes, u64 offset) {
    T value;
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
}

// CRC-32 (reflected polynomial 0xedb88320, initially all ones, not inverted at the end).
u32 crc32(std::span<const u8> bytes) {
    std::array<u32, 256> table{};
    for (u32 i = 0; i < table.size(); ++i) {
        u32 value = i;
        for (int bit = 0; bit < 8; ++bit)
            value = (value >> 1) ^ ((value & 1) != 0 ? 0xedb88320u : 0);
        table[i] = value;
    }
    u32 crc = ~u32{0};
    for (const u8 byte : bytes)
        crc = (crc >> 8) ^ table[(crc ^ byte) & 0xff];
    return crc;
}

// The kernel's build put a CRC-32 at the end of the image up to Linux 6.14.
bool version_has_checksum(std::string_view version) {
    unsigned numbers[2] = {0, 0};
    for (unsigned& number : numbers) {
        while (!version.empty() && version[0] >= '0' && version[0] <= '9') {
            number = number * 10 + static_cast<unsigned>(version[0] - '0');
            version.remove_prefix(1);
        }
        version.remove_prefix(std::min<std::size_t>(1, version.size()));
    }
    return numbers[0] < 6 || (numbers[0] == 6 && numbers[1] < 15);
}

bool checksum_matches(std::span<const u8> image) {
    std::vector<u8> copy(image.begin(), image.end());
    const u64 pe = field<u32>(copy, kPEHeaderOffset);
    if (image[0] == 'M' && image[1] == 'Z' && pe + kPECertificateTable + 8 <= copy.size()) {
        std::memset(copy.data() + pe + kPEChecksum, 0, 4);
        std::memset(copy.data() + pe + kPECertificateTable, 0, 8);
    }
    return crc32(copy) == 0;
}

// The first word of the version string that the header points to.
std::string version_of(std::span<const u8> setup_part) {
    const u64 offset = u64{field<u16>(setup_part, setup::kVersionOffset)} + 0x200;
    std::string version;
    for (u64 i = offset; i < setup_part.size() && setup_part[i] > ' '; ++i)
        version += static_cast<char>(setup_part[i]);
    return version;
}

// Why the file's first bytes are not those of an acceptable kernel; null if they are.
const char* header_problem(std::span<const u8> file) {
    if (file.size() >= 4 && std::memcmp(file.data(),
                                        "\x7f"
                                        "ELF",
                                        4) == 0)
        return "it is an ELF file; name the compressed kernel (vmlinuz) instead";
    if (file.size() < setup::kHeaderLimit || field<u16>(file, setup::kBootFlag) != kBootFlagValue ||
        field<u32>(file, setup::kMagic) != kMagicValue)
        return "it is not a Linux kernel image (bzImage)";
    if (field<u16>(file, setup::kProtocol) < kOldestProtocol)
        return "its boot protocol is older than 2.12; use a kernel from Linux 3.8 on";
    if ((field<u16>(file, setup::kLoadFlags64) & kHas64BitEntry) == 0)
        return "it has no 64-bit entry point; use a kernel for amd64";
    if ((file[setup::kLoadFlags] & kLoadedHigh) == 0)
        return "it is a zImage, which has no place above 1 MiB; use a bzImage";
    return nullptr;
}

}  // namespace

Result<KernelImage> parse_kernel_image(std::span<const u8> file, const std::string& name) {
    const auto problem = [&](const std::string& why) {
        return Error{"cannot boot '" + name + "': " + why};
    };
    if (const char* why = header_problem(file); why != nullptr)
        return problem(why);

    const u64 setup_sectors = file[setup::kSectors] == 0 ? 4 : file[setup::kSectors];
    const u64 setup_size = (setup_sectors + 1) * kSectorSize;
    const u64 protected_size = u64{field<u32>(file, setup::kPagesSize)} * 16;
    const u64 header_end = setup::kMagic + file[setup::kJump + 1];
    const std::string damaged = "; it is damaged: install the kernel's package again";
    if (file.size() < setup_size + protected_size)
        return problem("it ends after " + std::to_string(file.size()) + " of " +
                       std::to_string(setup_size + protected_size) + " bytes" + damaged);
    const u64 payload_end =
        u64{field<u32>(file, setup::kPayloadOffset)} + field<u32>(file, setup::kPayloadSize);
    if (header_end <= setup::kInitialSize + 4 || header_end > setup::kHeaderLimit ||
        protected_size <= 0x200 || payload_end > protected_size)
        return problem("its header contradicts itself" + damaged);

    KernelImage image;
    image.setup_header = file.subspan(setup::kSectors, header_end - setup::kSectors);
    image.protected_mode = file.subspan(setup_size, protected_size);
    image.version = version_of(file.first(setup_size));
    image.preferred_address = field<u64>(file, setup::kPreferredAddress);
    image.initial_size = field<u32>(file, setup::kInitialSize);
    image.ramdisk_limit = field<u32>(file, setup::kRamdiskLimit);
    image.command_line_size = field<u32>(file, setup::kCommandLineSize);
    if (image.initial_size < protected_size || image.preferred_address < 0x100000 ||
        (image.preferred_address & kPageMask) != 0 || image.version.empty())
        return problem("its header contradicts itself" + damaged);
    if (version_has_checksum(image.version) &&
        !checksum_matches(file.first(setup_size + protected_size)))
        return problem("its checksum is wrong" + damaged);
    return image;
}

}  // namespace uchronia::machine
