// Several vCPUs of a machine take turns: exactly the same ones in whatever pieces it is run.
#include <gtest/gtest.h>

#include "base/prng.h"
#include "machine/flat_guest.h"

namespace uchronia::machine {
namespace {

constexpr u64 kStartPage = 9, kCounters = 0x500;  // of vCPU 0 (8 bytes), of vCPU 1 (2 bytes)

class SomeDecisions final : public DecisionSource {
  public:
    SomeDecisions(u64 seed, std::vector<Hold> holds) : seed_(seed), holds_(std::move(holds)) {}
    std::optional<Hold> hold(u64 index) override {
        return index < holds_.size() ? std::optional(holds_[index]) : std::nullopt;
    }
    u64 word(DecisionKind kind, u64 counter, Ticks) override {
        return random_word(seed_, static_cast<u64>(kind), counter);
    }

  private:
    const u64 seed_;
    const std::vector<Hold> holds_;
};

// Sends INIT and a start-up message to vCPU 1.
std::vector<u8> start_the_other() {
    return {0xbb, 0x00, 0x00, 0xe0, 0xfe,  // MOV EBX, local APIC
            0xc7, 0x83, 0x10, 0x03, 0x00, 0x00, 0x00,       0x00, 0x00, 0x01,  // ICR high: ID 1
            0xc7, 0x83, 0x00, 0x03, 0x00, 0x00, 0x00,       0x45, 0x00, 0x00,  // INIT
            0xc7, 0x83, 0x00, 0x03, 0x00, 0x00, kStartPage, 0x46, 0x00, 0x00};
}

// Counts at kCounters for ever.
std::vector<u8> count_in_long_mode() {
    return {0x48, 0xff, 0x04, 0x25, 0x00, 0x05, 0x00, 0x00,  // INC QWORD [500h]
            0xeb, 0xf6};
}
std::vector<u8> count_in_real_mode() {
    return {0xff, 0x06, 0x08, 0x05,  // INC WORD [508h]
            0xeb, 0xfa};
}

class Guest {
  public:
    Guest(u64 seed, Engine engine, std::vector<u8> code, const std::vector<u8>& other_code,
          std::vector<Hold> holds = {}, unsigned vcpu_count = 2)
        : decisions_(seed, std::move(holds)),
          guest_({.memory_size = u64{2} << 20, .vcpu_count = vcpu_count, .engine = engine},
                 decisions_) {
        std::vector<u8> all = start_the_other();
        all.insert(all.end(), code.begin(), code.end());
        guest_.set_code(all);
        guest_.set_code(other_code, kStartPage << kPageBits);
        machine().set_boot_state(guest_.state_of_boot);
    }

    Machine& machine() { return guest_.machine; }
    u64 counted() { return load(kCounters); }
    u64 counted_by_other() { return load(kCounters + 8) & 0xffff; }
    u64 load(u64 address) {
        u64 value = 0;
        std::memcpy(&value, machine().ram().read_page(0) + address, sizeof value);
        return value;
    }

  private:
    SomeDecisions decisions_;
    FlatGuest guest_;
};

constexpr Ticks kEnd(250'000);

Digest digest_of_whole(u64 seed, Engine engine) {
    Guest guest(seed, engine, count_in_long_mode(), count_in_real_mode());
    guest.machine().start_preemption();
    EXPECT_EQ(guest.machine().run(kEnd).stop, Stop::kTick);
    return guest.machine().state_digest();
}

TEST(Turns, BothVCPUsRun) {
    Guest guest(1, Engine::kInterpreter, count_in_long_mode(), count_in_real_mode());
    EXPECT_EQ(guest.machine().run(kEnd).stop, Stop::kTick);
    // The other one counts modulo 2^16.
    EXPECT_GT(guest.counted(), 40'000u);
    EXPECT_LT(guest.counted(), 75'000u);
    EXPECT_NE(guest.counted_by_other(), 0u);
    // Two ticks a nanosecond.
    EXPECT_NEAR(static_cast<double>(guest.machine().now().value), 125'000.0, 100.0);
}

TEST(Turns, EnginesAgree) {
    for (u64 seed = 1; seed <= 3; ++seed)
        EXPECT_EQ(digest_of_whole(seed, Engine::kInterpreter),
                  digest_of_whole(seed, Engine::kTranslator));
}

TEST(Turns, SeedsDiffer) {
    EXPECT_NE(digest_of_whole(1, Engine::kTranslator), digest_of_whole(2, Engine::kTranslator));
}

// After a run to kEnd in pieces of less than `longest` ticks, of which every third is undone and
// run again.
Digest digest_after_pieces(Machine& machine, u64 longest) {
    machine.start_preemption();
    u64 tick = 0, number = 0;
    for (u64 piece = 1; tick < kEnd.value; piece = piece * 7 % longest) {
        const Checkpoint before = machine.checkpoint();
        tick = std::min(kEnd.value, tick + piece);
        EXPECT_EQ(machine.run(Ticks(tick)).stop, Stop::kTick);
        if (++number % 3 != 0)
            continue;
        const Digest once = machine.state_digest();
        EXPECT_TRUE(machine.restore(before).ok());
        EXPECT_EQ(machine.run(Ticks(tick)).stop, Stop::kTick);
        EXPECT_EQ(machine.state_digest(), once);
    }
    return machine.state_digest();
}

TEST(Turns, PiecesAndCheckpointsDoNotMatter) {
    for (u64 seed = 1; seed <= 3; ++seed) {
        const Digest whole = digest_of_whole(seed, Engine::kTranslator);
        Guest guest(seed, Engine::kTranslator, count_in_long_mode(), count_in_real_mode());
        EXPECT_EQ(digest_after_pieces(guest.machine(), 9973), whole);
    }
}

TEST(Turns, PauseGivesTheTurnAway) {
    const std::vector<u8> wait = {0xf3, 0x90, 0xeb, 0xfc};  // PAUSE; JMP to it
    Guest guest(1, Engine::kTranslator, wait, count_in_real_mode());
    guest.machine().start_preemption();
    EXPECT_EQ(guest.machine().run(Ticks(100'000)).stop, Stop::kTick);
    // INC and JMP: all but a few ticks are the other one's.
    EXPECT_GT(guest.counted_by_other(), 48'000u);
}

TEST(Turns, TimePassesFasterWhereAllWait) {
    constexpr u64 kWait = 2'000'000;  // virtual nanoseconds
    // Until the time stamp counter has gone on by so much, both execute PAUSE.
    const std::vector<u8> wait_for_time = {
        0x0f, 0x31, 0x48, 0xc1, 0xe2, 0x20, 0x48, 0x09, 0xd0,  // RDTSC; SHL RDX, 32; OR RAX, RDX
        0x48, 0x3d, 0x80, 0x84, 0x1e, 0x00,                    // CMP RAX, kWait
        0x73, 0x04, 0xf3, 0x90, 0xeb, 0xeb,                    // JAE to the end; PAUSE; JMP
        0xfa, 0xf4};                                           // CLI; HLT
    const std::vector<u8> pause = {0xf3, 0x90, 0xeb, 0xfc};
    const auto run = [&](Engine engine, u64 piece) {
        Guest guest(1, engine, wait_for_time, pause);
        Machine& machine = guest.machine();
        for (u64 tick = 0; machine.ticks() < Ticks(20'000); tick += piece)
            EXPECT_EQ(machine.run(Ticks(std::min<u64>(tick, 20'000))).stop, Stop::kTick);
        EXPECT_GT(machine.now().value, kWait);
        EXPECT_TRUE(machine.vcpu(0).state.halted);
        return machine.state_digest();
    };
    const Digest whole = run(Engine::kInterpreter, 20'000);
    EXPECT_EQ(run(Engine::kTranslator, 20'000), whole);
    EXPECT_EQ(run(Engine::kTranslator, 7), whole);
}

TEST(Turns, AHaltedVCPUTakesNone) {
    const std::vector<u8> halt = {0xfa, 0xf4};  // CLI; HLT
    Guest guest(1, Engine::kTranslator, halt, count_in_real_mode());
    EXPECT_EQ(guest.machine().run(Ticks(60'000)).stop, Stop::kTick);
    EXPECT_GT(guest.counted_by_other(), 29'900u);
    // Alone, it has a tick a nanosecond.
    EXPECT_NEAR(static_cast<double>(guest.machine().now().value), 60'000.0, 100.0);
}

// --- Holds ---

// Says at kCounters + 16 that it has begun, and at kCounters + 24 that it has ended, for ever.
std::vector<u8> go_through_a_section() {
    return {0x48, 0xff, 0x04, 0x25, 0x10, 0x05, 0x00, 0x00,  // INC QWORD [510h]
            0x90, 0x90, 0x90, 0x90,                          //
            0x48, 0xff, 0x04, 0x25, 0x18, 0x05, 0x00, 0x00,  // INC QWORD [518h]
            0xeb, 0xea};
}

constexpr Ticks kHoldTick(123'457);
constexpr VirtualTime kHoldLength(50'000);

TEST(Holds, StopAVCPUBetweenTwoInstructionsWhileTheOtherGoesOn) {
    // A tick at which vCPU 0 is inside the section and goes on.
    u64 tick = kHoldTick.value;
    {
        Guest guest(5, Engine::kInterpreter, go_through_a_section(), count_in_real_mode());
        guest.machine().start_preemption();
        while (guest.machine().turn() != 0 || guest.load(0x510) == guest.load(0x518) ||
               tick == kHoldTick.value)
            ASSERT_EQ(guest.machine().run(Ticks(++tick)).stop, Stop::kTick);
    }
    for (const Engine engine : {Engine::kInterpreter, Engine::kTranslator}) {
        Guest guest(5, engine, go_through_a_section(), count_in_real_mode(),
                    {{Ticks(tick), 0, kHoldLength}});
        Machine& machine = guest.machine();
        machine.start_preemption();
        EXPECT_EQ(machine.run(Ticks(tick)).stop, Stop::kTick);
        const u64 begun = guest.load(0x510), ended = guest.load(0x518);
        EXPECT_EQ(begun, ended + 1);
        const VirtualTime start = machine.now();
        u64 counted = guest.counted_by_other();
        // The other one has all ticks, one a nanosecond, but where it is stalled itself.
        for (u64 after = 1000; machine.now() < start + kHoldLength - VirtualTime(1000);
             after += 1000) {
            ASSERT_EQ(machine.run(Ticks(tick + after)).stop, Stop::kTick);
            if (machine.now() >= start + kHoldLength)
                break;
            ASSERT_EQ(machine.turn(), 1u);
            ASSERT_EQ(guest.load(0x510), begun);
            ASSERT_EQ(guest.load(0x518), ended);
            ASSERT_NE(guest.counted_by_other(), counted);
            counted = guest.counted_by_other();
        }
        machine.run(machine.ticks() + Ticks(300'000));
        EXPECT_GT(guest.load(0x518), ended);
        EXPECT_EQ(machine.statistics().holds, 1u);
    }
}

std::vector<Hold> some_holds() {
    return {{Ticks(0), 1, VirtualTime(3)},           {Ticks(777), 0, VirtualTime(10'000)},
            {Ticks(777), 1, VirtualTime(5'000)},     {Ticks(60'001), 1, VirtualTime(40'000)},
            {Ticks(60'002), 1, VirtualTime(20'000)}, {Ticks(150'000), 0, VirtualTime(1)}};
}

Digest digest_with_holds(u64 seed, Engine engine, std::vector<Hold> holds, unsigned vcpu_count) {
    Guest guest(seed, engine, count_in_long_mode(), count_in_real_mode(), std::move(holds),
                vcpu_count);
    guest.machine().start_preemption();
    EXPECT_EQ(guest.machine().run(kEnd).stop, Stop::kTick);
    return guest.machine().state_digest();
}

TEST(Holds, AreTheSameInBothEnginesAndInAllPieces) {
    for (u64 seed = 1; seed <= 3; ++seed) {
        const Digest whole = digest_with_holds(seed, Engine::kInterpreter, some_holds(), 2);
        EXPECT_EQ(digest_with_holds(seed, Engine::kTranslator, some_holds(), 2), whole);
        EXPECT_NE(digest_with_holds(seed, Engine::kTranslator, {}, 2), whole);
        Guest guest(seed, Engine::kTranslator, count_in_long_mode(), count_in_real_mode(),
                    some_holds());
        EXPECT_EQ(digest_after_pieces(guest.machine(), 997), whole);
    }
}

TEST(Holds, OfTheOnlyVCPUSkipTime) {
    Guest plain(1, Engine::kTranslator, count_in_long_mode(), {}, {}, 1);
    Guest held(1, Engine::kTranslator, count_in_long_mode(), {}, {{Ticks(1000), 0, kHoldLength}},
               1);
    for (Guest* guest : {&plain, &held})
        EXPECT_EQ(guest->machine().run(Ticks(2000)).stop, Stop::kTick);
    EXPECT_EQ(held.machine().now(), plain.machine().now() + kHoldLength);
    EXPECT_EQ(held.counted(), plain.counted());
}

// Nobody can run until it is released.
TEST(Holds, EndInTimeWhenTheOthersAreIdle) {
    const std::vector<u8> halt = {0xfa, 0xf4};  // CLI; HLT
    Guest guest(1, Engine::kTranslator, count_in_long_mode(), halt,
                {{Ticks(10'000), 0, kHoldLength}});
    EXPECT_EQ(guest.machine().run(Ticks(10'000)).stop, Stop::kTick);
    const VirtualTime start = guest.machine().now();
    // The two of the other one, and the first one after the hold.
    EXPECT_EQ(guest.machine().run(Ticks(10'003)).stop, Stop::kTick);
    EXPECT_GE(guest.machine().now(), start + kHoldLength);
    EXPECT_LE(guest.machine().now(), start + kHoldLength + VirtualTime(4));
}

}  // namespace
}  // namespace uchronia::machine
