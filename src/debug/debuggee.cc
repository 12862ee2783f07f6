#include "debug/debuggee.h"

#include <elf.h>

#include <algorithm>
#include <cstring>

#include "cpu/mmu/page_walk.h"
#include "debug/kernel_symbols.h"
#include "debug/packet.h"

namespace uchronia::debug {
namespace {

constexpr u32 kAgent = 1;  // the guest's first process, which starts the command
constexpr u64 kUserEnd = u64{1} << 47;
constexpr u64 kMostBytes = u64{1} << 20;      // that are read at once
constexpr char kExecDone[] = "start_thread";  // called where a program has replaced another

}  // namespace

Result<std::unique_ptr<Debuggee>> Debuggee::find(Traveller& traveller, const Choice& choice,
                                                 ReadFile read_file) {
    std::unique_ptr<Debuggee> it(new Debuggee(traveller, std::move(read_file)));
    Result<std::unique_ptr<GuestTasks>> tasks = GuestTasks::find(traveller.machine());
    if (tasks)
        it->tasks_ = std::move(*tasks);
    if (choice.kind == Choice::Kind::kMachine)
        return it;
    if (!tasks)
        return Error{tasks.error().message + "; --process machine debugs the machine as a whole"};
    if (Status status = it->go_to_begin(choice); !status)
        return status.error();
    return it;
}

bool Debuggee::is_chosen(const Choice& choice, u64 task) {
    switch (choice.kind) {
        case Choice::Kind::kCommand:
            return tasks_->parent_process_of(task) == kAgent;
        case Choice::Kind::kName:
            return tasks_->thread(task).name == choice.name;
        case Choice::Kind::kNumber:
            return tasks_->process_of(task) == choice.number;
        case Choice::Kind::kMachine:
            break;
    }
    return false;
}

// Where programs begin the kernel says so; a process that is only forked is found where it first
// runs.
Status Debuggee::go_to_begin(const Choice& choice) {
    const auto wants = [&](const cpu::DebugHit& hit, const cpu::VCPU&) {
        return is_chosen(choice, tasks_->current(hit.vcpu));
    };
    const std::optional<u64> exec_done = tasks_->kernel().address_of(kExecDone);
    Halt halt{.why = Halt::Why::kHit};
    if (exec_done && choice.kind != Choice::Kind::kNumber)
        halt = traveller_.run(Ticks(~u64{0}),
                              {.places = {.breakpoints = {*exec_done}}, .wants = wants});
    if (halt.why == Halt::Why::kHit)
        halt = traveller_.run(Ticks(~u64{0}), {.places = {.user_mode = true}, .wants = wants});
    if (halt.why == Halt::Why::kInterrupted)
        return Error{"interrupted"};
    if (halt.why != Halt::Why::kHit)
        return Error{choice.kind == Choice::Kind::kCommand ? "the command never begins"
                     : choice.kind == Choice::Kind::kName
                         ? "no program named '" + choice.name + "' begins in this history"
                         : "there is no process " + std::to_string(choice.number) +
                               " in this history"};
    const u64 task = tasks_->current(halt.hit.vcpu);
    process_ = tasks_->process_of(task);
    begin_ = traveller_.ticks();
    return traveller_.seek(begin_);  // there may have come more between the ticks
}

void Debuggee::follow(u32 process) {
    process_ = process;
    begin_ = traveller_.ticks();
}

std::string Debuggee::program() {
    return process_ ? tasks_->program_of(memory()) : std::string();
}

std::vector<ThreadView> Debuggee::threads() {
    std::vector<ThreadView> result;
    if (process_) {
        for (const GuestThread& thread : tasks_->threads_of(*process_))
            result.push_back({.id = thread.thread,
                              .name = thread.name,
                              .vcpu = tasks_->vcpu_of(thread.task),
                              .task = thread.task});
    }
    for (unsigned i = 0; i < traveller_.machine().config().vcpu_count; ++i) {
        const GuestThread running = tasks_ == nullptr || tasks_->current(i) == 0
                                        ? GuestThread{}
                                        : tasks_->thread(tasks_->current(i));
        result.push_back({.id = kFirstVCPU + i,
                          .name = "CPU " + std::to_string(i) +
                                  (running.name.empty() ? "" : ", runs " + running.name),
                          .vcpu = i,
                          .task = 0});
    }
    return result;
}

std::optional<ThreadView> Debuggee::thread(u64 id) {
    for (ThreadView& thread : threads()) {
        if (thread.id == id)
            return std::move(thread);
    }
    return std::nullopt;
}

bool Debuggee::is_there() {
    return !process_ || memory() != 0;
}

bool Debuggee::is_mine(unsigned vcpu) {
    return process_ && tasks_->process_of(tasks_->current(vcpu)) == *process_;
}

u64 Debuggee::thread_on(unsigned vcpu) {
    return is_mine(vcpu) ? tasks_->thread(tasks_->current(vcpu)).thread : kFirstVCPU + vcpu;
}

u64 Debuggee::present_thread() {
    const unsigned turn = traveller_.machine().turn();
    if (is_mine(turn) || !process_)
        return thread_on(turn);
    return threads().front().id;
}

bool Debuggee::is_in_user_mode(const ThreadView& thread) {
    return thread.vcpu && traveller_.machine().vcpu(*thread.vcpu).state.cpl() == 3 &&
           tasks_ != nullptr && tasks_->current(*thread.vcpu) == thread.task;
}

RegisterValues Debuggee::registers(const ThreadView& thread) {
    machine::Machine& machine = traveller_.machine();
    cpu::VCPU& cpu = machine.vcpu(thread.vcpu.value_or(machine.turn()));
    RegisterValues values = registers_of(cpu.state, cpu.platform.task_priority(cpu.index));
    if (thread.task == 0 || is_in_user_mode(thread))
        return values;
    if (const std::optional<SavedRegisters> saved = tasks_->saved_registers(thread.task))
        set_saved(values, *saved);
    values.selectors[cpu::kDS] = values.selectors[cpu::kES] = 0;
    if (thread.vcpu) {
        values.gs_base = cpu.state.kernel_gs_base;
        return values;
    }
    values.selectors[cpu::kFS] = values.selectors[cpu::kGS] = 0;
    values.fs_base = tasks_->fs_base(thread.task);
    values.gs_base = tasks_->gs_base(thread.task);
    set_vectors(values, tasks_->saved_vectors(thread.task));
    return values;
}

u64 Debuggee::memory() {
    if (!process_)
        return 0;
    const unsigned turn = traveller_.machine().turn();
    if (is_mine(turn))
        return tasks_->memory_of(tasks_->current(turn));
    const std::optional<u64> task = tasks_->find_process(*process_);
    return task ? tasks_->memory_of(*task) : 0;
}

std::vector<u8> Debuggee::read(u64 address, u64 size) {
    std::vector<u8> result;
    size = std::min(size, kMostBytes);
    while (result.size() < size) {
        u8 page[kPageSize];
        const u64 at = address + result.size();
        if (!read_page(at & ~kPageMask, page))
            break;
        const u64 part = std::min(size - result.size(), kPageSize - (at & kPageMask));
        result.insert(result.end(), page + (at & kPageMask), page + (at & kPageMask) + part);
    }
    return result;
}

bool Debuggee::read_page(u64 address, std::span<u8> page) {
    machine::Machine& machine = traveller_.machine();
    const std::optional<u64> root =
        address < kUserEnd && process_ ? tasks_->page_table_of(memory()) : std::nullopt;
    u64 physical = 0;
    const bool present = root
                             ? cpu::probe_page_tables(machine.ram(), *root, address, physical)
                             : machine.mmu().probe(machine.vcpu(machine.turn()), address, physical);
    if (present)
        return machine.ram().read(PhysicalAddress(physical & ~kPageMask), page);
    return root && read_unmapped_page(address, page);
}

// The kernel's code for processes, if it is there that the process has it.
void Debuggee::copy_vdso(u64 address, std::span<u8> page) {
    const std::vector<u8> vector = tasks_->auxiliary_vector(memory());
    for (std::size_t at = 0; at + 2 * sizeof(u64) <= vector.size(); at += 2 * sizeof(u64)) {
        u64 entry[2];
        std::memcpy(entry, &vector[at], sizeof entry);
        if (entry[0] != AT_SYSINFO_EHDR || address < entry[1])
            continue;
        const u64 offset = address - entry[1];
        const auto vdso = tasks_->kernel().vdso();
        if (vdso && offset < vdso->bytes.size())
            std::copy_n(vdso->bytes.begin() + static_cast<std::ptrdiff_t>(offset),
                        std::min(kPageSize, vdso->bytes.size() - offset), page.begin());
    }
}

// What the process would find there: a page of a file, or zeros.
bool Debuggee::read_unmapped_page(u64 address, std::span<u8> page) {
    bool is_mapped = false;
    profile::LinuxKernel& kernel = tasks_->kernel();
    const std::optional<profile::FilePage> wanted =
        kernel.file_mapped_in(memory(), address, is_mapped);
    if (!is_mapped)
        return false;
    std::fill(page.begin(), page.end(), u8{0});
    if (!wanted) {
        copy_vdso(address, page);
        return true;
    }
    if (const std::optional<u64> cached = kernel.cached_page(*wanted, wanted->index))
        return traveller_.machine().ram().read(PhysicalAddress(*cached), page);
    const Result<std::vector<u8>> contents = file(kernel.path_of(*wanted));
    const u64 offset = wanted->index << kPageBits;
    if (!contents || offset >= contents->size())
        return false;
    std::copy_n(contents->begin() + static_cast<std::ptrdiff_t>(offset),
                std::min(kPageSize, contents->size() - offset), page.begin());
    return true;
}

std::vector<u8> Debuggee::auxiliary_vector() {
    return process_ ? tasks_->auxiliary_vector(memory()) : std::vector<u8>();
}

// As the guest's /proc/PID/maps has it.
std::vector<u8> Debuggee::mappings_text() {
    constexpr std::string_view kPermissions = "rwx";
    profile::LinuxKernel& kernel = tasks_->kernel();
    std::vector<u8> text;
    for (const auto& mapping : kernel.mappings_in(memory())) {
        std::string permissions;
        for (std::size_t i = 0; i < kPermissions.size(); ++i)
            permissions += (mapping.flags >> i & 1) != 0 ? kPermissions[i] : '-';
        permissions += (mapping.flags >> kPermissions.size() & 1) != 0 ? 's' : 'p';
        const u64 offset = mapping.file ? mapping.file->index << kPageBits : 0;
        const std::string line = hex_number(mapping.begin) + "-" + hex_number(mapping.end) + " " +
                                 permissions + " " + hex_number(offset) + " 00:00 " +
                                 std::to_string(mapping.file ? mapping.file->inode_number : 0) +
                                 " " + (mapping.file ? kernel.path_of(*mapping.file) : "") + "\n";
        text.insert(text.end(), line.begin(), line.end());
    }
    return text;
}

Result<std::vector<u8>> Debuggee::file(const std::string& path) {
    if (process_) {
        const std::string number = std::to_string(*process_), folder = "/proc/" + number;
        if (path == folder + "/maps" || path == folder + "/task/" + number + "/maps")
            return mappings_text();
    }
    const auto known = files_.find(path);
    if (known != files_.end())
        return known->second;
    Result<std::vector<u8>> contents = path == kKernelSymbols && tasks_ != nullptr
                                           ? Result(kernel_symbol_file(tasks_->kernel()))
                                           : read_file_(path);
    if (contents)
        files_.emplace(path, *contents);
    return contents;
}

}  // namespace uchronia::debug
