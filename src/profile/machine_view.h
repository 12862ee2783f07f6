// A machine as a debugger sees it: its memory in the address space of the vCPU whose turn it is,
// and the process that runs there.
#pragma once

#include <string>

#include "machine/machine.h"
#include "profile/linux_kernel.h"

namespace uchronia::profile {

class MachineView final : public GuestView {
  public:
    explicit MachineView(machine::Machine& machine) : machine_(machine) {}

    bool translate(u64 address, u64& physical) override {
        return machine_.mmu().probe(vcpu(), address, physical);
    }
    bool read_physical(u64 physical, std::span<u8> bytes) override {
        return machine_.ram().read(PhysicalAddress(physical), bytes);
    }

    const cpu::CPUState& state() const { return vcpu().state; }
    // "sh 83". What the guest says (null: it is none that we know); otherwise its address space,
    // "cr3 0x...", is all that tells processes apart.
    std::string process_name(LinuxKernel* kernel) const {
        const std::optional<Task> task =
            kernel == nullptr ? std::nullopt : kernel->current_task(machine_.turn());
        if (!task)
            return "cr3 " + machine::to_hex_number(state().cr3);
        return task->process == 0 ? task->name : task->name + " " + std::to_string(task->process);
    }

  private:
    const cpu::VCPU& vcpu() const { return machine_.vcpu(machine_.turn()); }

    machine::Machine& machine_;
};

}  // namespace uchronia::profile
