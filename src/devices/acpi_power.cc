#include "devices/acpi_power.h"

namespace uchronia::devices {
namespace {

// Sleep control register (ACPI 6.5, table 4.21).
constexpr u8 kSleepTypeShift = 2, kSleepTypeMask = 7, kSleepEnable = 1u << 5;

}  // namespace

void ACPIPower::fields(FieldVisitor& v) {
    v("sleep_type", sleep_type_);
    v("request", request_);
}

// SLP_EN is write-only, and the wake status never gets set: nothing sleeps and wakes here.
u8 ACPIPower::read_byte(u16 port, VirtualTime /*now*/) {
    if (port == kSleepControl)
        return static_cast<u8>(sleep_type_ << kSleepTypeShift);
    return port < kPortCount ? 0 : 0xff;
}

void ACPIPower::write_byte(u16 port, u8 value, VirtualTime /*now*/) {
    if (port == kSleepControl) {
        sleep_type_ = value >> kSleepTypeShift & kSleepTypeMask;
        if ((value & kSleepEnable) != 0 && sleep_type_ == kSleepTypeOff)
            request_ = PowerRequest::kOff;
    } else if (port == kReset && value == kResetValue) {
        request_ = PowerRequest::kReset;
    }
}

}  // namespace uchronia::devices
