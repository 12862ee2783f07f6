#include "machine/kernel_image.h"

#include <gtest/gtest.h>

#include <functional>

#include "machine/fake_kernel.h"

namespace uchronia::machine {
namespace {

std::string failure_of(std::span<const u8> file) {
    const auto image = parse_kernel_image(file, "the file");
    return image.ok() ? "" : image.error().message;
}

// Appends the CRC as the kernel's build does: afterwards the CRC of the whole file is 0.
void seal(std::vector<u8>& file) {
    u32 crc = ~u32{0};
    for (std::size_t i = 0; i + 4 < file.size(); ++i) {
        crc ^= file[i];
        for (int bit = 0; bit < 8; ++bit)
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320u : 0);
    }
    put(file, file.size() - 4, crc);
}

TEST(KernelImage, TakesAKernelApart) {
    const std::vector<u8> file = fake_kernel();
    const auto image = parse_kernel_image(file, "the file");
    ASSERT_TRUE(image.ok()) << image.error().message;
    EXPECT_EQ(image->version, "6.20.0-1-cloud-amd64");
    EXPECT_EQ(image->preferred_address, 0x1000000u);
    EXPECT_EQ(image->initial_size, 0x200000u);
    EXPECT_EQ(image->protected_mode.size(), 0x3000u);
    EXPECT_EQ(image->protected_mode.data(), file.data() + 5 * 512);
    EXPECT_EQ(image->setup_header.size(), 0x26cu - 0x1f1u);
}

TEST(KernelImage, EveryTruncationIsRefused) {
    const std::vector<u8> file = fake_kernel();
    for (std::size_t size = 0; size < file.size(); size += size < 0x400 ? 1 : 97)
        EXPECT_NE(failure_of(std::span(file).first(size)), "") << size;
    EXPECT_NE(failure_of(std::span(file).first(file.size() - 1)).find("it ends after"),
              std::string::npos);
}

TEST(KernelImage, SaysWhatIsWrong) {
    struct Case {
        const char* message;
        std::function<void(std::vector<u8>&)> damage;
    };
    const Case cases[] = {
        {"ELF", [](auto& f) { put(f, 0, u32{0x464c457f}); }},
        {"not a Linux kernel", [](auto& f) { put(f, setup::kMagic, u32{0}); }},
        {"not a Linux kernel", [](auto& f) { put(f, setup::kBootFlag, u16{0}); }},
        {"older than 2.12", [](auto& f) { put(f, setup::kProtocol, u16{0x20b}); }},
        {"no 64-bit entry", [](auto& f) { put(f, setup::kLoadFlags64, u16{0}); }},
        {"zImage", [](auto& f) { put(f, setup::kLoadFlags, u8{0}); }},
        {"contradicts", [](auto& f) { put(f, setup::kInitialSize, u32{0x1000}); }},
        {"contradicts", [](auto& f) { put(f, setup::kPreferredAddress, u64{0x1000}); }},
        {"contradicts", [](auto& f) { put(f, setup::kPayloadSize, u32{0xffffffff}); }},
        {"contradicts", [](auto& f) { put(f, setup::kVersionOffset, u16{0xffff}); }},
        {"contradicts", [](auto& f) { put(f, setup::kJump + 1, u8{0}); }},
        {"contradicts", [](auto& f) { put(f, setup::kJump + 1, u8{0xff}); }},
    };
    for (const Case& c : cases) {
        std::vector<u8> file = fake_kernel();
        c.damage(file);
        EXPECT_NE(failure_of(file).find(c.message), std::string::npos)
            << c.message << " / " << failure_of(file);
    }
}

TEST(KernelImage, AnyByteMayBeWrong) {
    // No damage to the header may crash; most of it is found.
    for (u64 offset = 0; offset < 0x290; ++offset) {
        for (const u8 value : {u8{0x00}, u8{0x7f}, u8{0xff}}) {
            std::vector<u8> file = fake_kernel();
            file[offset] = value;
            (void)failure_of(file);
        }
    }
}

TEST(KernelImage, ChecksTheChecksumOfKernelsThatHaveOne) {
    std::vector<u8> file = fake_kernel("6.1.0-56-cloud-amd64 (builder)");
    EXPECT_NE(failure_of(file).find("checksum"), std::string::npos);
    seal(file);
    EXPECT_EQ(failure_of(file), "");
    file[file.size() / 2] ^= 1;
    EXPECT_NE(failure_of(file).find("checksum"), std::string::npos);
}

TEST(KernelImage, ASignatureDoesNotSpoilTheChecksum) {
    std::vector<u8> file = fake_kernel("6.1.0-56-cloud-amd64 (builder)");
    put(file, 0, u16{0x5a4d});
    put(file, 0x3c, u32{0x40});
    seal(file);
    put(file, 0x40 + 88, u32{0x12345678});
    put(file, 0x40 + 168, u64{0x5c000d87200});
    file.resize(file.size() + 0x5c0, 0xaa);
    EXPECT_EQ(failure_of(file), "");
}

}  // namespace
}  // namespace uchronia::machine
