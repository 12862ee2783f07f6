// The local APIC of one vCPU: xAPIC (memory-mapped) and x2APIC (MSR) register sets, priorities, the
// ICR, the local vector table and the timer.
//
// Source: Intel SDM vol. 3A, chapter 11 (x2APIC: 11.12); AMD64 APM vol. 2, chapter 16.
//
// There are no sources for LINT0, LINT1, thermal and performance interrupts in this machine: their
// LVT entries can be written and read, and nothing ever fires them. There is no SMM and no 8259:
// SMI and ExtINT messages are dropped. Redirection hints, EOI broadcast suppression, CMCI and the
// AMD extended registers are not advertised and not there.
//
// Time: the timer's input clock is 1 GHz and the TSC is VirtualTime in nanoseconds. A guest's TSC
// offset is the caller's: IA32_TSC_DEADLINE values here are without it (0 stays 0: disarmed).
//
// Invariants: nothing that depends on when run_events() is called is in the state, as long as it is
// called at next_event(); after run_events(now), next_event() is later than `now`.
#pragma once

#include <array>
#include <optional>

#include "devices/device.h"
#include "devices/interrupt_message.h"

namespace uchronia::devices {

class LocalAPIC final : public MMIODevice {
  public:
    enum class Role : u8 { kBootProcessor, kApplicationProcessor };

    static constexpr u64 kDefaultBase = 0xfee00000;
    static constexpr u64 kSize = 0x1000;

    LocalAPIC(u32 id, Role role, InterprocessorInterrupts& bus);

    // --- For the machine: the vCPU's side ---

    u32 id() const { return id_; }
    // Who is told when something arrives; null for nobody.
    void set_listener(InterruptListener* listener) { listener_ = listener; }

    // Whether an interrupt has a higher priority class than the processor, and taking it: without
    // one, acknowledge() gives the spurious vector.
    bool interrupt_pending() const;
    u8 acknowledge();

    // CR8: bits 4-7 of the TPR.
    u64 task_priority() const;
    void set_task_priority(u64 value);

    // Requests that the machine carries out; taking one clears it. An INIT has already reset this
    // device. The vector of a SIPI is its start page; it counts only in a vCPU that waits for it.
    bool take_nmi() { return take(kRequestNMI); }
    bool take_init() { return take(kRequestINIT); }
    std::optional<u8> take_startup();

    // IA32_APIC_BASE, IA32_TSC_DEADLINE and the x2APIC MSRs.
    static bool owns_msr(u32 index);
    // False gives the guest #GP(0).
    bool msr_read(u32 index, u64& value, VirtualTime now) const;
    bool msr_write(u32 index, u64 value, VirtualTime now);

    // Where the memory-mapped page is at present; nullopt if there is none (disabled or x2APIC).
    std::optional<PhysicalAddress> mapped_base() const;

    // --- For the bus ---

    bool matches(DestinationMode mode, u32 destination) const;
    // Whether fixed and lowest-priority messages are accepted (software-enabled).
    bool accepts_fixed() const;
    u8 processor_priority() const;
    bool deliver(const InterruptMessage& message);

    // --- For the machine: the timer, the only device that does something by itself ---

    // When; kNever if it does not run.
    VirtualTime next_event() const;
    // Does what is due at or before `now`.
    void run_events(VirtualTime now);

    // --- Device ---

    std::string_view name() const override { return "local_apic"; }
    void fields(FieldVisitor& v) override;
    u64 read(u64 offset, unsigned size, VirtualTime now) override;
    void write(u64 offset, unsigned size, u64 value, VirtualTime now) override;

  private:
    enum class Mode : u8 { kDisabled, kXAPIC, kX2APIC };
    enum class TimerMode : u8 { kOneShot, kPeriodic, kTSCDeadline, kReserved };

    static constexpr u8 kRequestNMI = 1, kRequestINIT = 2, kRequestStartup = 4;
    static constexpr unsigned kRegisterCount = 64;

    Mode mode() const;
    void reset();
    void notify();
    bool take(u8 request);

    u32 read_register(unsigned index, VirtualTime now) const;
    void write_register(unsigned index, u32 value, VirtualTime now);
    bool write_base(u64 value);
    bool write_x2apic(unsigned index, u64 value, VirtualTime now);
    void write_spurious(u32 value);
    void write_lvt(unsigned index, u32 value, VirtualTime now);
    void write_icr_low(u32 value);

    bool accept(u8 vector, TriggerMode trigger);
    void end_of_interrupt();
    void report_error(u32 bits);
    void fire_lvt(unsigned index);

    // The highest vector set in a 256-bit register, or -1.
    int highest(unsigned first_index) const;
    void set_bit(unsigned first_index, u8 vector);
    void clear_bit(unsigned first_index, u8 vector);
    bool bit(unsigned first_index, u8 vector) const;

    TimerMode timer_mode() const;
    bool timer_masked() const;
    u64 timer_divisor() const;
    VirtualTime timer_expiry() const;
    u32 current_count(VirtualTime now) const;
    u64 tsc_deadline(VirtualTime now) const;
    void settle_timer(VirtualTime now);
    void start_timer(u32 count, VirtualTime now);
    void write_tsc_deadline(u64 value, VirtualTime now);

    const u32 id_;
    InterprocessorInterrupts& bus_;
    InterruptListener* listener_ = nullptr;

    u64 base_;  // IA32_APIC_BASE
    // By register number: MMIO offset / 16, x2APIC MSR - 0x800. Computed registers are 0 here.
    std::array<u32, kRegisterCount> registers_{};
    u32 errors_ = 0;  // since the last write to the ESR
    u8 requests_ = 0;
    u8 startup_vector_ = 0;

    // The count was timer_count_ at timer_base_; 0 means that the timer stands still.
    VirtualTime timer_base_;
    u32 timer_count_ = 0;
    u64 tsc_deadline_ = 0;  // 0: disarmed
};

}  // namespace uchronia::devices
