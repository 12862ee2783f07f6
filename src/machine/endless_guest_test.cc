// Guests that do nothing for ever: each ends the run with a reason in place of hanging the host.
#include <gtest/gtest.h>

#include "machine/flat_guest.h"

namespace uchronia::machine {
namespace {

constexpr u64 kIDT = 0x3000, kStack = 0x5000, kCode = FlatGuest::kCode;

class NoDecisions final : public DecisionSource {
    u64 word(DecisionKind, u64, Ticks) override { return 0; }
};

class EndlessGuest : public testing::Test {
  protected:
    EndlessGuest() {
        state_.gpr[cpu::kRSP] = kStack;
        state_.idtr = {kIDT, 0xfff};
    }

    void store(u64 address, u64 value) { guest_.store(address, value); }
    void set_code(const std::vector<u8>& code) { guest_.set_code(code); }
    StopReason run() {
        machine_.set_boot_state(state_);
        return machine_.run(Ticks(1'000'000));
    }

    NoDecisions decisions_;
    FlatGuest guest_{{.memory_size = u64{2} << 20, .vcpu_count = 1}, decisions_};
    Machine& machine_ = guest_.machine;
    cpu::CPUState& state_ = guest_.state_of_boot;
};

TEST_F(EndlessGuest, HandlerThatFaultsAtItsFirstInstruction) {
    set_code({0x0f, 0x0b});  // UD2, which is also the handler of #UD
    // Each frame at the same place, as with an interrupt stack: only the handler's loop remains.
    store(kIDT + 16 * 6, kCode | 0x8e01'0008'0000);
    state_.tr = {0x7000, 0x67, 0x28, 0x8b};
    store(0x7000 + 36, kStack);
    const StopReason reason = run();
    EXPECT_EQ(reason.stop, Stop::kUnimplemented);
    EXPECT_NE(reason.message.find("exceptions for ever"), std::string::npos) << reason.message;
    EXPECT_EQ(machine_.ticks().value, 0u);
    // The end is a function of the state: a second run from there comes to the same one.
    const Digest digest = machine_.state_digest();
    EXPECT_EQ(machine_.run(Ticks(1'000'000)).stop, Stop::kUnimplemented);
    EXPECT_EQ(machine_.state_digest(), digest);
}

TEST_F(EndlessGuest, EndsInOneStateWhereverTheRunBegan) {
    constexpr u64 kHandler = kCode + 0x100, kHighStack = 0x18'0000;
    set_code({0x90});
    guest_.set_code({0x0f, 0x0b}, kHandler);
    for (const u64 vector : {1, 6})
        store(kIDT + 16 * vector, kHandler | 0x8e00'0008'0000);
    state_.gpr[cpu::kRSP] = kHighStack;
    state_.system_flags |= cpu::rflags::kTF;
    machine_.set_boot_state(state_);
    const Checkpoint start = machine_.checkpoint();
    EXPECT_EQ(machine_.run(Ticks(10)).stop, Stop::kUnimplemented);
    EXPECT_EQ(machine_.ticks().value, 1u);
    const Digest digest = machine_.state_digest();
    // Behind the trap that follows the instruction.
    ASSERT_TRUE(machine_.restore(start).ok());
    EXPECT_EQ(machine_.run(Ticks(1)).stop, Stop::kTick);
    EXPECT_EQ(machine_.run(Ticks(10)).stop, Stop::kUnimplemented);
    EXPECT_EQ(machine_.state_digest(), digest);
}

constexpr u64 kLocalAPIC = devices::LocalAPIC::kDefaultBase;

// Starts a periodic timer of the vector 0x40, then halts.
std::vector<u8> periodic_timer_then_halt(u8 interrupt_flag) {
    return {0xbb,           0x00, 0x00, 0xe0, 0xfe,                                // MOV EBX, base
            0xc7,           0x83, 0xf0, 0x00, 0x00, 0x00, 0xff, 0x01, 0x00, 0x00,  // SVR: on
            0xc7,           0x83, 0x80, 0x00, 0x00, 0x00, 0xf0, 0x00, 0x00, 0x00,  // TPR: nothing
            0xc7,           0x83, 0x20, 0x03, 0x00, 0x00, 0x40, 0x00, 0x02, 0x00,  // LVT: periodic
            0xc7,           0x83, 0x80, 0x03, 0x00, 0x00, 0x64, 0x00, 0x00, 0x00,  // initial count
            interrupt_flag, 0xf4};
}

TEST_F(EndlessGuest, HaltWithInterruptsDisabled) {
    static_assert(kLocalAPIC == 0xfee00000);
    set_code(periodic_timer_then_halt(0xfa));
    EXPECT_EQ(run().stop, Stop::kIdle);
}

TEST_F(EndlessGuest, HaltWithInterruptsThatAreNotLetThrough) {
    set_code(periodic_timer_then_halt(0xfb));
    EXPECT_EQ(run().stop, Stop::kIdle);
}

TEST_F(EndlessGuest, TimeLimitComesBeforeIdleForEver) {
    set_code(periodic_timer_then_halt(0xfa));
    machine_.set_boot_state(state_);
    EXPECT_EQ(machine_.run(Ticks(1'000'000), VirtualTime(5'000'000)).stop, Stop::kTime);
    EXPECT_EQ(machine_.now(), VirtualTime(5'000'000));
}

}  // namespace
}  // namespace uchronia::machine
