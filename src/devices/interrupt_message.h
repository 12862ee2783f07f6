// What travels between interrupt controllers: one message, and the two interfaces that carry it.
//
// Source: Intel SDM vol. 3A, 11.6 (interprocessor interrupts) and 11.7 (the APIC bus messages);
// AMD64 APM vol. 2, 16.5 and 16.6.
#pragma once

#include "base/types.h"

namespace uchronia::devices {

// The encoding of the delivery mode fields of the ICR, the LVTs and redirection entries.
enum class DeliveryMode : u8 {
    kFixed = 0,
    kLowestPriority = 1,
    kSMI = 2,
    kRemoteRead = 3,
    kNMI = 4,
    kINIT = 5,
    kStartup = 6,
    kExternal = 7,
};
enum class TriggerMode : u8 { kEdge = 0, kLevel = 1 };
enum class DestinationMode : u8 { kPhysical = 0, kLogical = 1 };
enum class Shorthand : u8 { kNone = 0, kSelf = 1, kAll = 2, kAllButSelf = 3 };

// Every local APIC, in both destination modes. A sender with 8-bit destinations writes its 0xff so.
inline constexpr u32 kBroadcast = 0xffffffff;

struct InterruptMessage {
    u8 vector = 0;
    DeliveryMode delivery = DeliveryMode::kFixed;
    DestinationMode destination_mode = DestinationMode::kPhysical;
    TriggerMode trigger = TriggerMode::kEdge;
    u32 destination = 0;
};

// What an IO-APIC (or a device with message-signalled interrupts) sends to.
class InterruptMessages {
  public:
    virtual ~InterruptMessages() = default;
    // False if no local APIC accepted the message.
    virtual bool send(const InterruptMessage& message) = 0;
};

// What a local APIC sends to.
class InterprocessorInterrupts {
  public:
    virtual ~InterprocessorInterrupts() = default;
    // `message.destination` counts only with Shorthand::kNone.
    virtual void send_from(u32 sender_id, Shorthand shorthand, const InterruptMessage& message) = 0;
    // The end of a level-triggered interrupt, for the IO-APIC.
    virtual void end_of_interrupt(u8 vector) = 0;
};

// Told that a local APIC may now have something for its vCPU: an interrupt, an NMI, INIT or SIPI.
class InterruptListener {
  public:
    virtual ~InterruptListener() = default;
    virtual void interrupt_arrived(u32 apic_id) = 0;
};

}  // namespace uchronia::devices
