// One virtual CPU while it runs: the architectural state, the caches that make it fast, and the way
// in which an instruction tells the engine that something out of the ordinary happened.
//
// Instruction functions read and write `state`, reach memory through cpu/access.h, and report
// faults with raise(). They never return errors: after raise() they simply return, without going on
// to the next instruction.
#pragma once

#include <new>

#include "cpu/bus.h"
#include "cpu/fault.h"
#include "cpu/mmu/page_table_cache.h"
#include "cpu/op.h"
#include "cpu/state.h"
#include "cpu/translator_frame.h"

namespace uchronia::cpu {

class MMU;

// Why a block ended before its last instruction, or what its last instruction asks for.
enum class Exit : u8 {
    kNone,
    kFault,  // `fault` at `op`: the instruction did not retire
    kAlone,  // `op` needs a block of its own (device access, store to code): nothing happened yet
    kHalt,   // HLT retired
    kShutdown,       // triple fault
    kStop,           // the machine asked to stop after this instruction (hypercall, reset)
    kUnimplemented,  // defined by the manual, missing here: `unimplemented` says what
};

// The time stamp, without the vCPU's offset, after `ticks` of a run: start + (parts + ticks *
// parts_of_tick) / kParts, rounded down.
struct RunClock {
    static constexpr u32 kParts = 840;

    u64 start = 0;  // 0: the platform has to be asked for the time
    u32 parts = 0;
    u32 parts_of_tick = kParts;
};

class VCPU {
  public:
    VCPU(unsigned index_, MMU& mmu_, Platform& platform_)
        : index(index_), mmu(mmu_), platform(platform_) {}

    // While translated code runs, the host's stack pointer points into the state, 128 bytes above
    // the vCPU's start. What the host's kernel pushes for a signal goes below that start, as it
    // leaves the 128 bytes below a stack pointer alone: a vCPU that is to run such code must come
    // from here.
    static void* operator new(std::size_t size, std::align_val_t alignment);
    static void operator delete(void* vcpu, std::align_val_t alignment);

    // Reports a fault of `op`; the handler returns right after.
    void raise(const Op* op, const Fault& fault_) {
        exit = Exit::kFault;
        exit_op = op;
        fault = fault_;
    }
    void raise(const Op* op, Vector vector, u32 error_code = 0) {
        raise(op, Fault{vector, error_code, 0});
    }
    void leave(const Op* op, Exit why) {
        exit = why;
        exit_op = op;
    }
    // Whether the instruction has to wait for a block of its own: then that is recorded. It asks
    // before its first store if it stores or loads again after that: elsewhere a later access may
    // make it begin anew, and its loads must not find what it has stored itself.
    bool waits_for_own_block(const Op* op) {
        if (!alone)
            leave(op, Exit::kAlone);
        return !alone;
    }

    // Guest-virtual address of the instruction, and of the one after it.
    u64 address_of(const Op* op) const { return state.gpr[kPageBaseSlot] + op->offset; }
    u64 address_after(const Op* op) const { return address_of(op) + op->length; }

    TranslatorFrame translation;  // these three: translated code knows where they lie
    CPUState state;
    TranslatorFarFrame far_translation;

    // FSPT of the lower and the upper canonical half, for the present privilege and AC
    // (cpu/mmu/page_table_cache.h). Never null.
    const TableEntry* tables[2] = {nullptr, nullptr};

    // The keys under which code that was looked up by an address of the lower and the upper half
    // stays valid: they change with the address space, the privilege, and every change of a mapping
    // that code was fetched through.
    u64 fetch_keys[2] = {0, 0};

    // The same for each privilege, whichever is the present one; kept up to date by the MMU.
    struct View {
        const TableEntry* tables[2] = {nullptr, nullptr};
        u64 fetch_keys[2] = {0, 0};
        // What 36 bits of an address, of either half, index. Of a kernel: for code in the upper
        // half.
        const TableEntry* both = nullptr;
    };
    enum ViewOf : u8 { kUserView, kKernelView, kKernelViewWithAC, kViewCount };
    View views[kViewCount];

    Exit exit = Exit::kNone;
    bool alone =
        false;  // the running block is one instruction: device access and code stores may go ahead
    // Set by the platform when this vCPU should look for interrupts or stop before its next block.
    bool attention = false;
    // Set by the platform together with `attention`: leave the run before the next instruction.
    bool stop_requested = false;
    const Op* exit_op = nullptr;
    Fault fault;
    const char* unimplemented = nullptr;

    // Not state: where vector instructions put what needs an address (16-byte operands on the slow
    // path, the host's MXCSR), as handlers must not let the address of a local escape.
    VectorRegister scratch;
    u32 host_mxcsr = 0;
    // Data breakpoints (bit n: DRn) that the present instruction has hit; a #DB trap follows it.
    u8 breakpoint_hits = 0;
    // The present instruction loaded RF itself (IRET, POPF): it holds for the next one.
    bool loaded_rf = false;
    // The present instruction entered a handler or changed privilege with a TF of its own: whether
    // a single-step trap follows is decided by that (SYSCALL, SYSRET, software interrupts).
    bool decided_trap = false;

    const unsigned index;
    MMU& mmu;
    Platform& platform;

    // How the platform's time stamp counts the ticks of the present run. Set by the platform.
    RunClock clock;

    // Ticks that may still be run: taken off at a block's head, given back for what did not retire.
    i64 budget = 0;
};

}  // namespace uchronia::cpu
