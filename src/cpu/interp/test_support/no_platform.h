// For tests of single instructions: an outside in which there is nothing.
#pragma once

#include "cpu/bus.h"

namespace uchronia::cpu::interp::test_support {

class NoPlatform final : public Platform {
  public:
    using Platform::Platform;
    u32 port_read(unsigned, u16, unsigned) override { return ~u32{0}; }
    void port_write(unsigned, u16, unsigned, u32) override {}
    u64 mmio_read(unsigned, u64, unsigned) override { return ~u64{0}; }
    void mmio_write(unsigned, u64, unsigned, u64) override {}
    MSRResult msr_read(unsigned, u32, u64&) override { return false; }
    MSRResult msr_write(unsigned, u32, u64) override { return false; }
    u64 task_priority(unsigned) override { return 0; }
    void set_task_priority(unsigned, u64) override {}
    bool interrupt_pending(unsigned) override { return false; }
    u8 acknowledge_interrupt(unsigned) override { return 0; }
    u64 time_stamp(unsigned) override { return 0; }
    u64 entropy() override { return 0; }
    void hypercall(unsigned) override {}
    void pause(unsigned) override {}
};

// RAM of no pages: what a test maps, it maps in the vCPU's table itself.
class NoMemory final : public PhysicalMemory {
  public:
    u64 page_count() const override { return 0; }
    const u8* read_page(u64) override { return nullptr; }
    u8* write_page(u64) override { return nullptr; }
};

}  // namespace uchronia::cpu::interp::test_support
