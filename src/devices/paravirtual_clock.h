// The clock that Linux reads without calibration: the KVM paravirtual clock of every vCPU.
//
// The guest gives an address by MSR, and finds there the parameters by which it turns the TSC into
// nanoseconds since power-on, and the date of power-on. As TSC and virtual time are both 1 GHz and
// exact, the parameters never change after they are written, but when a guest moves its TSC.
//
// Source: Linux, Documentation/virt/kvm/x86/msr.rst (MSR_KVM_WALL_CLOCK_NEW,
// MSR_KVM_SYSTEM_TIME_NEW) and cpuid.rst: the CPU model advertises KVM_FEATURE_CLOCKSOURCE2 (bit 3)
// and KVM_FEATURE_CLOCKSOURCE_STABLE_BIT (bit 24). The older pair of MSRs (0x11, 0x12) is not
// there.
#pragma once

#include <vector>

#include "devices/device.h"
#include "memory/guest_memory.h"

namespace uchronia::devices {

class ParavirtualClock final : public Device {
  public:
    static constexpr u32 kMSRWallClock = 0x4b564d00;
    static constexpr u32 kMSRSystemTime = 0x4b564d01;

    // 2026-01-01T00:00:00Z, in seconds since 1970.
    static constexpr u64 kDefaultStartDate = 1767225600;

    // `start_date`: the date at virtual time 0, in seconds since 1970.
    ParavirtualClock(memory::GuestMemory& memory, unsigned vcpu_count, u64 start_date);

    static bool owns_msr(u32 index) { return index == kMSRWallClock || index == kMSRSystemTime; }
    // False gives the guest #GP(0). The vCPU's time stamp counter is `now` + `tsc_offset`.
    bool msr_read(unsigned vcpu, u32 index, u64& value) const;
    bool msr_write(unsigned vcpu, u32 index, u64 value, VirtualTime now, u64 tsc_offset);

    // To be called when the guest has moved the vCPU's time stamp counter.
    void tsc_moved(unsigned vcpu, VirtualTime now, u64 tsc_offset);

    std::string_view name() const override { return "paravirtual_clock"; }
    void fields(FieldVisitor& v) override;

  private:
    struct PerVCPU {
        u64 system_time = 0;  // the MSR: address, enable bit
        u32 version = 0;      // of the parameters in guest memory; even
        void fields(FieldVisitor& v);
    };

    void write_wall_clock();
    void write_system_time(PerVCPU& vcpu, VirtualTime now, u64 tsc_offset);

    memory::GuestMemory& memory_;
    const u64 start_date_;

    u64 wall_clock_ = 0;  // the MSR: address
    u32 wall_clock_version_ = 0;
    std::vector<PerVCPU> vcpus_;
};

}  // namespace uchronia::devices
