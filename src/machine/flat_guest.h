// For tests only: a machine with four gigabytes mapped one to one by large pages, and code at
// kCode in ring 0 of 64-bit mode.
#pragma once

#include <vector>

#include "machine/machine.h"

namespace uchronia::machine {

class FlatGuest {
  public:
    static constexpr u64 kRoot = 0x1000, kPointers = 0x2000, kGDT = 0x6000, kCode = 0x8000;

    // `decisions` must outlive the guest.
    FlatGuest(const MachineConfig& config, DecisionSource& decisions) : machine(frames_, config) {
        using namespace cpu;
        store(kRoot, kPointers | 3);
        for (u64 i = 0; i < 4; ++i)
            store(kPointers + 8 * i, i << 30 | 0x83);
        store(kGDT + 8, 0x00af'9b00'0000'ffff);
        state_of_boot.rip = kCode;
        state_of_boot.cr0 = cr0::kPE | cr0::kPG;
        state_of_boot.cr3 = kRoot;
        state_of_boot.cr4 = cr4::kPAE;
        state_of_boot.efer = efer::kLME | efer::kLMA;
        state_of_boot.gdtr = {kGDT, 15};
        state_of_boot.set_segment(kCS, {0, 0xffff'ffff, 8, 0xa9b});
        machine.set_environment(
            {.decisions = &decisions, .outside = &outside_, .files = nullptr, .request = {}});
    }

    void store(u64 address, u64 value) { machine.ram().store(PhysicalAddress(address), value); }
    memory::FrameStore& frames() { return frames_; }
    void set_code(const std::vector<u8>& code, u64 address = kCode) {
        machine.ram().write(PhysicalAddress(address), code);
    }

  private:
    memory::FrameStore frames_;
    SilentOutside outside_;

  public:
    Machine machine;
    cpu::CPUState state_of_boot;  // for set_boot_state
};

}  // namespace uchronia::machine
