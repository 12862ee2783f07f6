// The machine's side of the guest ABI (guest/hypercall.h, docs/hypercalls.md).

#include <algorithm>
#include <cerrno>

#include "guest/hypercall.h"
#include "machine/file_slot.h"
#include "machine/machine.h"

namespace uchronia::machine {
namespace {

u64 error(int number) {
    return static_cast<u64>(-static_cast<i64>(number));
}

constexpr u64 kLongestText = 4096;

}  // namespace

void Machine::hypercall(unsigned vcpu) {
    cpu::VCPU& cpu = *vcpus_[vcpu];
    const u64 function = static_cast<u32>(cpu.state.gpr[cpu::kRAX]);
    cpu.state.gpr[cpu::kRAX] = call(cpu, function);
}

void Machine::request_stop(StopReason reason) {
    requested_ = std::move(reason);
    stop_requested_ = true;
    cpu::VCPU& cpu = *vcpus_[running_->index];
    cpu.stop_requested = true;
    cpu.attention = true;
}

u64 Machine::call(cpu::VCPU& cpu, u64 function) {
    const u64 first = cpu.state.gpr[cpu::kRDI];
    const u64 second = cpu.state.gpr[cpu::kRSI];
    const u64 third = cpu.state.gpr[cpu::kRDX];
    std::string text;
    u64 result = 0;
    switch (function) {
        case UCHRONIA_VERSION:
            return UCHRONIA_ABI;
        case UCHRONIA_READY:
            request_stop({.stop = Stop::kReady, .message = {}});
            return 0;
        case UCHRONIA_GET_RUN:
            return give_run(cpu);
        case UCHRONIA_OUTPUT:
            return take_output(cpu);
        case UCHRONIA_INPUT:
            return give_input(cpu);
        case UCHRONIA_EXIT:
            request_stop(
                {.stop = Stop::kExited, .exit_kind = first, .exit_code = second, .message = {}});
            return 0;
        case UCHRONIA_PANIC:
            result = take_text(cpu, first, second, text);
            request_stop({.stop = Stop::kAgentPanic, .message = text});
            return result;
        case UCHRONIA_OOPS:
            result = take_text(cpu, second, third, text);
            if (result == 0)
                environment_.outside->kernel_report(first, text);
            return result;
        case UCHRONIA_LOG:
            result = take_text(cpu, second, third, text);
            if (result == 0)
                environment_.outside->agent_log(first, text);
            return result;
        case UCHRONIA_ENTROPY:
            return give_entropy(cpu);
        case UCHRONIA_FILES:
            return take_files(cpu);
        case UCHRONIA_CALL:
            return take_call(cpu);
        case UCHRONIA_VISIT_END:
            return end_visit(cpu);
        default:
            return error(ENOSYS);
    }
}

u64 Machine::give_run(cpu::VCPU& cpu) {
    const std::vector<u8>& request = environment_.request;
    if (request.size() <= cpu.state.gpr[cpu::kRSI] &&
        !mmu_->copy_to_guest(cpu, cpu.state.gpr[cpu::kRDI], request.data(), request.size()))
        return error(EFAULT);
    return request.size();
}

u64 Machine::take_output(cpu::VCPU& cpu) {
    const u64 stream = cpu.state.gpr[cpu::kRDI];
    const u64 size = cpu.state.gpr[cpu::kRDX];
    if (stream < UCHRONIA_STREAM_OUTPUT || stream > UCHRONIA_STREAM_VISIT_ERROR ||
        size > UCHRONIA_MAXIMUM_TRANSFER)
        return error(EINVAL);
    std::vector<u8> bytes(size);
    if (!mmu_->copy_from_guest(cpu, cpu.state.gpr[cpu::kRSI], bytes.data(), size))
        return error(EFAULT);
    environment_.outside->output(static_cast<OutputStream>(stream), bytes);
    return size;
}

u64 Machine::give_input(cpu::VCPU& cpu) {
    const u64 size = cpu.state.gpr[cpu::kRSI];
    if (size > UCHRONIA_MAXIMUM_TRANSFER)
        return error(EINVAL);
    if (cpu.state.gpr[cpu::kRDX] == UCHRONIA_OF_VISIT)
        return give_visit_input(cpu, size);
    std::vector<u8> bytes(size);
    const u64 count = environment_.outside->input(input_offset_, bytes);
    if (!mmu_->copy_to_guest(cpu, cpu.state.gpr[cpu::kRDI], bytes.data(), count))
        return error(EFAULT);
    input_offset_ += count;
    return count;
}

u64 Machine::give_entropy(cpu::VCPU& cpu) {
    const u64 size = cpu.state.gpr[cpu::kRSI];
    if (size > UCHRONIA_MAXIMUM_TRANSFER)
        return error(EINVAL);
    std::vector<u8> bytes(size);
    for (u64 done = 0; done < size; done += 8) {
        const u64 word = draw(DecisionKind::kEntropy);
        for (u64 i = 0; i < std::min<u64>(8, size - done); ++i)
            bytes[done + i] = static_cast<u8>(word >> (8 * i));
    }
    if (!mmu_->copy_to_guest(cpu, cpu.state.gpr[cpu::kRDI], bytes.data(), size))
        return error(EFAULT);
    return size;
}

u64 Machine::take_files(cpu::VCPU& cpu) {
    const u64 size = cpu.state.gpr[cpu::kRSI];
    if (size > UCHRONIA_MAXIMUM_TRANSFER)
        return error(EINVAL);
    std::vector<u8> bytes(size);
    if (!mmu_->copy_from_guest(cpu, cpu.state.gpr[cpu::kRDI], bytes.data(), size))
        return error(EFAULT);
    if (cpu.state.gpr[cpu::kRDX] == UCHRONIA_OF_VISIT)
        environment_.outside->visit_files(bytes);
    else
        environment_.outside->files(bytes);
    return size;
}

// The first bytes of a text of the guest.
u64 Machine::take_text(cpu::VCPU& cpu, u64 address, u64 size, std::string& text) {
    if (size > UCHRONIA_MAXIMUM_TRANSFER)
        return error(EINVAL);
    text.resize(std::min(size, kLongestText));
    return mmu_->copy_from_guest(cpu, address, text.data(), text.size()) ? 0 : error(EFAULT);
}

}  // namespace uchronia::machine
