// How the handlers of this folder are made: instructions outside 64-bit mode that differ from, or
// do not exist in, 64-bit mode.
//
// A handler is a class with a function template over the unsigned type of the operand size (u16 or
// u32). None of them is written for speed.
#pragma once

#include "cpu/interp/handlers.h"
#include "cpu/interp/segmented_stack.h"
#include "cpu/interp/system/privilege.h"

namespace uchronia::cpu::interp::legacy {

// The operand that ModRM.rm names. False: the exit is recorded.
template <class T>
bool load_E(VCPU& cpu, const Op* op, T& value) {
    if ((op->flags & op_flag::kMemory) != 0)
        return read_memory(cpu, op, linear_address(cpu, op, Access::kRead, sizeof(T)), value);
    value = register_at<T>(cpu, op->rm);
    return true;
}
template <class T>
bool store_E(VCPU& cpu, const Op* op, T value) {
    if ((op->flags & op_flag::kMemory) != 0)
        return write_memory(cpu, op, linear_address(cpu, op, Access::kWrite, sizeof(T)), value);
    set_register<T>(cpu, op->rm, value);
    return true;
}

constexpr HandlerSet by_size(Handler word, Handler doubleword) {
    return {word, doubleword, doubleword, word, doubleword, doubleword};
}

// Out of line, so that the handlers stay tail calls.
template <class H, class T>
[[gnu::noinline]] bool work_of(VCPU& cpu, const Op* op) {
    return H::template work<T>(cpu, op);
}
template <class H, class T>
void go_on(VCPU& cpu, const Op* op) {
    if (!work_of<H, T>(cpu, op))
        return;
    return next(cpu, op);
}
template <class H, class T>
void end(VCPU& cpu, const Op* op) {
    if (work_of<H, T>(cpu, op))
        finish(cpu, op);
}

// From `template <class T> static bool work(VCPU&, const Op*)`: false if an exit is recorded.
template <class H>
constexpr HandlerSet rows() {
    return by_size(go_on<H, u16>, go_on<H, u32>);
}
// The same for rows that end their block.
template <class H>
constexpr HandlerSet ending_rows() {
    return by_size(end<H, u16>, end<H, u32>);
}
// From `template <class T> static void run(VCPU&, const Op*)`, which sets RIP.
template <class H>
constexpr HandlerSet branch_rows() {
    return by_size(H::template run<u16>, H::template run<u32>);
}

}  // namespace uchronia::cpu::interp::legacy
