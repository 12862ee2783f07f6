#include "machine/linux_boot.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "machine/memory_layout.h"

namespace uchronia::machine {
namespace {

// Boot parameters that are not part of the setup header (zero-page.rst).
constexpr u64 kACPIRootPointer = 0x070;
constexpr u64 kE820Count = 0x1e8;
constexpr u64 kE820Table = 0x2d0;
constexpr u8 kUndefinedLoader = 0xff;

// Where the 64-bit entry point lies in the protected-mode part.
constexpr u64 kEntryOffset = 0x200;

// Selectors that boot.rst demands: __BOOT_CS and __BOOT_DS.
constexpr u16 kCodeSelector = 0x10;
constexpr u16 kDataSelector = 0x18;

// Page table entries (APM vol. 2, 5.3).
constexpr u64 kPresentWritable = 3;
constexpr u64 kLargePage = 0x80;
constexpr u64 kLargePageSize = u64{2} << 20;
constexpr u64 kEntriesPerTable = 512;
constexpr u64 kMappedGigabytes = 4;

// What firmware leaves in the MTRRs: enabled, everything write-back; devices are mapped uncached by
// page attributes (APM vol. 2, 7.7.2).
constexpr u64 kMTRREnabledWriteBack = 0x806;

enum class E820 : u32 { kRAM = 1, kReserved = 2 };

// A page of boot parameters under construction.
class BootParameters {
  public:
    template <class T>
    void set(u64 offset, T value) {
        std::memcpy(page_.data() + offset, &value, sizeof value);
    }
    void set_bytes(u64 offset, std::span<const u8> bytes) {
        std::copy(bytes.begin(), bytes.end(), page_.begin() + static_cast<std::ptrdiff_t>(offset));
    }
    // One entry of the memory map: 20 bytes, in ascending order.
    void add_memory(u64 begin, u64 end, E820 type) {
        const u64 at = kE820Table + page_[kE820Count]++ * u64{20};
        set<u64>(at, begin);
        set<u64>(at + 8, end - begin);
        set<u32>(at + 16, static_cast<u32>(type));
    }
    std::span<const u8> bytes() const { return page_; }

  private:
    std::array<u8, kPageSize> page_{};
};

struct Placement {
    u64 kernel = 0;
    u64 initramfs = 0;
};

constexpr u64 page_down(u64 address) {
    return address & ~kPageMask;
}

std::string megabytes(u64 size) {
    return std::to_string((size + (u64{1} << 20) - 1) >> 20) + " MiB";
}

// The kernel at its preferred address, the initramfs as high as both memory and kernel allow, out
// of the way of the decompressed kernel.
Result<Placement> place(const BootInput& input) {
    const KernelImage& kernel = input.kernel;
    if (input.memory_size < kMinimumMemorySize || input.memory_size > kMaximumMemorySize ||
        (input.memory_size & kPageMask) != 0)
        return Error{"the machine's memory must be from " + megabytes(kMinimumMemorySize) + " to " +
                     megabytes(kMaximumMemorySize) + ", in whole pages"};
    if (input.command_line.size() > kernel.command_line_size ||
        input.command_line.size() >= kBootPageTables.value - kBootCommandLine.value)
        return Error{"the kernel command line is too long: " +
                     std::to_string(input.command_line.size()) + " bytes"};
    const u64 low_end = low_memory_size(input.memory_size);
    const u64 kernel_end = kernel.preferred_address + kernel.initial_size;
    const u64 ramdisk_end = std::min<u64>(low_end, u64{kernel.ramdisk_limit} + 1);
    if (kernel_end > ramdisk_end || input.initramfs.size() > ramdisk_end - kernel_end)
        return Error{"the machine's memory of " + megabytes(input.memory_size) +
                     " is too small for the kernel and its initramfs; give it at least " +
                     megabytes(kernel_end + input.initramfs.size())};
    return Placement{kernel.preferred_address, page_down(ramdisk_end - input.initramfs.size())};
}

BootParameters boot_parameters(const BootInput& input, const Placement& placement) {
    BootParameters parameters;
    parameters.set_bytes(setup::kSectors, input.kernel.setup_header);
    parameters.set<u8>(setup::kLoaderType, kUndefinedLoader);
    parameters.set<u32>(setup::kRamdiskImage, static_cast<u32>(placement.initramfs));
    parameters.set<u32>(setup::kRamdiskSize, static_cast<u32>(input.initramfs.size()));
    parameters.set<u32>(setup::kCommandLine, static_cast<u32>(kBootCommandLine.value));
    parameters.set<u64>(kACPIRootPointer, input.acpi_root_pointer.value);

    parameters.add_memory(0, kConventionalEnd, E820::kRAM);
    parameters.add_memory(kConventionalEnd, 0xa0000, E820::kReserved);
    parameters.add_memory(kFirmwareBegin, kFirmwareEnd, E820::kReserved);
    parameters.add_memory(kFirmwareEnd, low_memory_size(input.memory_size), E820::kRAM);
    if (const u64 high = high_memory_size(input.memory_size); high != 0)
        parameters.add_memory(kHoleEnd, kHoleEnd + high, E820::kRAM);
    return parameters;
}

// PML4, PDPT and four page directories: the first 4 GiB mapped to themselves in 2 MiB pages.
std::vector<u64> identity_page_tables() {
    std::vector<u64> entries((2 + kMappedGigabytes) * kEntriesPerTable);
    const u64 base = kBootPageTables.value;
    entries[0] = (base + kPageSize) | kPresentWritable;
    for (u64 i = 0; i < kMappedGigabytes; ++i)
        entries[kEntriesPerTable + i] = (base + (2 + i) * kPageSize) | kPresentWritable;
    for (u64 i = 0; i < kMappedGigabytes * kEntriesPerTable; ++i)
        entries[2 * kEntriesPerTable + i] = (i * kLargePageSize) | kLargePage | kPresentWritable;
    return entries;
}

cpu::Segment flat_segment(u16 selector, u16 attributes) {
    return {.base = 0, .limit = 0xffffffff, .selector = selector, .attributes = attributes};
}

constexpr u16 kCodeAttributes = cpu::Segment::kGranular | cpu::Segment::kLong | 0x9b;
constexpr u16 kDataAttributes = cpu::Segment::kGranular | cpu::Segment::kBig | 0x93;
constexpr u16 kBusyTSSAttributes = 0x8b;

// A flat descriptor of 4 GiB as it lies in memory (APM vol. 2, 4.7).
constexpr u64 flat_descriptor(u16 attributes) {
    return 0x000f'0000'0000'ffff | (u64{attributes} & 0xff) << 40 | (u64{attributes} >> 8) << 52;
}

constexpr std::array<u64, 4> kGDT = {0, 0, flat_descriptor(kCodeAttributes),
                                     flat_descriptor(kDataAttributes)};

cpu::CPUState entry_state(const Placement& placement) {
    cpu::CPUState state;
    state.rip = placement.kernel + kEntryOffset;
    state.gpr[cpu::kRSI] = kBootParameters.value;
    state.cr0 = cpu::cr0::kPE | cpu::cr0::kET | cpu::cr0::kNE | cpu::cr0::kPG;
    state.cr3 = kBootPageTables.value;
    state.cr4 = cpu::cr4::kPAE;
    state.efer = cpu::efer::kLME | cpu::efer::kLMA;
    state.set_segment(cpu::kCS, flat_segment(kCodeSelector, kCodeAttributes));
    for (const cpu::SegmentRegister index : {cpu::kDS, cpu::kES, cpu::kSS, cpu::kFS, cpu::kGS})
        state.set_segment(index, flat_segment(kDataSelector, kDataAttributes));
    state.tr = {.base = 0, .limit = 0xffff, .selector = 0, .attributes = kBusyTSSAttributes};
    state.gdtr = {.base = kBootGDT.value, .limit = sizeof kGDT - 1};
    state.mtrr_default_type = kMTRREnabledWriteBack;
    return state;
}

template <class Container>
std::span<const u8> bytes_of(const Container& container) {
    return {reinterpret_cast<const u8*>(container.data()),
            container.size() * sizeof(typename Container::value_type)};
}

}  // namespace

Status load_linux(memory::GuestMemory& memory, const BootInput& input, cpu::CPUState& state) {
    const Result<Placement> placement = place(input);
    if (!placement)
        return placement.error();
    const std::string command_line = std::string(input.command_line) + '\0';
    const bool written =
        memory.write(PhysicalAddress(placement->kernel), input.kernel.protected_mode) &&
        memory.write(PhysicalAddress(placement->initramfs), input.initramfs) &&
        memory.write(kBootParameters, boot_parameters(input, *placement).bytes()) &&
        memory.write(kBootCommandLine, bytes_of(command_line)) &&
        memory.write(kBootPageTables, bytes_of(identity_page_tables())) &&
        memory.write(kBootGDT, bytes_of(kGDT));
    if (!written)
        return Error{"the machine has less memory than its configuration says; this is a bug"};
    state = entry_state(*placement);
    return {};
}

}  // namespace uchronia::machine
