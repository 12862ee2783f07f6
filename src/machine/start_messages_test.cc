// INIT is followed after the instruction that sends it, wherever the run ends.
#include <gtest/gtest.h>

#include "machine/flat_guest.h"

namespace uchronia::machine {
namespace {

class NoDecisions final : public DecisionSource {
    u64 word(DecisionKind, u64, Ticks) override { return 0; }
};

struct SelfINIT {
    explicit SelfINIT(unsigned vcpus)
        : guest({.memory_size = u64{2} << 20, .vcpu_count = vcpus}, decisions) {
        guest.set_code({0xbb, 0x00, 0x00, 0xe0, 0xfe,  // MOV EBX, base of the local APIC
                        0xc7, 0x83, 0xf0, 0x00, 0x00, 0x00, 0xff, 0x01, 0x00, 0x00,  // SVR: on
                        0xc7, 0x83, 0x10, 0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,  // to 0
                        0xc7, 0x83, 0x00, 0x03, 0x00, 0x00, 0x00, 0x45, 0x00, 0x00,  // INIT
                        0x90, 0x90, 0x90, 0xeb, 0xfb});
        guest.machine.set_boot_state(guest.state_of_boot);
    }

    NoDecisions decisions;
    FlatGuest guest;
};

TEST(StartMessages, INITToItself) {
    for (const unsigned vcpus : {1u, 2u}) {
        SelfINIT whole(vcpus), stepped(vcpus);
        Machine& machine = stepped.guest.machine;
        // Nothing is mapped at the reset vector.
        EXPECT_EQ(whole.guest.machine.run(Ticks(100)).stop, Stop::kUnimplemented);
        StopReason reason;
        while (machine.ticks() < Ticks(100) && reason.stop == Stop::kTick)
            reason = machine.run(machine.ticks() + Ticks(1));
        EXPECT_EQ(reason.stop, Stop::kUnimplemented);
        EXPECT_EQ(whole.guest.machine.ticks().value, 4u);
        EXPECT_EQ(whole.guest.machine.state_digest(), machine.state_digest());
    }
}

}  // namespace
}  // namespace uchronia::machine
