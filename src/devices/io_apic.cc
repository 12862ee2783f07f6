#include "devices/io_apic.h"

#include "base/check.h"

namespace uchronia::devices {
namespace {

constexpr u64 kSelectOffset = 0x00, kWindowOffset = 0x10;
constexpr u8 kRegisterID = 0, kRegisterVersion = 1, kRegisterArbitration = 2, kFirstEntry = 0x10;
constexpr u32 kVersion = 0x11 | (IOAPIC::kPinCount - 1) << 16;
constexpr u32 kIDMask = 0x0f000000;

// A redirection entry (datasheet 3.2.4).
constexpr u64 kRemoteIRR = 1u << 14, kLevelTriggered = 1u << 15, kMasked = 1u << 16;
constexpr u64 kWritable = 0xff0000000001afff;

DeliveryMode delivery_of(u64 entry) {
    return static_cast<DeliveryMode>(entry >> 8 & 7);
}

}  // namespace

IOAPIC::IOAPIC(InterruptMessages& bus) : bus_(bus) {
    for (unsigned pin = 0; pin < kPinCount; ++pin)
        inputs_[pin].connect(*this, pin);
    entries_.fill(kMasked);
}

void IOAPIC::fields(FieldVisitor& v) {
    v("select", select_);
    v("id", id_);
    v("levels", levels_);
    v("entries", entries_);
}

InterruptLine& IOAPIC::line(unsigned pin) {
    CHECK(pin < kPinCount);
    return inputs_[pin];
}

// Only fixed and lowest-priority interrupts can be level-triggered (datasheet 3.2.4, delivery
// mode).
bool IOAPIC::is_level(unsigned pin) const {
    const DeliveryMode delivery = delivery_of(entries_[pin]);
    return (entries_[pin] & kLevelTriggered) != 0 &&
           (delivery == DeliveryMode::kFixed || delivery == DeliveryMode::kLowestPriority);
}

void IOAPIC::set_line(unsigned pin, bool level) {
    const bool before = (levels_ >> pin & 1) != 0;
    levels_ = (levels_ & ~(1u << pin)) | u32{level} << pin;
    if (is_level(pin))
        service_level(pin);
    else if (level && !before && (entries_[pin] & kMasked) == 0)
        send(pin);  // an edge on a masked pin is lost (datasheet 3.2.4, interrupt mask)
}

bool IOAPIC::send(unsigned pin) {
    const u64 entry = entries_[pin];
    const u32 destination = static_cast<u32>(entry >> 56);
    return bus_.send({.vector = static_cast<u8>(entry),
                      .delivery = delivery_of(entry),
                      .destination_mode = static_cast<DestinationMode>(entry >> 11 & 1),
                      .trigger = is_level(pin) ? TriggerMode::kLevel : TriggerMode::kEdge,
                      .destination = destination == 0xff ? kBroadcast : destination});
}

void IOAPIC::service_level(unsigned pin) {
    const bool asserted = (levels_ >> pin & 1) != 0;
    if (asserted && (entries_[pin] & (kMasked | kRemoteIRR)) == 0 && send(pin))
        entries_[pin] |= kRemoteIRR;
}

void IOAPIC::end_of_interrupt(u8 vector) {
    for (unsigned pin = 0; pin < kPinCount; ++pin) {
        if ((entries_[pin] & kRemoteIRR) == 0 || static_cast<u8>(entries_[pin]) != vector)
            continue;
        entries_[pin] &= ~kRemoteIRR;
        service_level(pin);
    }
}

u32 IOAPIC::read_register() const {
    if (select_ == kRegisterID || select_ == kRegisterArbitration)
        return id_;  // the arbitration ID is loaded from the ID
    if (select_ == kRegisterVersion)
        return kVersion;
    const unsigned index = select_ - unsigned{kFirstEntry};
    if (select_ < kFirstEntry || index >= kPinCount * 2)
        return ~u32{0};
    return static_cast<u32>(entries_[index / 2] >> (index % 2 != 0 ? 32 : 0));
}

void IOAPIC::write_register(u32 value) {
    if (select_ == kRegisterID) {
        id_ = value & kIDMask;
        return;
    }
    const unsigned index = select_ - unsigned{kFirstEntry};
    if (select_ < kFirstEntry || index >= kPinCount * 2)
        return;
    const unsigned pin = index / 2, shift = index % 2 != 0 ? 32 : 0;
    const u64 writable = kWritable & u64{0xffffffff} << shift;
    entries_[pin] = (entries_[pin] & ~writable) | (u64{value} << shift & writable);
    // A pin that becomes edge-triggered forgets its unfinished interrupt; system software relies on
    // it where there is no EOI register.
    if (!is_level(pin))
        entries_[pin] &= ~kRemoteIRR;
    else
        service_level(pin);
}

u64 IOAPIC::read(u64 offset, unsigned size, VirtualTime /*now*/) {
    const u64 all_ones = size >= 8 ? ~u64{0} : (u64{1} << size * 8) - 1;
    if (offset == kSelectOffset)
        return select_;
    return (offset == kWindowOffset ? u64{read_register()} : ~u64{0}) & all_ones;
}

void IOAPIC::write(u64 offset, unsigned size, u64 value, VirtualTime /*now*/) {
    if (offset == kSelectOffset)
        select_ = static_cast<u8>(value);
    else if (offset == kWindowOffset && size == 4)
        write_register(static_cast<u32>(value));
}

}  // namespace uchronia::devices
