#include "machine/acpi.h"

#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/check.h"
#include "devices/acpi_power.h"
#include "machine/aml.h"

namespace uchronia::machine {
namespace {

using aml::Bytes;
using devices::ACPIPower;

// The header that all tables but the RSDP begin with (ACPI 6.5, table 5.4).
constexpr std::size_t kHeaderSize = 36, kChecksumOffset = 9;
constexpr std::size_t kRSDPSize = 36, kTableAlignment = 16;

template <class T>
requires std::is_integral_v<T>
void append(Bytes& to, T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i)
        to.push_back(static_cast<u8>(u64{value} >> 8 * i));
}

void append(Bytes& to, std::string_view text) {
    to.insert(to.end(), text.begin(), text.end());
}

template <class T>
void put(Bytes& to, std::size_t offset, T value) {
    CHECK(offset + sizeof value <= to.size());
    std::memcpy(to.data() + offset, &value, sizeof value);
}

// What makes the sum of `size` bytes zero.
u8 checksum(const Bytes& bytes, std::size_t size) {
    u8 sum = 0;
    for (std::size_t i = 0; i < size; ++i)
        sum = static_cast<u8>(sum + bytes[i]);
    return static_cast<u8>(-sum);
}

Bytes table(std::string_view signature, u8 revision, const Bytes& content) {
    Bytes result;
    append(result, signature);
    append(result, static_cast<u32>(kHeaderSize + content.size()));
    append(result, revision);
    append(result, u8{0});  // checksum
    append(result, "UCHRON");
    append(result, "UCHRONIA");
    append(result, u32{1});
    append(result, "UCHR");
    append(result, u32{1});
    result.insert(result.end(), content.begin(), content.end());
    result[kChecksumOffset] = checksum(result, result.size());
    return result;
}

// --- DSDT ---

// "C000", "V00F": a letter and a number.
std::string segment(char letter, unsigned number) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    std::string result(1, letter);
    for (int shift = 8; shift >= 0; shift -= 4)
        result.push_back(kDigits[number >> shift & 15]);
    return result;
}

Bytes processor(unsigned index) {
    return aml::device(segment('C', index), {aml::name("_HID", aml::string("ACPI0007")),
                                             aml::name("_UID", aml::integer(index))});
}

Bytes serial_port(const ACPIConfig& config) {
    constexpr u8 kPortCount = 8;
    return aml::device(
        "COM1", {aml::name("_HID", aml::eisa_id("PNP0501")), aml::name("_UID", aml::integer(0)),
                 aml::name("_CRS", aml::resource_template(
                                       {aml::io_ports(config.serial_port, kPortCount),
                                        aml::level_interrupt(config.serial_interrupt)}))});
}

Bytes real_time_clock() {
    constexpr u16 kBase = 0x70;
    return aml::device("RTC0",
                       {aml::name("_HID", aml::eisa_id("PNP0B00")),
                        aml::name("_CRS", aml::resource_template({aml::io_ports(kBase, 2)}))});
}

// "LNRO0005" is the identifier that Linux gives to virtio-mmio.
Bytes virtio_device(unsigned index, const ACPIConfig::VirtioMMIO& virtio) {
    return aml::device(
        segment('V', index),
        {aml::name("_HID", aml::string("LNRO0005")), aml::name("_UID", aml::integer(index)),
         aml::name("_CCA", aml::integer(1)),
         aml::name("_CRS", aml::resource_template({aml::memory32_fixed(virtio.address, virtio.size),
                                                   aml::level_interrupt(virtio.interrupt)}))});
}

Bytes dsdt(const ACPIConfig& config) {
    std::vector<Bytes> devices;
    for (unsigned i = 0; i < config.vcpu_count; ++i)
        devices.push_back(processor(i));
    devices.push_back(serial_port(config));
    if (config.rtc == ACPIConfig::RTC::kPresent)
        devices.push_back(real_time_clock());
    for (unsigned i = 0; i < config.virtio.size(); ++i)
        devices.push_back(virtio_device(i, config.virtio[i]));
    const Bytes off = aml::package({aml::integer(ACPIPower::kSleepTypeOff), aml::integer(0),
                                    aml::integer(0), aml::integer(0)});
    constexpr u8 kRevision = 2;  // integers have 64 bits
    return table("DSDT", kRevision,
                 aml::join({aml::name("\\_S5_", off), aml::scope("\\_SB_", devices)}));
}

// --- MADT (ACPI 6.5, 5.2.12) ---

Bytes madt(const ACPIConfig& config) {
    constexpr u32 kNoFlags = 0;  // in particular not PCAT_COMPAT: there is no 8259
    constexpr u32 kEnabled = 1;
    Bytes content;
    append(content, config.local_apic_address);
    append(content, kNoFlags);
    for (unsigned i = 0; i < config.vcpu_count; ++i) {
        append(content, u8{0});  // processor local APIC
        append(content, u8{8});
        append(content, static_cast<u8>(i));  // the processor's _UID
        append(content, static_cast<u8>(i));  // the APIC's ID
        append(content, kEnabled);
    }
    append(content, u8{1});  // IO-APIC
    append(content, u8{12});
    append(content, u8{0});  // its ID
    append(content, u8{0});
    append(content, config.io_apic_address);
    append(content, u32{0});  // its first interrupt
    return table("APIC", 6, content);
}

// --- FADT (ACPI 6.5, 5.2.9) ---

namespace fadt {
constexpr std::size_t kSize = 276;
constexpr u8 kMajorVersion = 6, kMinorVersion = 5;
// Offsets in the table.
constexpr std::size_t kBootFlags = 109, kFlags = 112, kResetRegister = 116, kResetValue = 128,
                      kMinorVersionOffset = 131, kDSDT = 140, kSleepControl = 244,
                      kSleepStatus = 256, kHypervisor = 268;
// IA-PC boot architecture flags.
constexpr u16 kNoVGA = 1u << 2, kNoCMOSRTC = 1u << 5;
// Fixed feature flags. The two buttons are "not fixed hardware".
constexpr u32 kWBINVD = 1u << 0, kPowerButton = 1u << 4, kSleepButton = 1u << 5,
              kResetSupported = 1u << 10, kHeadless = 1u << 12, kHardwareReduced = 1u << 20;
}  // namespace fadt

// A generic address: an 8-bit register in I/O space (ACPI 6.5, table 5.1).
void put_port(Bytes& to, std::size_t offset, u16 port) {
    constexpr u8 kSystemIO = 1, kByteAccess = 1;
    put(to, offset, kSystemIO);
    put(to, offset + 1, u8{8});  // bits
    put(to, offset + 2, u8{0});
    put(to, offset + 3, kByteAccess);
    put(to, offset + 4, u64{port});
}

Bytes fadt_table(const ACPIConfig& config, u64 dsdt_address) {
    Bytes result = table("FACP", fadt::kMajorVersion, Bytes(fadt::kSize - kHeaderSize));
    const bool rtc = config.rtc == ACPIConfig::RTC::kPresent;
    put(result, fadt::kBootFlags, static_cast<u16>(fadt::kNoVGA | (rtc ? 0 : fadt::kNoCMOSRTC)));
    put(result, fadt::kFlags,
        fadt::kWBINVD | fadt::kPowerButton | fadt::kSleepButton | fadt::kResetSupported |
            fadt::kHeadless | fadt::kHardwareReduced);
    put_port(result, fadt::kResetRegister, config.power_port + ACPIPower::kReset);
    put(result, fadt::kResetValue, ACPIPower::kResetValue);
    put(result, fadt::kMinorVersionOffset, fadt::kMinorVersion);
    put(result, fadt::kDSDT, dsdt_address);
    put_port(result, fadt::kSleepControl, config.power_port + ACPIPower::kSleepControl);
    put_port(result, fadt::kSleepStatus, config.power_port + ACPIPower::kSleepStatus);
    std::memcpy(result.data() + fadt::kHypervisor, "UCHRONIA", 8);
    result[kChecksumOffset] = 0;
    result[kChecksumOffset] = checksum(result, result.size());
    return result;
}

// --- RSDP and XSDT ---

Bytes xsdt(const std::vector<u64>& tables) {
    Bytes content;
    for (const u64 address : tables)
        append(content, address);
    return table("XSDT", 1, content);
}

// ACPI 6.5, table 5.3. The first 20 bytes have a checksum of their own.
Bytes rsdp(u64 xsdt_address) {
    constexpr std::size_t kFirstPart = 20, kChecksum = 8, kExtendedChecksum = 32;
    Bytes result;
    append(result, "RSD PTR ");
    append(result, u8{0});  // checksum
    append(result, "UCHRON");
    append(result, u8{2});   // revision
    append(result, u32{0});  // there is no RSDT
    append(result, u32{kRSDPSize});
    append(result, xsdt_address);
    append(result, u32{0});  // extended checksum, reserved
    result[kChecksum] = checksum(result, kFirstPart);
    result[kExtendedChecksum] = checksum(result, result.size());
    return result;
}

}  // namespace

std::vector<u8> build_acpi_tables(const ACPIConfig& config, PhysicalAddress base) {
    CHECK(base.value % kTableAlignment == 0);
    CHECK(config.vcpu_count >= 1 && config.vcpu_count <= 255);
    CHECK(config.virtio.size() <= 0x1000);
    Bytes result(kRSDPSize);
    const auto place = [&](const Bytes& bytes) {
        while (result.size() % kTableAlignment != 0)
            result.push_back(0);
        const u64 address = base.value + result.size();
        result.insert(result.end(), bytes.begin(), bytes.end());
        return address;
    };
    const u64 dsdt_address = place(dsdt(config));
    const u64 fadt_address = place(fadt_table(config, dsdt_address));
    const u64 madt_address = place(madt(config));
    const u64 xsdt_address = place(xsdt({fadt_address, madt_address}));
    const Bytes root = rsdp(xsdt_address);
    CHECK(root.size() == kRSDPSize);
    std::memcpy(result.data() + kRSDPOffset, root.data(), root.size());
    return result;
}

}  // namespace uchronia::machine
