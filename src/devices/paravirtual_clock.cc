#include "devices/paravirtual_clock.h"

#include "base/check.h"

namespace uchronia::devices {
namespace {

constexpr u64 kEnabled = 1;
constexpr u64 kAlignment = 4;

// Nanoseconds = ((TSC difference) << shift) * multiplier >> 32: one for one.
constexpr u32 kMultiplier = 0x80000000;
constexpr i8 kShift = 1;
constexpr u8 kFlagTSCStable = 1;

struct WallClock {
    u32 version;
    u32 seconds;
    u32 nanoseconds;
};
static_assert(sizeof(WallClock) == 12);

struct VCPUTimeInfo {
    u32 version;
    u32 padding0;
    u64 tsc_timestamp;
    u64 system_time;
    u32 tsc_to_system_multiplier;
    i8 tsc_shift;
    u8 flags;
    u8 padding[2];
};
static_assert(sizeof(VCPUTimeInfo) == 32);

}  // namespace

ParavirtualClock::ParavirtualClock(memory::GuestMemory& memory, unsigned vcpu_count, u64 start_date)
    : memory_(memory), start_date_(start_date), vcpus_(vcpu_count) {}

void ParavirtualClock::PerVCPU::fields(FieldVisitor& v) {
    v("system_time", system_time);
    v("version", version);
}

void ParavirtualClock::fields(FieldVisitor& v) {
    v("wall_clock", wall_clock_);
    v("wall_clock_version", wall_clock_version_);
    for (PerVCPU& vcpu : vcpus_)  // their number is configuration
        v("vcpu", vcpu);
}

bool ParavirtualClock::msr_read(unsigned vcpu, u32 index, u64& value) const {
    CHECK(vcpu < vcpus_.size());
    if (!owns_msr(index))
        return false;
    value = index == kMSRWallClock ? wall_clock_ : vcpus_[vcpu].system_time;
    return true;
}

bool ParavirtualClock::msr_write(unsigned vcpu, u32 index, u64 value, VirtualTime now,
                                 u64 tsc_offset) {
    CHECK(vcpu < vcpus_.size());
    if (!owns_msr(index) || (value & ~kEnabled) % kAlignment != 0)
        return false;
    if (index == kMSRWallClock) {
        if ((value & kEnabled) != 0)
            return false;
        wall_clock_ = value;
        write_wall_clock();
    } else {
        vcpus_[vcpu].system_time = value;
        write_system_time(vcpus_[vcpu], now, tsc_offset);
    }
    return true;
}

void ParavirtualClock::tsc_moved(unsigned vcpu, VirtualTime now, u64 tsc_offset) {
    CHECK(vcpu < vcpus_.size());
    write_system_time(vcpus_[vcpu], now, tsc_offset);
}

// An address that is not RAM gets nothing: the guest reads back the MSR, as under KVM.
void ParavirtualClock::write_wall_clock() {
    wall_clock_version_ += 2;
    const WallClock clock{wall_clock_version_, static_cast<u32>(start_date_), 0};
    memory_.store(PhysicalAddress{wall_clock_}, clock);
}

void ParavirtualClock::write_system_time(PerVCPU& vcpu, VirtualTime now, u64 tsc_offset) {
    if ((vcpu.system_time & kEnabled) == 0)
        return;
    vcpu.version += 2;
    const VCPUTimeInfo info{
        .version = vcpu.version,
        .padding0 = 0,
        .tsc_timestamp = now.value + tsc_offset,
        .system_time = now.value,
        .tsc_to_system_multiplier = kMultiplier,
        .tsc_shift = kShift,
        .flags = kFlagTSCStable,
        .padding = {},
    };
    memory_.store(PhysicalAddress{vcpu.system_time & ~kEnabled}, info);
}

}  // namespace uchronia::devices
