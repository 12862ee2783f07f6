// Whatever holds a tape has: it is refused, or a machine with several vCPUs comes to the same state
// by both engines, in one piece and in many, and through checkpoints on the way.
#include <algorithm>
#include <cstdio>

#include "base/check.h"
#include "history/tape.h"
#include "machine/flat_guest.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/target.h"

namespace uchronia::fuzz {
namespace {

constexpr u64 kStartPage = 9;

// Starts all others (APM vol. 2, 16.5), and counts with a pause now and then.
const std::vector<u8> kCode = {
    0xbb, 0x00, 0x00, 0xe0, 0xfe,                                      // MOV EBX, local APIC
    0xc7, 0x83, 0x00, 0x03, 0x00, 0x00, 0x00,       0x45, 0x0c, 0x00,  // INIT
    0xc7, 0x83, 0x00, 0x03, 0x00, 0x00, kStartPage, 0x46, 0x0c, 0x00,  // start-up
    0x48, 0xff, 0x04, 0x25, 0x00, 0x05, 0x00,       0x00,              // INC QWORD [500h]
    0xf6, 0x04, 0x25, 0x00, 0x05, 0x00, 0x00,       0x0f, 0x75, 0xee,  // TEST BYTE, 15; JNE
    0xf3, 0x90, 0xeb, 0xea};                                           // PAUSE; JMP
const std::vector<u8> kOtherCode = {0xf0, 0xff, 0x06, 0x08, 0x05, 0xeb, 0xf9};  // INC; JMP
const std::vector<u8> kIdleCode = {0xfa, 0xf4};                                 // CLI; HLT

history::Tape tape_from(Input& input, unsigned vcpu_count, u64 ticks) {
    history::Tape tape = history::Tape::from_seed(input.below(4));
    for (u64 count = input.below(12); count != 0; --count) {
        const u64 length = input.percent(5) ? ~u64{0} >> input.below(64) : 1 + input.below(20'000);
        const machine::Hold hold{Ticks(input.percent(5) ? ~u64{0} : input.below(ticks)),
                                 static_cast<u32>(input.below(input.percent(2) ? 5 : vcpu_count)),
                                 VirtualTime(length)};
        if (input.percent(2))
            tape.holds.push_back(hold);
        else
            tape.add(hold);
    }
    return tape;
}

class Guest {
  public:
    Guest(const history::Tape& tape, unsigned vcpu_count, const std::vector<u8>& other_code,
          machine::Engine engine)
        : reader_(tape, Ticks(0)),
          guest_({.memory_size = u64{2} << 20, .vcpu_count = vcpu_count, .engine = engine},
                 reader_) {
        guest_.set_code(kCode);
        guest_.set_code(other_code, kStartPage << kPageBits);
        machine().set_boot_state(guest_.state_of_boot);
        machine().start_preemption();
    }
    machine::Machine& machine() { return guest_.machine; }

  private:
    history::TapeReader reader_;
    machine::FlatGuest guest_;
};

void run_in_pieces(Input& input, machine::Machine& machine, u64 ticks) {
    for (u64 tick = 0; tick < ticks;) {
        const machine::Checkpoint checkpoint = machine.checkpoint();
        tick = std::min(ticks, tick + 1 + input.below(input.percent(50) ? 4 : 3000));
        machine.run(Ticks(tick));
        if (input.percent(20)) {
            CHECK(machine.restore(checkpoint).ok());
            machine.run(Ticks(tick));
        }
        if (input.percent(10))
            machine.drop_caches();
    }
}

}  // namespace

std::vector<std::vector<u8>> seeds() {
    return {};
}

}  // namespace uchronia::fuzz

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace uchronia;
    using namespace uchronia::fuzz;
    Input input(data, size);
    const unsigned vcpu_count = static_cast<unsigned>(1 + input.below(4));
    const u64 ticks = 1000 + input.below(20'000);
    const history::Tape tape = tape_from(input, vcpu_count, ticks);
    if (!tape.check().ok() || !tape.check_vcpus(vcpu_count).ok())
        return 0;
    const std::vector<u8>& other_code = input.percent(30) ? kIdleCode : kOtherCode;
    Guest whole(tape, vcpu_count, other_code, machine::Engine::kInterpreter);
    CHECK(whole.machine().run(Ticks(ticks)).stop == machine::Stop::kTick);
    Guest pieces(tape, vcpu_count, other_code, machine::Engine::kTranslator);
    run_in_pieces(input, pieces.machine(), ticks);
    CHECK(pieces.machine().ticks() == Ticks(ticks));
    CHECK(pieces.machine().state_digest() == whole.machine().state_digest());
    return 0;
}
