#include "profile/profiler.h"

#include <algorithm>

#include "base/check.h"
#include "machine/machine.h"
#include "profile/machine_view.h"

namespace uchronia::profile {
namespace {

constexpr std::size_t kDeepestStack = 256;
// A frame pointer is believed if the next frame is no further away.
constexpr u64 kLargestFrame = u64{1} << 20;

std::string number_in_brackets(u64 address) {
    return "[" + machine::to_hex_number(address) + "]";
}

}  // namespace

// A stack while it is walked.
struct Profiler::Walk {
    Registers registers;
    // Whether `registers.rip` is an instruction that is executed next, rather than a return
    // address, which may lie behind the end of a function that never returns.
    bool exact = true;
    bool user = false;
    std::vector<Frame> frames;

    u64 looked_up() const { return registers.rip - (exact ? 0 : 1); }
    bool full() const { return frames.size() >= kDeepestStack; }
};

Profiler::Profiler(const ProfilerOptions& options)
    : options_(options), profile_(options.interval_ticks) {
    CHECK(options.interval_ticks != 0);
}

Profiler::~Profiler() = default;

Ticks Profiler::next_stop(Ticks done) {
    const u64 first = std::max(done.value + 1, options_.from_tick.value);
    // A multiple beyond all ticks is as good as none.
    const u64 count = first / options_.interval_ticks + (first % options_.interval_ticks != 0);
    const u128 stop = u128{count} * options_.interval_ticks;
    return Ticks(stop > ~u64{0} ? ~u64{0} : static_cast<u64>(stop));
}

void Profiler::stopped(machine::Machine& machine, Ticks done, VirtualTime time) {
    // The run also stops for others.
    if (done.value % options_.interval_ticks == 0 && done >= options_.from_tick &&
        done < options_.to_tick && time >= options_.from_time && time < options_.to_time)
        take_sample(machine, done, time);
}

void Profiler::attach(machine::Machine& machine) {
    view_ = std::make_unique<MachineView>(machine);
    Result<std::unique_ptr<LinuxKernel>> kernel = LinuxKernel::find(*view_, view_->state().lstar);
    if (!kernel) {
        problem_ = "no names of functions and files: " + kernel.error().message;
        return;
    }
    kernel_ = std::move(*kernel);
    user_code_ = std::make_unique<UserCode>(*view_, *kernel_, options_.read_file);
    if (!kernel_->shortcoming().empty())
        problem_ = "no names of processes and files: " + kernel_->shortcoming();
}

std::vector<std::string> Profiler::remarks() const {
    std::vector<std::string> result;
    if (!problem_.empty())
        result.push_back(problem_);
    if (user_code_ == nullptr)
        return result;
    for (const std::string& path : user_code_->changed_files())
        result.push_back("no names of functions in " + path +
                         ": the file is gone or has changed since the run");
    return result;
}

void Profiler::take_sample(machine::Machine& machine, Ticks done, VirtualTime time) {
    if (view_ == nullptr)
        attach(machine);
    const cpu::CPUState& state = view_->state();
    Walk walk;
    std::copy_n(state.gpr.begin(), walk.registers.gpr.size(), walk.registers.gpr.begin());
    walk.registers.rip = state.rip;
    const SamplePlace place{done, time, machine.turn(), state.rip};
    walk.user = state.cpl() == 3;
    if (!walk.user)
        walk_kernel(walk);
    if (walk.user)
        walk_user(walk);
    const Sample sample{view_->process_name(kernel_.get()), std::move(walk.frames)};
    profile_.add(sample);
    if (call_)
        call_(place, sample);
}

// Up to the code that entered the kernel; then `walk.user` is set.
void Profiler::walk_kernel(Walk& walk) {
    while (!walk.full()) {
        const u64 address = walk.looked_up();
        const KernelFunction function = kernel_ == nullptr
                                            ? KernelFunction{nullptr, "[kernel]", std::nullopt}
                                            : kernel_->function_at(address);
        walk.frames.push_back({.symbol = function.symbol != nullptr ? function.symbol->name
                                                                    : number_in_brackets(address),
                               .object = function.object,
                               .mode = Mode::kKernel});
        if (!function.orc || !kernel_->orc_layout())
            return;
        const u64 stack_pointer = walk.registers.gpr[cpu::kRSP];
        const KernelStep step =
            step_by_orc(*view_, *kernel_->orc_layout(), *function.orc, walk.registers, walk.user);
        if (step == KernelStep::kEnd || walk.user)
            break;
        walk.exact = step == KernelStep::kSignal;
        if (walk.registers.rip == 0 || walk.registers.gpr[cpu::kRSP] == stack_pointer)
            return;
    }
    walk.exact = true;
}

Frame Profiler::user_frame(const std::optional<UserLocation>& location) const {
    if (!location)
        return {.symbol = "[not mapped]", .object = "[not mapped]", .mode = Mode::kUser};
    if (location->file == nullptr)
        return {.symbol = "[anon]", .object = "[anon]", .mode = Mode::kUser};
    const CodeFile& file = *location->file;
    Frame frame{.symbol = "[unknown]", .object = file.path, .mode = Mode::kUser};
    if (!location->address)
        return frame;
    const Symbol* const symbol = file.elf->symbols().find(*location->address);
    if (symbol != nullptr)
        // A name that a guest made up could take for ever to be taken apart.
        frame.symbol = file.on_host ? demangled(symbol->name) : symbol->name;
    else if (const std::optional<u64> start = file.frames.function_start(*location->address))
        frame.symbol = number_in_brackets(*start);
    return frame;
}

void Profiler::walk_user(Walk& walk) {
    while (!walk.full()) {
        const u64 address = walk.looked_up();
        const std::optional<UserLocation> location =
            user_code_ == nullptr ? UserLocation{} : user_code_->locate(0, address);
        // Where the stack leads nowhere, the walk has gone wrong or is at its end.
        const bool has_code = location && location->file != nullptr;
        const bool innermost = walk.frames.empty() || walk.frames.back().mode == Mode::kKernel;
        if (!has_code && !innermost && !location)
            return;
        walk.frames.push_back(user_frame(location));
        const u64 stack_pointer = walk.registers.gpr[cpu::kRSP];
        if (!step_user(walk, location, address) || walk.registers.rip == 0 ||
            walk.registers.gpr[cpu::kRSP] <= stack_pointer)
            return;
    }
}

bool Profiler::step_user(Walk& walk, const std::optional<UserLocation>& location, u64) {
    if (location && location->file != nullptr && location->address) {
        FrameTable::Kind kind = FrameTable::Kind::kCall;
        if (location->file->frames.step(*view_, *location->address, walk.registers, kind)) {
            walk.exact = kind == FrameTable::Kind::kSignal;
            return true;
        }
        // A function that says that it has no caller.
        if (location->file->frames.function_start(*location->address))
            return false;
    }
    u64 frame[2];  // the caller's frame pointer, the return address
    u64& rbp = walk.registers.gpr[cpu::kRBP];
    u64& rsp = walk.registers.gpr[cpu::kRSP];
    if (rbp % 8 != 0 || rbp < rsp || rbp - rsp > kLargestFrame || !view_->load(rbp, frame))
        return false;
    rsp = rbp + sizeof frame;
    rbp = frame[0];
    walk.registers.rip = frame[1];
    walk.exact = false;
    return true;
}

}  // namespace uchronia::profile
