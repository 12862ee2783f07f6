// Branches by the ten thousand: nothing of one stays when it is dropped.
// A million by hand: --gtest_repeat=50. AddressSanitizer keeps what is freed, 256 MiB of it, unless
// ASAN_OPTIONS=quarantine_size_mb=4 is set.
#include <gtest/gtest.h>

#include <unistd.h>
#include <fstream>

#include "base/prng.h"
#include "machine/flat_guest.h"

namespace uchronia::machine {
namespace {

constexpr u64 kCount = 20'000;

class SeededDecisions final : public DecisionSource {
  public:
    u64 word(DecisionKind kind, u64 counter, Ticks) override {
        return random_word(seed, static_cast<u64>(kind), counter);
    }
    u64 seed = 0;
};

// Of this process.
u64 resident_bytes() {
    u64 size = 0, resident = 0;
    std::ifstream("/proc/self/statm") >> size >> resident;
    return resident * static_cast<u64>(::sysconf(_SC_PAGESIZE));
}

TEST(Branches, LeaveNothingBehind) {
    SeededDecisions decisions;
    FlatGuest guest({.memory_size = u64{64} << 20}, decisions);
    // Counts in a page, and goes on to the next one: INC [RDI]; ADD EDI, 0x1000; AND EDI,
    // 0x1fff000; JMP to the first.
    guest.set_code({0x48, 0xff, 0x07, 0x81, 0xc7, 0x00, 0x10, 0x00, 0x00, 0x81, 0xe7, 0x00, 0xf0,
                    0xff, 0x01, 0xeb, 0xef},
                   0x2000000);
    guest.state_of_boot.rip = 0x2000000;
    guest.state_of_boot.gpr[cpu::kRDI] = 0x10000;
    Machine& machine = guest.machine;
    machine.set_boot_state(guest.state_of_boot);
    machine.start_preemption();

    std::vector<Checkpoint> moments{machine.checkpoint()};  // where branches begin
    std::map<u64, Digest> ends;
    u64 frames = 0, nodes = 0, resident = 0;
    for (u64 number = 0; number < kCount; ++number) {
        const u64 from = random_word(1, 0, number % 16) % moments.size();
        ASSERT_TRUE(machine.restore(moments[from]).ok());
        EXPECT_EQ(machine.run(machine.ticks() + Ticks(100)).stop, Stop::kTick);
        const Checkpoint dropped = machine.checkpoint();
        if (number < 8)
            moments.push_back(dropped);
        if (number % 16 == 15) {
            const auto [end, is_new] = ends.emplace(from, machine.state_digest());
            EXPECT_EQ(end->second, machine.state_digest());
        }
        if (number == kCount / 10) {
            frames = guest.frames().live_count();
            nodes = guest.frames().nodes().live_count();
            resident = resident_bytes();
        }
    }
    EXPECT_LE(guest.frames().live_count(), frames + 64);
    EXPECT_LE(guest.frames().nodes().live_count(), nodes + 64);
    EXPECT_LE(resident_bytes(), resident + (u64{16} << 20));
}

}  // namespace
}  // namespace uchronia::machine
