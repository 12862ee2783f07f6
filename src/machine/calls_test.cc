// Calls to a guest that does nothing but ask for them and tell that a visit has ended.

#include "machine/calls.h"

#include <gtest/gtest.h>

#include <memory>

#include "guest/hypercall.h"
#include "machine/flat_guest.h"

namespace uchronia::machine {
namespace {

constexpr u64 kBuffer = 0x10'0000;

// clang-format off
const std::vector<u8> kCode = {
    0xb8, 11, 0, 0, 0,           // begin: mov eax, CALL
    0xbf, 0, 0, 0x10, 0,         //        mov edi, kBuffer
    0xbe, 0, 0x10, 0, 0,         //        mov esi, 4096
    0x0f, 0x04,                  //        hypercall
    0x85, 0xc0,                  //        test eax, eax
    0x74, 0xeb,                  //        jz begin
    0xb8, 12, 0, 0, 0,           //        mov eax, VISIT_END
    0xbf, 0, 0, 0, 0,            //        mov edi, EXITED
    0xbe, 7, 0, 0, 0,            //        mov esi, 7
    0xba, 0, 0, 0, 0,            //        mov edx, 0
    0x0f, 0x04,                  //        hypercall
    0xeb, 0xd3,                  //        jmp begin
};
// clang-format on

class ZeroDecisions final : public DecisionSource {
  public:
    u64 word(DecisionKind, u64, Ticks) override { return 0; }
};

class ListedCalls final : public CallSource {
  public:
    std::vector<Call> calls;

    const Call* call(u64 index) override { return index < calls.size() ? &calls[index] : nullptr; }
    u64 visit_input(u64, u64, std::span<u8>) override { return 0; }
};

class WatchingOutside final : public SilentOutside {
  public:
    Machine* machine = nullptr;
    std::vector<u64> began;

    void visit_began() override { began.push_back(machine->present_tick().value); }
};

struct Guest {
    ZeroDecisions decisions;
    ListedCalls calls;
    WatchingOutside outside;
    FlatGuest flat;

    explicit Guest(Engine engine)
        : flat({.memory_size = u64{16} << 20, .engine = engine}, decisions) {
        outside.machine = &flat.machine;
        flat.set_code(kCode);
        flat.machine.set_environment({.decisions = &decisions,
                                      .outside = &outside,
                                      .files = nullptr,
                                      .request = {},
                                      .calls = &calls});
        flat.machine.set_boot_state(flat.state_of_boot);
    }
    u64 buffer() {
        u64 value = 0;
        flat.machine.ram().read(PhysicalAddress(kBuffer),
                                {reinterpret_cast<u8*>(&value), sizeof value});
        return value;
    }
    StopReason run(u64 tick, u64 piece) {
        StopReason reason;
        do
            reason = flat.machine.run(std::min(Ticks(tick), flat.machine.ticks() + Ticks(piece)));
        while (reason.stop == Stop::kTick && flat.machine.ticks() < Ticks(tick));
        return reason;
    }
};

class Calls : public testing::TestWithParam<Engine> {};

TEST_P(Calls, AreGivenAtTheirTickInAnyPieces) {
    std::vector<u64> ends;
    std::vector<Digest> states;
    for (const u64 piece : {u64{1'000'000}, u64{1}, u64{7}, u64{999}}) {
        Guest guest(GetParam());
        guest.calls.calls = {{Ticks(1000), VirtualTime(0), true, {1, 2, 3}},
                             {Ticks(1000), VirtualTime(5000), false, {4}}};
        const StopReason end = guest.run(100'000, piece);
        EXPECT_EQ(end.stop, Stop::kVisitEnded);
        EXPECT_EQ(end.exit_code, 7u);
        ASSERT_EQ(guest.outside.began.size(), 1u);
        EXPECT_GE(guest.outside.began[0], 1000u);
        EXPECT_LE(guest.outside.began[0], 1006u);
        EXPECT_EQ(guest.buffer() & 0xff'ffff, 0x030201u);
        ends.push_back(guest.flat.machine.ticks().value);
        // The second one is not there before its time.
        EXPECT_EQ(guest.flat.machine.calls().given, 1u);
        EXPECT_EQ(guest.run(10'000, piece).stop, Stop::kTick);
        EXPECT_EQ(guest.flat.machine.calls().taken, 2u);
        EXPECT_EQ(guest.buffer() & 0xff, 4u);
        states.push_back(guest.flat.machine.state_digest());
    }
    for (std::size_t i = 1; i < ends.size(); ++i) {
        EXPECT_EQ(ends[i], ends[0]);
        EXPECT_EQ(states[i], states[0]);
    }
}

// The guest says that visit 0 ended, and what has begun since then is visit 1.
TEST_P(Calls, OfAnEndedVisitEndNoOther) {
    Guest guest(GetParam());
    guest.calls.calls = {{Ticks(1000), VirtualTime(0), true, {1}},
                         {Ticks(1000), VirtualTime(0), true, {2}}};
    EXPECT_EQ(guest.run(100'000, 100'000).stop, Stop::kTick);
    EXPECT_EQ(guest.flat.machine.calls().begun, 2u);
    EXPECT_EQ(guest.flat.machine.calls().active, 1u);
}

TEST_P(Calls, ComeBackWithACheckpoint) {
    Guest guest(GetParam());
    guest.calls.calls = {{Ticks(1000), VirtualTime(0), true, {1}},
                         {Ticks(3000), VirtualTime(0), false, {2}}};
    guest.run(2000, 2000);
    const Checkpoint checkpoint = guest.flat.machine.checkpoint();
    guest.run(4000, 4000);
    const Digest there = guest.flat.machine.state_digest();
    EXPECT_EQ(guest.flat.machine.calls().given, 2u);
    ASSERT_TRUE(guest.flat.machine.restore(checkpoint).ok());
    EXPECT_EQ(guest.flat.machine.calls().given, 1u);
    guest.run(4000, 333);
    EXPECT_EQ(guest.flat.machine.state_digest(), there);
}

INSTANTIATE_TEST_SUITE_P(Engines, Calls,
                         testing::Values(Engine::kTranslator, Engine::kInterpreter));

}  // namespace
}  // namespace uchronia::machine
