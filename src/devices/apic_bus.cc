#include "devices/apic_bus.h"

#include "devices/io_apic.h"
#include "devices/local_apic.h"

namespace uchronia::devices {

bool APICBus::send(const InterruptMessage& message) {
    std::vector<LocalAPIC*> targets;
    for (LocalAPIC* apic : local_apics_)
        if (apic->matches(message.destination_mode, message.destination))
            targets.push_back(apic);
    return deliver(targets, message);
}

void APICBus::send_from(u32 sender_id, Shorthand shorthand, const InterruptMessage& message) {
    if (shorthand == Shorthand::kNone) {
        send(message);
        return;
    }
    std::vector<LocalAPIC*> targets;
    for (LocalAPIC* apic : local_apics_) {
        const bool self = apic->id() == sender_id;
        if (shorthand == Shorthand::kAll || self == (shorthand == Shorthand::kSelf))
            targets.push_back(apic);
    }
    deliver(targets, message);
}

bool APICBus::deliver(const std::vector<LocalAPIC*>& targets, const InterruptMessage& message) {
    if (message.delivery != DeliveryMode::kLowestPriority) {
        bool accepted = false;
        for (LocalAPIC* apic : targets)
            accepted |= apic->deliver(message);
        return accepted;
    }
    LocalAPIC* chosen = nullptr;
    for (LocalAPIC* apic : targets) {
        if (!apic->accepts_fixed())
            continue;
        if (chosen == nullptr || apic->processor_priority() < chosen->processor_priority())
            chosen = apic;
    }
    return chosen != nullptr && chosen->deliver(message);
}

void APICBus::end_of_interrupt(u8 vector) {
    for (IOAPIC* apic : io_apics_)
        apic->end_of_interrupt(vector);
}

}  // namespace uchronia::devices
