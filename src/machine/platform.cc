// The machine as the CPU's platform: ports, device memory, MSRs, time and interrupts.

#include <cstdio>

#include "base/check.h"
#include "machine/file_slot.h"
#include "machine/machine.h"

namespace uchronia::machine {
namespace {

constexpr u32 kMSRTSCDeadline = 0x6e0;
// A guest can name 2^32 MSRs; so many different unknown ones are counted.
constexpr std::size_t kCountedMSRs = 4096;

}  // namespace

VirtualTime Machine::time_in_run() const {
    if (running_ == nullptr)
        return now();
    return time_.after(interpreter_->ticks_before_current(*running_), shares_);
}

Ticks Machine::present_tick() const {
    if (running_ == nullptr)
        return ticks_;
    return ticks_ + Ticks(interpreter_->ticks_before_current(*running_));
}

// A device access may have made an event due earlier than the run was planned for, or asked the
// machine for something: then the run ends after this instruction.
void Machine::after_device_access() {
    ++statistics_.device_accesses;
    if (running_ == nullptr)
        return;
    if (earliest_event() < planned_end_ || power_->request() != devices::PowerRequest::kNone)
        stop_after_this_instruction();
}

void Machine::stop_after_this_instruction() {
    cpu::VCPU& cpu = *vcpus_[running_->index];
    cpu.stop_requested = true;
    cpu.attention = true;
}

u32 Machine::port_read(unsigned, u16 port, unsigned size) {
    const u32 value = ports_.read(port, size, time_in_run());
    after_device_access();
    return value;
}

void Machine::port_write(unsigned, u16 port, unsigned size, u32 value) {
    ports_.write(port, size, value, time_in_run());
    after_device_access();
}

u64 Machine::mmio_read(unsigned vcpu, u64 address, unsigned size) {
    devices::LocalAPIC& apic = *local_apics_[vcpu];
    const auto base = apic.mapped_base();
    const bool local = base.has_value() && address - base->value < devices::LocalAPIC::kSize;
    const u64 value = local ? apic.read(address - base->value, size, time_in_run())
                            : mmio_.read(PhysicalAddress(address), size, time_in_run());
    after_device_access();
    return value;
}

void Machine::mmio_write(unsigned vcpu, u64 address, unsigned size, u64 value) {
    devices::LocalAPIC& apic = *local_apics_[vcpu];
    const auto base = apic.mapped_base();
    if (base.has_value() && address - base->value < devices::LocalAPIC::kSize)
        apic.write(address - base->value, size, value, time_in_run());
    else
        mmio_.write(PhysicalAddress(address), size, value, time_in_run());
    after_device_access();
}

cpu::MSRResult Machine::msr_read(unsigned vcpu, u32 index, u64& value) {
    const u64 tsc_offset = vcpus_[vcpu]->state.tsc_offset;
    if (devices::LocalAPIC::owns_msr(index)) {
        const bool ok = local_apics_[vcpu]->msr_read(index, value, time_in_run());
        if (index == kMSRTSCDeadline && value != 0)
            value += tsc_offset;
        return ok;
    }
    if (devices::ParavirtualClock::owns_msr(index))
        return clock_->msr_read(vcpu, index, value);
    if (unknown_msrs_.size() < kCountedMSRs)
        ++unknown_msrs_[index];
    return false;
}

cpu::MSRResult Machine::msr_write(unsigned vcpu, u32 index, u64 value) {
    const u64 tsc_offset = vcpus_[vcpu]->state.tsc_offset;
    bool ok = false;
    if (devices::LocalAPIC::owns_msr(index)) {
        // The device's deadline is in virtual time, the guest's in its time stamp counter.
        if (index == kMSRTSCDeadline && value != 0)
            value -= tsc_offset;
        ok = local_apics_[vcpu]->msr_write(index, value, time_in_run());
    } else if (devices::ParavirtualClock::owns_msr(index)) {
        ok = clock_->msr_write(vcpu, index, value, time_in_run(), tsc_offset);
    } else if (unknown_msrs_.size() < kCountedMSRs) {
        ++unknown_msrs_[index];
    }
    after_device_access();
    return ok;
}

u64 Machine::task_priority(unsigned vcpu) {
    return local_apics_[vcpu]->task_priority();
}

void Machine::set_task_priority(unsigned vcpu, u64 value) {
    local_apics_[vcpu]->set_task_priority(value);
}

bool Machine::interrupt_pending(unsigned vcpu) {
    return local_apics_[vcpu]->interrupt_pending();
}

u8 Machine::acknowledge_interrupt(unsigned vcpu) {
    ++statistics_.interrupts;
    return local_apics_[vcpu]->acknowledge();
}

void Machine::interrupt_arrived(u32 apic_id) {
    CHECK(apic_id < vcpus_.size());
    vcpus_[apic_id]->attention = true;
    if (local_apics_[apic_id]->take_nmi())
        vcpus_[apic_id]->state.nmi_pending = true;
    // Another vCPU may be able to run now, and an INIT, even to itself, waits to be followed.
    if (running_ != nullptr)
        stop_after_this_instruction();
}

u64 Machine::time_stamp(unsigned) {
    return time_in_run().value;
}

u64 Machine::entropy() {
    return draw(DecisionKind::kEntropy);
}

void Machine::put(u8 byte) {
    environment_.outside->console(byte);
}

std::string to_hex_number(u64 value) {
    char text[24];
    std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
    return text;
}

}  // namespace uchronia::machine
