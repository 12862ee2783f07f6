// The register stack and the exception protocol of the x87, for its handlers.
//
// A handler runs a work function, out of line so that the handler itself stays a tail call:
//
//     bool work(VCPU& cpu, const Op* op);   // false: an exit is recorded
//     const HandlerSet FABS = always(run<work>);
//
// A work function, in this order: waiting() (#NM, then #MF of an earlier instruction); reads
// memory; computes with a Context; writes memory, unless an unmasked exception prevents it; and
// only then changes the unit: note_instruction() or note_memory(), report(), the registers.
//
// Canon where the manuals leave room:
//   - C0, C2 and C3 keep their values where they are "undefined" (as hardware of both vendors
//   does);
//   - FCMOVcc, FCOMI and their kin keep C1, FFREE clears it; comparisons set their conditions even
//   if
//     an unmasked exception keeps them from popping (as AMD hardware does);
//   - the instruction and data pointers and the opcode follow every non-control instruction, and
//     the selectors of the pointers are stored as 0 (CPUID "deprecates FPU CS and DS");
//   - the opcode comes from Op::immediate, where the decoder keeps the lower 11 bits;
//   - #MF is raised whatever CR0.NE says: there is no external interrupt path.
//
// Source: APM vol. 1, 6.2 (registers), 6.8-6.9 (exceptions).
#pragma once

#include "cpu/access.h"
#include "cpu/interp/x87/number.h"
#include "cpu/vcpu.h"

namespace uchronia::cpu::interp::x87 {

namespace status {
inline constexpr u16 kStackFault = 0x40, kSummary = 0x80, kBusy = 0x8000;
inline constexpr u16 kC0 = 0x100, kC1 = 0x200, kC2 = 0x400, kC3 = 0x4000, kTop = 0x3800;
inline constexpr u16 kConditions = kC0 | kC1 | kC2 | kC3;
}  // namespace status

template <bool (*work)(VCPU&, const Op*)>
void run(VCPU& cpu, const Op* op) {
    if (!work(cpu, op)) [[unlikely]]
        return;
    return next(cpu, op);
}

// #NM if the unit is not available; waiting() also reports what is pending.
inline bool available(VCPU& cpu, const Op* op) {
    if ((cpu.state.cr0 & (cr0::kEM | cr0::kTS)) == 0) [[likely]]
        return true;
    cpu.raise(op, Vector::kNM);
    return false;
}
inline bool waiting(VCPU& cpu, const Op* op) {
    if (!available(cpu, op))
        return false;
    if ((cpu.state.x87.status & status::kSummary) == 0) [[likely]]
        return true;
    cpu.raise(op, Vector::kMF);
    return false;
}

inline void note_instruction(VCPU& cpu, const Op* op) {
    X87State& x = cpu.state.x87;
    x.instruction = cpu.address_of(op);
    x.opcode = static_cast<u16>(op->immediate & 0x7ff);
}
inline void note_memory(VCPU& cpu, const Op* op) {
    note_instruction(cpu, op);
    cpu.state.x87.data = effective_address(cpu, op);
}

// Stack positions.
inline unsigned physical(const X87State& x, unsigned index) {
    return (x.top() + index) & 7;
}
inline bool is_empty(const X87State& x, unsigned index) {
    return ((x.empty >> physical(x, index)) & 1) != 0;
}
inline const Extended& st(const X87State& x, unsigned index) {
    return x.registers[physical(x, index)];
}
inline void set_st(X87State& x, unsigned index, const Extended& value) {
    x.registers[physical(x, index)] = value;
    x.empty = static_cast<u8>(x.empty & ~(1u << physical(x, index)));
}
inline void set_empty(X87State& x, unsigned index) {
    x.empty = static_cast<u8>(x.empty | (1u << physical(x, index)));
}
inline void set_top(X87State& x, unsigned top) {
    x.status = static_cast<u16>((x.status & ~status::kTop) | ((top & 7) << 11));
}
inline void pop(X87State& x) {
    set_empty(x, 0);
    set_top(x, x.top() + 1);
}
inline void push(X87State& x, const Extended& value) {
    set_top(x, x.top() + 7);
    set_st(x, 0, value);
}

// The register number of an ST(i) operand.
inline unsigned st_operand(const Op* op) {
    return op->rm & 7;
}

// Recomputes the summary bits from the flags and masks.
inline void update_summary(X87State& x) {
    constexpr u16 kBits = status::kSummary | status::kBusy;
    const bool pending = (x.status & ~x.control & exception::kAll) != 0;
    x.status = static_cast<u16>(pending ? x.status | kBits : x.status & ~kBits);
}

// Adds an operation's exceptions to the status word and sets C1. `preventing` are the exceptions
// that keep the result from being stored if they are unmasked; then those about the result that
// come after them are not reported.
inline void report(X87State& x, Context c, u16 preventing = exception::kBeforeOperation) {
    if (c.unmasked(preventing)) {
        c.exceptions &= preventing;
        c.c1 = c.c1 && c.stack_fault;
    }
    x.status =
        static_cast<u16>((x.status & ~status::kC1) | c.exceptions |
                         (c.stack_fault ? status::kStackFault : 0) | (c.c1 ? status::kC1 : 0));
    update_summary(x);
}

inline void set_conditions(X87State& x, u16 mask, u16 conditions) {
    x.status = static_cast<u16>((x.status & ~mask) | conditions);
}

// A stack fault; its masked response is the indefinite.
enum class StackFault : u8 { kUnderflow, kOverflow };
inline Extended stack_fault(Context& c, StackFault kind) {
    c.stack_fault = true;
    c.c1 = kind == StackFault::kOverflow;
    return invalid(c);
}

// The end of an operation with one register result: stores it unless prevented.
inline bool finish(X87State& x, const Context& c, unsigned index, const Extended& result) {
    report(x, c);
    if (c.prevented())
        return false;
    set_st(x, index, result);
    return true;
}

// What control words keep: bit 6 reads as 1, the other reserved bits as 0.
constexpr u16 normalised_control(u16 value) {
    return static_cast<u16>((value & 0x1f3f) | 0x40);
}

// The state after FNINIT but for the register contents, which it leaves alone.
inline void initialise(X87State& x) {
    const auto registers = x.registers;
    x = X87State{};
    x.registers = registers;
}

}  // namespace uchronia::cpu::interp::x87
