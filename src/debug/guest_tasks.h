// The processes and threads of a guest's Linux, as its kernel keeps them: who runs, what their
// registers are while they are not running in user mode, and how their memory is mapped.
//
// All of it is read from guest memory when it is asked for; looking changes nothing. Numbers of
// processes and threads are those of the guest's first PID namespace.
//
// Source: the kernel's own types, by BTF; struct pt_regs in arch/x86/include/uapi/asm/ptrace.h.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "machine/machine.h"
#include "profile/linux_kernel.h"
#include "profile/machine_view.h"

namespace uchronia::debug {

struct GuestThread {
    u64 task = 0;  // guest address of its task_struct
    u32 process = 0, thread = 0;
    std::string name;  // its own
};

// What the kernel has saved of a thread that was interrupted in user mode, or called it.
struct SavedRegisters {
    // Whether it was a system call.
    bool has_called() const { return static_cast<i64>(orig_rax) >= 0; }

    u64 r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi, orig_rax;
    u64 rip, cs, rflags, rsp, ss;
};

class GuestTasks {
  public:
    // Errors: there is no Linux kernel that tells of its processes.
    static Result<std::unique_ptr<GuestTasks>> find(machine::Machine& machine);
    ~GuestTasks();

    profile::LinuxKernel& kernel() { return *kernel_; }
    profile::MachineView& view() { return view_; }

    // The present task of a vCPU; 0: not known.
    u64 current(unsigned vcpu) { return kernel_->task_of(vcpu); }
    // The vCPU on which a task is the present one.
    std::optional<unsigned> vcpu_of(u64 task);
    GuestThread thread(u64 task);
    u32 process_of(u64 task);
    u32 parent_process_of(u64 task);
    // All of a process, the first one first. Empty: there is no such process.
    std::vector<GuestThread> threads_of(u32 process);
    std::optional<u64> find_process(u32 process);

    // Of the memory of a task: 0 for a thread of the kernel.
    u64 memory_of(u64 task);
    std::optional<u64> page_table_of(u64 memory);  // physical address
    std::vector<u8> auxiliary_vector(u64 memory);
    std::string program_of(u64 memory);  // path

    std::optional<SavedRegisters> saved_registers(u64 task);
    u64 fs_base(u64 task);
    u64 gs_base(u64 task);
    // The XSAVE area, as much as holds x87, SSE and AVX; empty: not known.
    std::vector<u8> saved_vectors(u64 task);

    // Guest address of the signals that a task blocks.
    u64 blocked_signals(u64 task);
    // The pending signal that the kernel would take next for a task; 0: none that is not blocked.
    int next_signal(u64 task);
    // The status with which a task's process ends, where that has been settled.
    std::optional<u64> exit_status(u64 task);

  private:
    struct Offsets;

    explicit GuestTasks(machine::Machine& machine);
    Status read_offsets();

    machine::Machine& machine_;
    profile::MachineView view_;
    std::unique_ptr<profile::LinuxKernel> kernel_;
    std::unique_ptr<Offsets> at_;
    u64 first_task_ = 0;
};

}  // namespace uchronia::debug
