#include "debug/guest_tasks.h"

#include <signal.h>

#include <algorithm>
#include <bit>

namespace uchronia::debug {
namespace {

// Bounds for what a guest can make us read.
constexpr std::size_t kMostTasks = 1u << 16;
constexpr u64 kLongestName = 16;    // TASK_COMM_LEN
constexpr u64 kMostAuxiliary = 64;  // entries

constexpr u64 kKernelStackSize = 16 << 10;  // THREAD_SIZE
constexpr u64 kVectorBytes = 832;           // 512 legacy, 64 header, 256 of AVX

constexpr u32 kGroupExit = 4;  // SIGNAL_GROUP_EXIT
// SYNCHRONOUS_MASK: these go first.
constexpr u64 signal_bit(int signal) {
    return u64{1} << (signal - 1);
}
constexpr u64 kSynchronous = signal_bit(SIGSEGV) | signal_bit(SIGBUS) | signal_bit(SIGILL) |
                             signal_bit(SIGTRAP) | signal_bit(SIGFPE) | signal_bit(SIGSYS);

}  // namespace

struct GuestTasks::Offsets {
    u64 tasks, pid, tgid, comm, leader, parent, memory, stack, signal, thread_node, thread_head;
    u64 fs_base, gs_base, fpu_state, fpu_registers;
    u64 page_table, auxiliary, program;
    u64 blocked, pending, shared_pending, signal_flags, exit_code;
};

GuestTasks::GuestTasks(machine::Machine& machine) : machine_(machine), view_(machine) {}

GuestTasks::~GuestTasks() = default;

Result<std::unique_ptr<GuestTasks>> GuestTasks::find(machine::Machine& machine) {
    std::unique_ptr<GuestTasks> tasks(new GuestTasks(machine));
    Result<std::unique_ptr<profile::LinuxKernel>> kernel =
        profile::LinuxKernel::find(tasks->view_, tasks->view_.state().lstar);
    if (!kernel)
        return kernel.error();
    tasks->kernel_ = std::move(*kernel);
    if (Status status = tasks->read_offsets(); !status)
        return status.error();
    return tasks;
}

Status GuestTasks::read_offsets() {
    if (!kernel_->shortcoming().empty())
        return Error{kernel_->shortcoming()};
    const std::optional<u64> first = kernel_->address_of("init_task");
    std::string missing = first ? "" : "init_task";
    const auto at = [&](std::string_view structure, std::string_view member) {
        return kernel_->offset(structure, member, missing);
    };
    first_task_ = first.value_or(0);
    at_ = std::make_unique<Offsets>(Offsets{
        .tasks = at("task_struct", "tasks"),
        .pid = at("task_struct", "pid"),
        .tgid = at("task_struct", "tgid"),
        .comm = at("task_struct", "comm"),
        .leader = at("task_struct", "group_leader"),
        .parent = at("task_struct", "real_parent"),
        .memory = at("task_struct", "mm"),
        .stack = at("task_struct", "stack"),
        .signal = at("task_struct", "signal"),
        .thread_node = at("task_struct", "thread_node"),
        .thread_head = at("signal_struct", "thread_head"),
        .fs_base = at("task_struct", "thread.fsbase"),
        .gs_base = at("task_struct", "thread.gsbase"),
        .fpu_state = at("task_struct", "thread.fpu.fpstate"),
        .fpu_registers = at("fpstate", "regs"),
        .page_table = at("mm_struct", "pgd"),
        .auxiliary = at("mm_struct", "saved_auxv"),
        .program = at("mm_struct", "exe_file"),
        .blocked = at("task_struct", "blocked"),
        .pending = at("task_struct", "pending.signal"),
        .shared_pending = at("signal_struct", "shared_pending.signal"),
        .signal_flags = at("signal_struct", "flags"),
        .exit_code = at("signal_struct", "group_exit_code"),
    });
    return missing.empty() ? Status() : Error{"the guest's kernel has no " + missing};
}

std::optional<unsigned> GuestTasks::vcpu_of(u64 task) {
    for (unsigned i = 0; i < machine_.config().vcpu_count; ++i) {
        if (current(i) == task)
            return i;
    }
    return std::nullopt;
}

u32 GuestTasks::process_of(u64 task) {
    return view_.number<u32>(task + at_->tgid);
}

u32 GuestTasks::parent_process_of(u64 task) {
    return process_of(view_.number(task + at_->parent));
}

GuestThread GuestTasks::thread(u64 task) {
    return {.task = task,
            .process = process_of(task),
            .thread = view_.number<u32>(task + at_->pid),
            .name = view_.text(task + at_->comm, kLongestName)};
}

std::optional<u64> GuestTasks::find_process(u32 process) {
    u64 task = first_task_;
    for (std::size_t i = 0; i < kMostTasks; ++i) {
        const u64 next = view_.number(task + at_->tasks);
        if (next == 0 || next - at_->tasks == first_task_)
            return std::nullopt;
        task = next - at_->tasks;
        if (process_of(task) == process)
            return task;
    }
    return std::nullopt;
}

std::vector<GuestThread> GuestTasks::threads_of(u32 process) {
    std::vector<GuestThread> result;
    const std::optional<u64> leader = find_process(process);
    if (!leader)
        return result;
    const u64 head = view_.number(*leader + at_->signal) + at_->thread_head;
    u64 node = view_.number(head);
    while (node != head && node != 0 && result.size() < kMostTasks) {
        result.push_back(thread(node - at_->thread_node));
        node = view_.number(node);
    }
    if (result.empty())
        result.push_back(thread(*leader));
    return result;
}

u64 GuestTasks::memory_of(u64 task) {
    return view_.number(task + at_->memory);
}

std::optional<u64> GuestTasks::page_table_of(u64 memory) {
    u64 physical = 0;
    if (memory == 0 || !view_.translate(view_.number(memory + at_->page_table), physical))
        return std::nullopt;
    return physical;
}

std::vector<u8> GuestTasks::auxiliary_vector(u64 memory) {
    std::vector<u8> result;
    for (u64 i = 0; i < kMostAuxiliary; ++i) {
        u8 entry[16] = {};
        if (!view_.read(memory + at_->auxiliary + i * sizeof entry, entry))
            break;
        result.insert(result.end(), entry, entry + sizeof entry);
        if (std::all_of(entry, entry + 8, [](u8 byte) { return byte == 0; }))
            break;
    }
    return result;
}

std::string GuestTasks::program_of(u64 memory) {
    const u64 file = memory == 0 ? 0 : view_.number(memory + at_->program);
    return file == 0 ? std::string() : kernel_->path_of(kernel_->page_of_file(file));
}

std::optional<SavedRegisters> GuestTasks::saved_registers(u64 task) {
    SavedRegisters saved;
    const u64 stack = view_.number(task + at_->stack);
    if (stack == 0 || !view_.load(stack + kKernelStackSize - sizeof saved, saved))
        return std::nullopt;
    return saved;
}

u64 GuestTasks::blocked_signals(u64 task) {
    return task + at_->blocked;
}

int GuestTasks::next_signal(u64 task) {
    const u64 allowed = ~view_.number(blocked_signals(task));
    const u64 own = view_.number(task + at_->pending);
    const u64 shared = view_.number(view_.number(task + at_->signal) + at_->shared_pending);
    const u64 pending = (own & allowed) != 0 ? own & allowed : shared & allowed;
    const u64 first = (pending & kSynchronous) != 0 ? pending & kSynchronous : pending;
    return first == 0 ? 0 : std::countr_zero(first) + 1;
}

std::optional<u64> GuestTasks::exit_status(u64 task) {
    const u64 signal = view_.number(task + at_->signal);
    if ((view_.number<u32>(signal + at_->signal_flags) & kGroupExit) == 0)
        return std::nullopt;
    return view_.number<u32>(signal + at_->exit_code);
}

u64 GuestTasks::fs_base(u64 task) {
    return view_.number(task + at_->fs_base);
}

u64 GuestTasks::gs_base(u64 task) {
    return view_.number(task + at_->gs_base);
}

std::vector<u8> GuestTasks::saved_vectors(u64 task) {
    std::vector<u8> bytes(kVectorBytes);
    const u64 state = view_.number(task + at_->fpu_state);
    if (state == 0 || !view_.read(state + at_->fpu_registers, bytes))
        return {};
    return bytes;
}

}  // namespace uchronia::debug
