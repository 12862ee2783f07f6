#include "machine/calls.h"

#include <algorithm>
#include <cerrno>

#include "guest/hypercall.h"
#include "machine/machine.h"

namespace uchronia::machine {
namespace {

// Any byte: it only wakes the agent.
constexpr u8 kWakingByte = 0x05;

u64 error(int number) {
    return static_cast<u64>(-static_cast<i64>(number));
}

}  // namespace

const Call* Machine::call_at(u64 index) const {
    return environment_.calls == nullptr ? nullptr : environment_.calls->call(index);
}

void Machine::plan_call() {
    const Call* next = call_at(calls_.given);
    next_call_tick_ = next == nullptr ? ~u64{0} : next->tick.value;
    next_call_time_ = next == nullptr ? kNever : next->time;
}

// The next moment of the time at which a call could be due.
VirtualTime Machine::next_call_event() const {
    return next_call_time_ > now() ? next_call_time_ : kNever;
}

void Machine::give_call() {
    const Call* call = call_at(calls_.given);
    if (call->begins_visit) {
        ++calls_.begun;
        calls_.active = 1;
        calls_.input_offset = 0;
    }
    ++calls_.given;
    // Without room there is a byte already that the agent has not read, and it asks for all.
    if (uart_->receive_space() != 0)
        uart_->receive(kWakingByte);
    plan_call();
}

// CALL: the next message that was given and not taken.
u64 Machine::take_call(cpu::VCPU& cpu) {
    if (calls_.taken == calls_.given)
        return 0;
    const Call* call = call_at(calls_.taken);
    if (call == nullptr)
        return error(EIO);
    const std::vector<u8>& message = call->message;
    if (message.size() > cpu.state.gpr[cpu::kRSI])
        return message.size();
    if (!mmu_->copy_to_guest(cpu, cpu.state.gpr[cpu::kRDI], message.data(), message.size()))
        return error(EFAULT);
    ++calls_.taken;
    if (call->begins_visit)
        environment_.outside->visit_began();
    return message.size();
}

// VISIT_END, of the visit with a number: another one than the last is nobody's business any more.
u64 Machine::end_visit(cpu::VCPU& cpu) {
    if (calls_.active == 0 || cpu.state.gpr[cpu::kRDX] + 1 != calls_.begun)
        return 0;
    calls_.active = 0;
    request_stop({.stop = Stop::kVisitEnded,
                  .exit_kind = cpu.state.gpr[cpu::kRDI],
                  .exit_code = cpu.state.gpr[cpu::kRSI],
                  .message = {}});
    return 0;
}

u64 Machine::give_visit_input(cpu::VCPU& cpu, u64 size) {
    if (environment_.calls == nullptr || calls_.begun == 0)
        return 0;
    std::vector<u8> bytes(size);
    const u64 count = environment_.calls->visit_input(calls_.begun - 1, calls_.input_offset, bytes);
    if (!mmu_->copy_to_guest(cpu, cpu.state.gpr[cpu::kRDI], bytes.data(), count))
        return error(EFAULT);
    calls_.input_offset += count;
    return count;
}

}  // namespace uchronia::machine
