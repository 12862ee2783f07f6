#include "devices/local_apic.h"

#include <algorithm>
#include <bit>

namespace uchronia::devices {
namespace {

constexpr u32 kMSRBase = 0x1b, kMSRTSCDeadline = 0x6e0, kMSRFirst = 0x800, kMSRLast = 0x8ff;

// IA32_APIC_BASE (SDM vol. 3A, figure 11-26).
constexpr u64 kBaseBootProcessor = 1u << 8, kBaseX2APIC = 1u << 10, kBaseEnable = 1u << 11;
constexpr u64 kBaseAddress = 0x000ffffffffff000;
constexpr u64 kBaseReserved = ~(kBaseAddress | kBaseBootProcessor | kBaseX2APIC | kBaseEnable);

// Register numbers (SDM vol. 3A, tables 11-1 and 11-6).
enum : unsigned {
    kID = 0x02,
    kVersion = 0x03,
    kTPR = 0x08,
    kAPR = 0x09,
    kPPR = 0x0a,
    kEOI = 0x0b,
    kRemoteRead = 0x0c,
    kLDR = 0x0d,
    kDFR = 0x0e,
    kSVR = 0x0f,
    kISR = 0x10,
    kTMR = 0x18,
    kIRR = 0x20,
    kESR = 0x28,
    kICRLow = 0x30,
    kICRHigh = 0x31,
    kLVTTimer = 0x32,
    kLVTThermal = 0x33,
    kLVTPerformance = 0x34,
    kLVTLINT0 = 0x35,
    kLVTLINT1 = 0x36,
    kLVTError = 0x37,
    kInitialCount = 0x38,
    kCurrentCount = 0x39,
    kDivide = 0x3e,
    kSelfIPI = 0x3f,
};

constexpr u32 kVersionValue = 0x00050014;  // an integrated APIC with six LVT entries
constexpr u32 kSpuriousReset = 0xff, kSoftwareEnable = 1u << 8;
constexpr u32 kMasked = 1u << 16;
constexpr u32 kLVTReadOnly = 1u << 12 | 1u << 14;  // delivery status, remote IRR
constexpr u32 kDFRFixed = 0x0fffffff;
constexpr u8 kLowestLegalVector = 16;

// Error status bits (SDM vol. 3A, 11.5.3).
constexpr u32 kErrorSendIllegal = 1u << 5, kErrorReceiveIllegal = 1u << 6,
              kErrorRegisterAddress = 1u << 7;

// Which accesses exist in which mode, and which bits can be written.
enum Access : u8 { kRead = 1, kWrite = 2, kReadX2 = 4, kWriteX2 = 8 };
constexpr u8 kReadBoth = kRead | kReadX2, kWriteBoth = kWrite | kWriteX2;
constexpr u8 kAll = kReadBoth | kWriteBoth;

struct RegisterRow {
    unsigned first, count;
    u8 access;
    u32 writable;
};

// clang-format off
constexpr RegisterRow kRows[] = {
    {kID,             1, kReadBoth,                0},
    {kVersion,        1, kReadBoth,                0},
    {kTPR,            1, kAll,                     0x000000ff},
    {kAPR,            1, kRead,                    0},
    {kPPR,            1, kReadBoth,                0},
    {kEOI,            1, kWriteBoth,               0},
    {kRemoteRead,     1, kRead,                    0},
    {kLDR,            1, kReadBoth | kWrite,       0xff000000},
    {kDFR,            1, kRead | kWrite,           0xf0000000},
    {kSVR,            1, kAll,                     0x000001ff},
    {kISR,            8, kReadBoth,                0},
    {kTMR,            8, kReadBoth,                0},
    {kIRR,            8, kReadBoth,                0},
    {kESR,            1, kAll,                     0},
    {kICRLow,         1, kAll,                     0x000ccfff & ~(1u << 12)},
    {kICRHigh,        1, kRead | kWrite,           0xff000000},
    {kLVTTimer,       1, kAll,                     0x000700ff},
    {kLVTThermal,     1, kAll,                     0x000107ff},
    {kLVTPerformance, 1, kAll,                     0x000107ff},
    {kLVTLINT0,       1, kAll,                     0x0001a7ff},
    {kLVTLINT1,       1, kAll,                     0x0001a7ff},
    {kLVTError,       1, kAll,                     0x000100ff},
    {kInitialCount,   1, kAll,                     0xffffffff},
    {kCurrentCount,   1, kReadBoth,                0},
    {kDivide,         1, kAll,                     0x0000000b},
    {kSelfIPI,        1, kWriteX2,                 0x000000ff},
};
// clang-format on

struct RegisterInfo {
    u8 access = 0;
    u32 writable = 0;
};

constexpr auto kRegisters = [] {
    std::array<RegisterInfo, 64> table{};
    for (const RegisterRow& row : kRows)
        for (unsigned i = 0; i < row.count; ++i)
            table[row.first + i] = {row.access, row.writable};
    return table;
}();

bool is_lvt(unsigned index) {
    return index >= kLVTTimer && index <= kLVTError;
}

u8 priority_class(int vector) {
    return vector < 0 ? 0 : static_cast<u8>(vector & 0xf0);
}

}  // namespace

LocalAPIC::LocalAPIC(u32 id, Role role, InterprocessorInterrupts& bus)
    : id_(id),
      bus_(bus),
      base_(kDefaultBase | kBaseEnable | (role == Role::kBootProcessor ? kBaseBootProcessor : 0)) {
    reset();
}

// The state after power-up and after INIT (SDM vol. 3A, 11.4.7.1 and 11.12.5.1).
void LocalAPIC::reset() {
    registers_.fill(0);
    registers_[kDFR] = ~u32{0};
    registers_[kSVR] = kSpuriousReset;
    for (unsigned index = kLVTTimer; index <= kLVTError; ++index)
        registers_[index] = kMasked;
    errors_ = 0;
    timer_base_ = VirtualTime{};
    timer_count_ = 0;
    tsc_deadline_ = 0;
}

void LocalAPIC::fields(FieldVisitor& v) {
    v("base", base_);
    v("registers", registers_);
    v("errors", errors_);
    v("requests", requests_);
    v("startup_vector", startup_vector_);
    v("timer_base", timer_base_);
    v("timer_count", timer_count_);
    v("tsc_deadline", tsc_deadline_);
}

LocalAPIC::Mode LocalAPIC::mode() const {
    if ((base_ & kBaseEnable) == 0)
        return Mode::kDisabled;
    return (base_ & kBaseX2APIC) != 0 ? Mode::kX2APIC : Mode::kXAPIC;
}

void LocalAPIC::notify() {
    if (listener_ != nullptr)
        listener_->interrupt_arrived(id_);
}

bool LocalAPIC::take(u8 request) {
    const bool requested = (requests_ & request) != 0;
    requests_ = static_cast<u8>(requests_ & ~request);
    return requested;
}

std::optional<u8> LocalAPIC::take_startup() {
    if (!take(kRequestStartup))
        return std::nullopt;
    return startup_vector_;
}

std::optional<PhysicalAddress> LocalAPIC::mapped_base() const {
    if (mode() != Mode::kXAPIC)
        return std::nullopt;
    return PhysicalAddress{base_ & kBaseAddress};
}

// --- Priorities and the way of an interrupt (SDM vol. 3A, 11.8) ---

int LocalAPIC::highest(unsigned first_index) const {
    for (int word = 7; word >= 0; --word) {
        const u32 bits = registers_[first_index + static_cast<unsigned>(word)];
        if (bits != 0)
            return word * 32 + 31 - std::countl_zero(bits);
    }
    return -1;
}

void LocalAPIC::set_bit(unsigned first_index, u8 vector) {
    registers_[first_index + vector / 32u] |= 1u << (vector % 32);
}

void LocalAPIC::clear_bit(unsigned first_index, u8 vector) {
    registers_[first_index + vector / 32u] &= ~(1u << (vector % 32));
}

bool LocalAPIC::bit(unsigned first_index, u8 vector) const {
    return (registers_[first_index + vector / 32u] >> (vector % 32) & 1) != 0;
}

u8 LocalAPIC::processor_priority() const {
    const u8 task = static_cast<u8>(registers_[kTPR]);
    const u8 service = priority_class(highest(kISR));
    return (task & 0xf0) >= service ? task : service;
}

bool LocalAPIC::interrupt_pending() const {
    return priority_class(highest(kIRR)) > (processor_priority() & 0xf0);
}

u8 LocalAPIC::acknowledge() {
    if (!interrupt_pending())
        return static_cast<u8>(registers_[kSVR]);
    const u8 vector = static_cast<u8>(highest(kIRR));
    clear_bit(kIRR, vector);
    set_bit(kISR, vector);
    return vector;
}

u64 LocalAPIC::task_priority() const {
    return registers_[kTPR] >> 4;
}

void LocalAPIC::set_task_priority(u64 value) {
    registers_[kTPR] = static_cast<u32>(value & 0xf) << 4;
    if (interrupt_pending())
        notify();
}

bool LocalAPIC::accept(u8 vector, TriggerMode trigger) {
    if (vector < kLowestLegalVector) {
        report_error(kErrorReceiveIllegal);
        return false;
    }
    set_bit(kIRR, vector);
    if (trigger == TriggerMode::kLevel)
        set_bit(kTMR, vector);
    else
        clear_bit(kTMR, vector);
    notify();
    return true;
}

void LocalAPIC::end_of_interrupt() {
    const int vector = highest(kISR);
    if (vector < 0)
        return;
    clear_bit(kISR, static_cast<u8>(vector));
    if (bit(kTMR, static_cast<u8>(vector)))
        bus_.end_of_interrupt(static_cast<u8>(vector));
    if (interrupt_pending())
        notify();
}

// An error that is already recorded does not interrupt again, so that an error interrupt with an
// illegal vector of its own ends here.
void LocalAPIC::report_error(u32 bits) {
    if ((errors_ & bits) == bits)
        return;
    errors_ |= bits;
    fire_lvt(kLVTError);
}

void LocalAPIC::fire_lvt(unsigned index) {
    if ((registers_[index] & kMasked) == 0)
        accept(static_cast<u8>(registers_[index]), TriggerMode::kEdge);
}

// --- Messages from the bus (SDM vol. 3A, 11.6.2) ---

bool LocalAPIC::matches(DestinationMode destination_mode, u32 destination) const {
    if (mode() == Mode::kDisabled)
        return false;
    if (destination == kBroadcast)
        return true;
    if (destination_mode == DestinationMode::kPhysical)
        return destination == id_;
    if (mode() == Mode::kX2APIC) {
        const u32 logical = read_register(kLDR, VirtualTime{});
        return destination >> 16 == logical >> 16 && (destination & logical & 0xffff) != 0;
    }
    const u32 logical = registers_[kLDR] >> 24;
    if (registers_[kDFR] >> 28 == 0xf)  // flat model
        return (destination & logical) != 0;
    return (destination & 0xf0) == (logical & 0xf0) && (destination & logical & 0xf) != 0;
}

bool LocalAPIC::accepts_fixed() const {
    return mode() != Mode::kDisabled && (registers_[kSVR] & kSoftwareEnable) != 0;
}

bool LocalAPIC::deliver(const InterruptMessage& message) {
    switch (message.delivery) {
        case DeliveryMode::kFixed:
        case DeliveryMode::kLowestPriority:
            return accepts_fixed() && accept(message.vector, message.trigger);
        case DeliveryMode::kNMI:
            requests_ |= kRequestNMI;
            break;
        case DeliveryMode::kINIT:
            reset();
            requests_ = kRequestINIT;
            startup_vector_ = 0;
            break;
        case DeliveryMode::kStartup:
            requests_ |= kRequestStartup;
            startup_vector_ = message.vector;
            break;
        case DeliveryMode::kSMI:         // there is no SMM
        case DeliveryMode::kRemoteRead:  // not in x2APIC-era APICs
        case DeliveryMode::kExternal:    // there is no 8259 that has a vector
            return false;
    }
    notify();
    return true;
}

// --- Registers ---

u32 LocalAPIC::read_register(unsigned index, VirtualTime now) const {
    const bool x2apic = mode() == Mode::kX2APIC;
    switch (index) {
        case kID:
            return x2apic ? id_ : id_ << 24;
        case kVersion:
            return kVersionValue;
        case kAPR: {
            // AMD64 APM vol. 2, 16.6.1.
            const u8 task = static_cast<u8>(registers_[kTPR]);
            const u8 requested = priority_class(highest(kIRR));
            const u8 service = priority_class(highest(kISR));
            if ((task & 0xf0) >= requested && (task & 0xf0) > service)
                return task;
            return std::max({static_cast<u8>(task & 0xf0), requested, service});
        }
        case kPPR:
            return processor_priority();
        case kLDR:
            // SDM vol. 3A, 11.12.10.2: derived from the ID in x2APIC mode.
            return x2apic ? (id_ >> 4) << 16 | 1u << (id_ & 15) : registers_[kLDR];
        case kCurrentCount:
            return current_count(now);
        default:
            return registers_[index];
    }
}

// `value` has only writable bits.
void LocalAPIC::write_register(unsigned index, u32 value, VirtualTime now) {
    run_events(now);
    if (is_lvt(index))
        return write_lvt(index, value, now);
    switch (index) {
        case kEOI:
            return end_of_interrupt();
        case kDFR:
            registers_[kDFR] = value | kDFRFixed;
            return;
        case kSVR:
            return write_spurious(value);
        case kESR:
            registers_[kESR] = errors_;
            errors_ = 0;
            return;
        case kICRLow:
            return write_icr_low(value);
        case kInitialCount:
            if (timer_mode() != TimerMode::kTSCDeadline)
                start_timer(value, now);
            return;
        case kDivide: {
            settle_timer(now);
            const u32 left = current_count(now);
            registers_[kDivide] = value;
            if (timer_count_ != 0) {
                timer_count_ = left;
                timer_base_ = now;
            }
            return;
        }
        case kSelfIPI:
            return bus_.send_from(id_, Shorthand::kSelf, {.vector = static_cast<u8>(value)});
        default:
            registers_[index] = value;
            if (index == kTPR && interrupt_pending())
                notify();
    }
}

// While software-disabled, every LVT entry is masked and stays so (SDM vol. 3A, 11.4.7.2).
void LocalAPIC::write_spurious(u32 value) {
    registers_[kSVR] = value;
    if ((value & kSoftwareEnable) != 0)
        return;
    for (unsigned index = kLVTTimer; index <= kLVTError; ++index)
        registers_[index] |= kMasked;
}

void LocalAPIC::write_lvt(unsigned index, u32 value, VirtualTime now) {
    if ((registers_[kSVR] & kSoftwareEnable) == 0)
        value |= kMasked;
    if (index != kLVTTimer) {
        registers_[index] = value;
        return;
    }
    settle_timer(now);
    tsc_deadline_ = tsc_deadline(now);
    const TimerMode before = timer_mode();
    registers_[index] = value;
    // To and from the deadline mode, the timer is disarmed (SDM vol. 3A, 11.5.4.1).
    const auto counts = [](TimerMode m) {
        return m == TimerMode::kOneShot || m == TimerMode::kPeriodic;
    };
    if (counts(before) != counts(timer_mode())) {
        timer_count_ = 0;
        tsc_deadline_ = 0;
    }
}

void LocalAPIC::write_icr_low(u32 value) {
    registers_[kICRLow] = value;
    InterruptMessage message;
    message.vector = static_cast<u8>(value);
    message.delivery = static_cast<DeliveryMode>(value >> 8 & 7);
    message.destination_mode = static_cast<DestinationMode>(value >> 11 & 1);
    if (mode() == Mode::kX2APIC) {
        message.destination = registers_[kICRHigh];
    } else {
        const u32 destination = registers_[kICRHigh] >> 24;
        message.destination = destination == 0xff ? kBroadcast : destination;
    }
    const bool asserted = (value >> 14 & 1) != 0;
    const bool level = (value >> 15 & 1) != 0;
    // The level de-assert INIT only synchronises arbitration IDs, which no longer exist. Otherwise,
    // IPIs are edge-triggered whatever the ICR says (SDM vol. 3A, 11.6.1).
    if (message.delivery == DeliveryMode::kINIT && level && !asserted)
        return;
    const bool has_vector = message.delivery == DeliveryMode::kFixed ||
                            message.delivery == DeliveryMode::kLowestPriority;
    if (has_vector && message.vector < kLowestLegalVector)
        return report_error(kErrorSendIllegal);
    bus_.send_from(id_, static_cast<Shorthand>(value >> 18 & 3), message);
}

// --- The memory-mapped page (SDM vol. 3A, 11.4.1) ---

// Registers are 32 bits wide at multiples of 16; the bytes between them read as 0.
u64 LocalAPIC::read(u64 offset, unsigned size, VirtualTime now) {
    const u64 all_ones = size >= 8 ? ~u64{0} : (u64{1} << size * 8) - 1;
    if (mode() != Mode::kXAPIC || offset >= kSize)
        return all_ones;
    const unsigned index = static_cast<unsigned>(offset >> 4);
    const unsigned byte = offset & 15;
    if (index >= kRegisterCount || kRegisters[index].access == 0) {
        report_error(kErrorRegisterAddress);
        return 0;
    }
    if (byte >= 4 || (kRegisters[index].access & kRead) == 0)
        return 0;
    return u64{read_register(index, now)} >> byte * 8 & all_ones;
}

// Only aligned 32-bit stores are defined; others are dropped.
void LocalAPIC::write(u64 offset, unsigned size, u64 value, VirtualTime now) {
    if (mode() != Mode::kXAPIC || offset >= kSize || size != 4 || (offset & 15) != 0)
        return;
    const unsigned index = static_cast<unsigned>(offset >> 4);
    if (index >= kRegisterCount || kRegisters[index].access == 0)
        return report_error(kErrorRegisterAddress);
    if ((kRegisters[index].access & kWrite) != 0)
        write_register(index, static_cast<u32>(value) & kRegisters[index].writable, now);
}

// --- MSRs (SDM vol. 3A, 11.12) ---

bool LocalAPIC::owns_msr(u32 index) {
    return index == kMSRBase || index == kMSRTSCDeadline ||
           (index >= kMSRFirst && index <= kMSRLast);
}

bool LocalAPIC::msr_read(u32 index, u64& value, VirtualTime now) const {
    if (index == kMSRBase) {
        value = base_;
        return true;
    }
    if (index == kMSRTSCDeadline) {
        value = tsc_deadline(now);
        return true;
    }
    if (!owns_msr(index) || mode() != Mode::kX2APIC || index - kMSRFirst >= kRegisterCount)
        return false;
    const unsigned number = index - kMSRFirst;
    if ((kRegisters[number].access & kReadX2) == 0)
        return false;
    value = read_register(number, now);
    if (number == kICRLow)
        value |= u64{registers_[kICRHigh]} << 32;
    return true;
}

bool LocalAPIC::msr_write(u32 index, u64 value, VirtualTime now) {
    if (index == kMSRBase)
        return write_base(value);
    if (index == kMSRTSCDeadline) {
        write_tsc_deadline(value, now);
        return true;
    }
    if (!owns_msr(index) || mode() != Mode::kX2APIC || index - kMSRFirst >= kRegisterCount)
        return false;
    return write_x2apic(index - kMSRFirst, value, now);
}

bool LocalAPIC::write_x2apic(unsigned index, u64 value, VirtualTime now) {
    const RegisterInfo& info = kRegisters[index];
    if ((info.access & kWriteX2) == 0)
        return false;
    u64 allowed = info.writable;
    if (is_lvt(index))
        allowed |= kLVTReadOnly;
    if (index == kICRLow)
        allowed |= u64{0xffffffff} << 32;
    if ((value & ~allowed) != 0)
        return false;
    if (index == kICRLow)
        registers_[kICRHigh] = static_cast<u32>(value >> 32);
    write_register(index, static_cast<u32>(value) & info.writable, now);
    return true;
}

// Allowed transitions (SDM vol. 3A, 11.12.5): disabled -> xAPIC -> x2APIC -> disabled, and xAPIC ->
// disabled. Disabling loses the state.
bool LocalAPIC::write_base(u64 value) {
    const bool enable = (value & kBaseEnable) != 0, x2apic = (value & kBaseX2APIC) != 0;
    if ((value & kBaseReserved) != 0 || (x2apic && !enable))
        return false;
    if (x2apic && mode() == Mode::kDisabled)
        return false;
    if (enable && !x2apic && mode() == Mode::kX2APIC)
        return false;
    if (!enable && mode() != Mode::kDisabled)
        reset();
    base_ = value;
    return true;
}

// --- The timer (SDM vol. 3A, 11.5.4) ---

LocalAPIC::TimerMode LocalAPIC::timer_mode() const {
    return static_cast<TimerMode>(registers_[kLVTTimer] >> 17 & 3);
}

bool LocalAPIC::timer_masked() const {
    return (registers_[kLVTTimer] & kMasked) != 0;
}

u64 LocalAPIC::timer_divisor() const {
    const u32 code = (registers_[kDivide] & 3) | (registers_[kDivide] >> 1 & 4);
    return code == 7 ? 1 : u64{2} << code;
}

VirtualTime LocalAPIC::timer_expiry() const {
    return timer_base_ + VirtualTime{timer_count_ * timer_divisor()};
}

u32 LocalAPIC::current_count(VirtualTime now) const {
    if (timer_count_ == 0 || now < timer_base_)
        return timer_count_;
    const u64 gone = (now - timer_base_).value / timer_divisor();
    if (gone < timer_count_)
        return timer_count_ - static_cast<u32>(gone);
    const u32 initial = registers_[kInitialCount];
    if (timer_mode() != TimerMode::kPeriodic || initial == 0)
        return 0;
    return initial - static_cast<u32>((gone - timer_count_) % initial);
}

u64 LocalAPIC::tsc_deadline(VirtualTime now) const {
    return tsc_deadline_ > now.value ? tsc_deadline_ : 0;
}

// Moves the base over the expiries that have passed, without an interrupt.
void LocalAPIC::settle_timer(VirtualTime now) {
    if (timer_count_ == 0 || timer_expiry() > now)
        return;
    const u32 initial = registers_[kInitialCount];
    if (timer_mode() != TimerMode::kPeriodic || initial == 0) {
        timer_count_ = 0;
        timer_base_ = VirtualTime{};
        return;
    }
    const u64 period = initial * timer_divisor();
    const u64 periods = (now - timer_expiry()).value / period;
    timer_base_ = timer_expiry() + VirtualTime{periods * period};
    timer_count_ = initial;
}

void LocalAPIC::start_timer(u32 count, VirtualTime now) {
    registers_[kInitialCount] = count;
    timer_count_ = timer_mode() == TimerMode::kReserved ? 0 : count;
    timer_base_ = timer_count_ == 0 ? VirtualTime{} : now;
}

void LocalAPIC::write_tsc_deadline(u64 value, VirtualTime now) {
    if (timer_mode() != TimerMode::kTSCDeadline)
        return;
    tsc_deadline_ = value;
    run_events(now);
}

// A masked timer only counts, which needs no event: its count is computed from the time.
VirtualTime LocalAPIC::next_event() const {
    if (mode() == Mode::kDisabled || timer_masked())
        return kNever;
    if (timer_mode() == TimerMode::kTSCDeadline)
        return tsc_deadline_ == 0 ? kNever : VirtualTime{tsc_deadline_};
    return timer_count_ == 0 ? kNever : timer_expiry();
}

void LocalAPIC::run_events(VirtualTime now) {
    if (next_event() > now)
        return;
    if (timer_mode() == TimerMode::kTSCDeadline)
        tsc_deadline_ = 0;
    else
        settle_timer(now);
    fire_lvt(kLVTTimer);
}

}  // namespace uchronia::devices
