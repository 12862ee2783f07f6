// Connects the local APICs and the IO-APIC: finds who a message is for, and delivers it.
//
// It has no state that the guest can see. Where the hardware leaves the choice open (which of
// several processors of equal priority takes a lowest-priority interrupt) the lowest APIC in the
// order of connection does.
//
// Source: Intel SDM vol. 3A, 11.6.2; AMD64 APM vol. 2, 16.6.
#pragma once

#include <vector>

#include "devices/interrupt_message.h"

namespace uchronia::devices {

class IOAPIC;
class LocalAPIC;

class APICBus final : public InterruptMessages, public InterprocessorInterrupts {
  public:
    // All chips must outlive the bus's last message.
    void connect(LocalAPIC& apic) { local_apics_.push_back(&apic); }
    void connect(IOAPIC& apic) { io_apics_.push_back(&apic); }

    bool send(const InterruptMessage& message) override;
    void send_from(u32 sender_id, Shorthand shorthand, const InterruptMessage& message) override;
    void end_of_interrupt(u8 vector) override;

  private:
    bool deliver(const std::vector<LocalAPIC*>& targets, const InterruptMessage& message);

    std::vector<LocalAPIC*> local_apics_;
    std::vector<IOAPIC*> io_apics_;
};

}  // namespace uchronia::devices
