// Several vCPUs of a machine take turns: exactly the same ones in whatever pieces it is run.
#include <gtest/gtest.h>

#include "base/prng.h"
#include "machine/flat_guest.h"

namespace uchronia::machine {
namespace {

constexpr u64 kStartPage = 9, kCounters = 0x500;  // of vCPU 0 (8 bytes), of vCPU 1 (2 bytes)

class SomeDecisions final : public DecisionSource {
  public:
    explicit SomeDecisions(u64 seed) : seed_(seed) {}
    u64 word(DecisionKind kind, u64 counter, Ticks) override {
        return random_word(seed_, static_cast<u64>(kind), counter);
    }

  private:
    const u64 seed_;
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
    Guest(u64 seed, Engine engine, std::vector<u8> code, const std::vector<u8>& other_code)
        : decisions_(seed),
          guest_({.memory_size = u64{2} << 20, .vcpu_count = 2, .engine = engine}, decisions_) {
        std::vector<u8> all = start_the_other();
        all.insert(all.end(), code.begin(), code.end());
        guest_.set_code(all);
        guest_.set_code(other_code, kStartPage << kPageBits);
        machine().set_boot_state(guest_.state_of_boot);
    }

    Machine& machine() { return guest_.machine; }
    u64 counted() { return load(kCounters); }
    u64 counted_by_other() { return load(kCounters + 8) & 0xffff; }

  private:
    u64 load(u64 address) {
        u64 value = 0;
        std::memcpy(&value, machine().ram().read_page(0) + address, sizeof value);
        return value;
    }

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

TEST(Turns, PiecesAndCheckpointsDoNotMatter) {
    for (u64 seed = 1; seed <= 3; ++seed) {
        const Digest whole = digest_of_whole(seed, Engine::kTranslator);
        Guest guest(seed, Engine::kTranslator, count_in_long_mode(), count_in_real_mode());
        Machine& machine = guest.machine();
        machine.start_preemption();
        u64 tick = 0;
        for (u64 piece = 1; tick < kEnd.value; piece = piece * 7 % 9973) {
            const Checkpoint before = machine.checkpoint();
            tick = std::min(kEnd.value, tick + piece);
            EXPECT_EQ(machine.run(Ticks(tick)).stop, Stop::kTick);
            if (piece % 3 != 0)
                continue;
            const Digest once = machine.state_digest();
            ASSERT_TRUE(machine.restore(before).ok());
            EXPECT_EQ(machine.run(Ticks(tick)).stop, Stop::kTick);
            ASSERT_EQ(machine.state_digest(), once);
        }
        EXPECT_EQ(machine.state_digest(), whole);
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

}  // namespace
}  // namespace uchronia::machine
