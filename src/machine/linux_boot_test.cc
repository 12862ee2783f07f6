#include "machine/linux_boot.h"

#include <gtest/gtest.h>

#include <map>

#include "machine/fake_kernel.h"
#include "machine/memory_layout.h"

namespace uchronia::machine {
namespace {

// RAM that remembers only the pages that were written.
class SparseMemory final : public memory::GuestMemory {
  public:
    explicit SparseMemory(u64 size) : size_(size) {}

    bool read(PhysicalAddress address, std::span<u8> bytes) const override {
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            const u64 at = address.value + i;
            const auto page = pages_.find(at >> kPageBits);
            bytes[i] = page == pages_.end() ? u8{0} : page->second[at & kPageMask];
        }
        return true;
    }
    bool write(PhysicalAddress address, std::span<const u8> bytes) override {
        if (address.value + bytes.size() > low_memory_size(size_))
            return false;
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            const u64 at = address.value + i;
            auto& page = pages_[at >> kPageBits];
            page.resize(kPageSize);
            page[at & kPageMask] = bytes[i];
        }
        return true;
    }
    template <class T>
    T at(u64 address) const {
        T value{};
        load(PhysicalAddress(address), value);
        return value;
    }

  private:
    u64 size_;
    std::map<u64, std::vector<u8>> pages_;
};

constexpr u64 kGigabyte = u64{1} << 30;

struct Boot {
    explicit Boot(u64 memory_size, u64 initramfs_size = 10000, std::string line = "a b")
        : memory(memory_size), initramfs(initramfs_size, 0x55), command_line(std::move(line)) {
        input.initramfs = initramfs;
        input.command_line = command_line;
        input.memory_size = memory_size;
        input.acpi_root_pointer = PhysicalAddress(0xe0000);
    }
    std::vector<u8> file = fake_kernel();
    KernelImage image = *parse_kernel_image(file, "test");
    SparseMemory memory;
    std::vector<u8> initramfs;
    std::string command_line;
    BootInput input{.kernel = image};
    cpu::CPUState state;
};

TEST(LinuxBoot, FillsTheBootParameters) {
    Boot boot(kGigabyte);
    ASSERT_TRUE(load_linux(boot.memory, boot.input, boot.state).ok());
    const u64 zero_page = kBootParameters.value;
    EXPECT_EQ(boot.memory.at<u32>(zero_page + setup::kMagic), 0x53726448u);
    EXPECT_EQ(boot.memory.at<u8>(zero_page + setup::kLoaderType), 0xffu);
    EXPECT_EQ(boot.memory.at<u8>(zero_page + 0x1ef), 0u) << "the sentinel must be clear";
    EXPECT_EQ(boot.memory.at<u64>(zero_page + 0x70), 0xe0000u);
    const u32 line = boot.memory.at<u32>(zero_page + setup::kCommandLine);
    EXPECT_EQ(boot.memory.at<u32>(line), 0x00622061u);  // "a b"
    const u32 ramdisk = boot.memory.at<u32>(zero_page + setup::kRamdiskImage);
    EXPECT_EQ(boot.memory.at<u32>(zero_page + setup::kRamdiskSize), 10000u);
    EXPECT_EQ(ramdisk & kPageMask, 0u);
    EXPECT_LE(ramdisk + 10000u, kGigabyte);
    EXPECT_EQ(boot.memory.at<u8>(ramdisk + 9999), 0x55u);
    EXPECT_EQ(boot.memory.at<u32>(0x1000000 + 0x200), 0x90909090u);
}

TEST(LinuxBoot, DescribesAllMemoryOnce) {
    for (const u64 size : {u64{256} << 20, 3 * kGigabyte, 5 * kGigabyte}) {
        Boot boot(size);
        ASSERT_TRUE(load_linux(boot.memory, boot.input, boot.state).ok());
        const u64 zero_page = kBootParameters.value;
        u64 ram = 0;
        u64 previous_end = 0;
        for (u64 i = 0; i < boot.memory.at<u8>(zero_page + 0x1e8); ++i) {
            const u64 entry = zero_page + 0x2d0 + i * 20;
            const u64 begin = boot.memory.at<u64>(entry);
            const u64 length = boot.memory.at<u64>(entry + 8);
            EXPECT_GE(begin, previous_end);
            previous_end = begin + length;
            EXPECT_FALSE(begin < kHoleEnd && previous_end > kHoleBegin) << "RAM in the hole";
            if (boot.memory.at<u32>(entry + 16) == 1)
                ram += length;
        }
        EXPECT_EQ(ram, size - 0x100000 + kConventionalEnd);
    }
}

TEST(LinuxBoot, StartsInLongModeWithIdentityPaging) {
    Boot boot(5 * kGigabyte);
    ASSERT_TRUE(load_linux(boot.memory, boot.input, boot.state).ok());
    const cpu::CPUState& state = boot.state;
    EXPECT_EQ(state.rip, 0x1000200u);
    EXPECT_EQ(state.gpr[cpu::kRSI], kBootParameters.value);
    EXPECT_EQ(state.cr0 & (cpu::cr0::kPE | cpu::cr0::kPG), cpu::cr0::kPE | cpu::cr0::kPG);
    EXPECT_EQ(state.rflags() & cpu::rflags::kIF, 0u);
    EXPECT_TRUE(state.segments[cpu::kCS].attributes & cpu::Segment::kLong);
    EXPECT_EQ(state.segments[cpu::kSS].selector, 0x18u);
    for (const u64 address : {u64{0}, u64{0x1000200}, u64{0xfee00000}}) {
        const u64 pml4e = boot.memory.at<u64>(state.cr3);
        const u64 pdpte = boot.memory.at<u64>((pml4e & ~kPageMask) + (address >> 30) * 8);
        const u64 pde = boot.memory.at<u64>((pdpte & ~kPageMask) + ((address >> 21) & 511) * 8);
        EXPECT_EQ(pde, (address & ~u64{0x1fffff}) | 0x83);
    }
    // The descriptors in memory say what the hidden parts say (APM vol. 2, 4.8).
    EXPECT_EQ(state.gdtr.limit, 31u);
    EXPECT_EQ(boot.memory.at<u64>(state.gdtr.base + 0x10), 0x00af9b000000ffffu);
    EXPECT_EQ(boot.memory.at<u64>(state.gdtr.base + 0x18), 0x00cf93000000ffffu);
}

TEST(LinuxBoot, RefusesWhatDoesNotFit) {
    for (const u64 size : {u64{0}, u64{64} << 20, kGigabyte + 1, kMaximumMemorySize * 2}) {
        Boot boot(size);
        EXPECT_FALSE(load_linux(boot.memory, boot.input, boot.state).ok()) << size;
    }
    Boot large(u64{128} << 20, u64{120} << 20);
    EXPECT_NE(load_linux(large.memory, large.input, large.state).error().message.find("too small"),
              std::string::npos);
    Boot wordy(kGigabyte, 0, std::string(3000, 'x'));
    EXPECT_NE(load_linux(wordy.memory, wordy.input, wordy.state).error().message.find("too long"),
              std::string::npos);
}

}  // namespace
}  // namespace uchronia::machine
