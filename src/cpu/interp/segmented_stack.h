// The stack outside 64-bit mode: pushes and pops through a stack segment, with SP or ESP by its B
// bit.
//
// Nothing of the state changes before commit(), so that an instruction can fault in the middle;
// what it pushed below the top of the stack is lost then, as on processors.
// Source: APM vol. 2, 4.7.3 (stack segments) and 6.4.
#pragma once

#include "cpu/access.h"

namespace uchronia::cpu::interp {

class SegmentedStack {
  public:
    // The present stack, with the present privilege.
    explicit SegmentedStack(const VCPU& cpu)
        : segment_(cpu.state.segments[kSS]), pointer_(cpu.state.gpr[kRSP]) {}
    // A stack that is about to become the present one, by a transfer to another privilege.
    // `error_code` is that of its stack faults.
    SegmentedStack(const Segment& segment, u64 pointer, u32 error_code)
        : segment_(segment), pointer_(pointer), of_system_(true), error_code_(error_code) {}

    u64 mask() const { return (segment_.attributes & Segment::kBig) != 0 ? 0xffffffff : 0xffff; }
    u64 pointer() const { return pointer_ & mask(); }
    void set_pointer(u64 pointer) { pointer_ = (pointer_ & ~mask()) | (pointer & mask()); }
    void release(u64 bytes) { set_pointer(pointer_ + bytes); }

    template <class T>
    bool push(VCPU& cpu, const Op* op, T value) {
        const u64 offset = (pointer_ - sizeof(T)) & mask();
        u64 address;
        if (!find(cpu, op, offset, Access::kWrite, sizeof(T), address))
            return false;
        const bool ok = of_system_ ? cpu.mmu.write_system(cpu, op, address, &value, sizeof value)
                                   : write_memory(cpu, op, address, value);
        if (ok)
            set_pointer(offset);
        return ok;
    }
    // At an offset of the segment; the pointer stays.
    template <class T>
    bool read(VCPU& cpu, const Op* op, u64 offset, T& value) const {
        u64 address;
        return find(cpu, op, offset & mask(), Access::kRead, sizeof(T), address) &&
               read_memory(cpu, op, address, value);
    }
    template <class T>
    bool pop(VCPU& cpu, const Op* op, T& value) {
        if (!read(cpu, op, pointer_, value))
            return false;
        release(sizeof(T));
        return true;
    }

    // Makes the pointer the present one. (SS is the caller's.)
    void commit(VCPU& cpu) const {
        u64& rsp = cpu.state.gpr[kRSP];
        rsp = mask() == 0xffff ? (rsp & ~mask()) | pointer() : pointer();
    }

  private:
    bool find(VCPU& cpu, const Op* op, u64 offset, Access access, u32 size, u64& address) const {
        address = segmented_address(cpu.state, segment_, offset, access, size);
        if (address != kNotCanonical) [[likely]]
            return true;
        cpu.raise(op, Vector::kSS, error_code_);
        return false;
    }

    Segment segment_;
    u64 pointer_;
    bool of_system_ = false;
    u32 error_code_ = 0;
};

}  // namespace uchronia::cpu::interp
