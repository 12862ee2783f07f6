// What a CPU needs from the rest of the machine, so that `cpu` depends on nothing above it.
//
// PhysicalMemory is RAM as pages; Platform is everything else that an instruction can reach: ports,
// memory-mapped devices, the local APIC, time, the tape's entropy and hypercalls.
//
// Invariants: all calls come from the one thread that runs the world; `when` arguments and results
// are a function of guest state only.
#pragma once

#include "base/types.h"
#include "cpu/model.h"

namespace uchronia::cpu {

// RAM by guest-physical page number. Pointers stay valid until the page is revoked (see MMU).
class PhysicalMemory {
  public:
    virtual ~PhysicalMemory() = default;

    // Number of pages of RAM; RAM is [0, page_count) with holes where `read_page` gives null.
    virtual u64 page_count() const = 0;
    // The page's present contents, or null if there is no RAM there.
    virtual const u8* read_page(u64 page_number) = 0;
    // The page's private, writable contents, made private if it was shared and marked as written
    // since the last hash; or null if there is no RAM there. May move the page: the implementation
    // calls MMU::page_moved through its observer before it returns.
    virtual u8* write_page(u64 page_number) = 0;
};

// Told by the memory about changes that the CPU's caches must follow (the MMU implements it).
class PageObserver {
  public:
    virtual ~PageObserver() = default;
    // The page's host address changed: forget cached pointers to it.
    virtual void page_moved(u64 page_number) = 0;
    // The same, and its contents may be others: they were `before` (valid during the call).
    virtual void page_replaced(u64 page_number, const u8* before) = 0;
    // The next write to the page must be asked for again (write_page): it was hashed or shared.
    virtual void page_protected(u64 page_number) = 0;
    // Bytes of the page were written by something other than the CPU (DMA, a loader, a restore).
    virtual void page_written(u64 page_number, u64 offset, u64 size) = 0;
};

// The answer of a model-specific register access: false gives the guest #GP(0).
using MSRResult = bool;

class Platform {
  public:
    explicit Platform(CPUModel cpu_model = CPUModel::kV3) : cpu_model_(cpu_model) {}
    virtual ~Platform() = default;

    // What the machine's vCPUs are.
    CPUModel cpu_model() const { return cpu_model_; }

    // `size` is 1, 2 or 4 (bytes). Unknown ports read as all ones and ignore writes.
    virtual u32 port_read(unsigned vcpu, u16 port, unsigned size) = 0;
    virtual void port_write(unsigned vcpu, u16 port, unsigned size, u32 value) = 0;

    // `size` is 1, 2, 4 or 8. Addresses with neither RAM nor device read as all ones.
    virtual u64 mmio_read(unsigned vcpu, u64 address, unsigned size) = 0;
    virtual void mmio_write(unsigned vcpu, u64 address, unsigned size, u64 value) = 0;

    // MSRs that do not belong to the CPU proper (local APIC, paravirtual clock).
    virtual MSRResult msr_read(unsigned vcpu, u32 index, u64& value) = 0;
    virtual MSRResult msr_write(unsigned vcpu, u32 index, u64 value) = 0;

    // CR8: the local APIC's task priority, bits 4-7 of TPR.
    virtual u64 task_priority(unsigned vcpu) = 0;
    virtual void set_task_priority(unsigned vcpu, u64 value) = 0;

    // Whether the local APIC has a deliverable interrupt for this vCPU, and taking it.
    virtual bool interrupt_pending(unsigned vcpu) = 0;
    virtual u8 acknowledge_interrupt(unsigned vcpu) = 0;

    // The time stamp counter at the instruction that is executing (see VCPU::current_tick).
    virtual u64 time_stamp(unsigned vcpu) = 0;

    // The next entropy word of the tape (RDRAND, RDSEED).
    virtual u64 entropy() = 0;

    // The guest's hypercall instruction (docs/hypercalls.md). Arguments and result are in the
    // vCPU's registers, which the machine reads and writes.
    virtual void hypercall(unsigned vcpu) = 0;

    // PAUSE: the vCPU waits for another one.
    virtual void pause(unsigned vcpu) = 0;

  private:
    const CPUModel cpu_model_;
};

}  // namespace uchronia::cpu
