#include "machine/machine.h"

#include <algorithm>

#include "base/check.h"
#include "base/state_io.h"
#include "devices/virtio/block.h"
#include "devices/virtio/entropy.h"
#include "devices/virtio/file_system.h"
#include "machine/canary.h"
#include "machine/file_slot.h"

namespace uchronia::machine {
namespace {

constexpr u64 kVirtioBase = 0xd000'0000;
constexpr unsigned kFirstVirtioInterrupt = 5;
constexpr std::string_view kHostTag = "host";
constexpr std::string_view kDiskSerial = "uchronia-disk";

}  // namespace

std::string description_of(const StopReason& reason) {
    static constexpr const char* kTexts[] = {
        "the tick limit was reached",
        "the virtual time limit was reached",
        "the agent waits for a run",
        "the command ended",
        "the agent cannot go on",
        "the machine was switched off",
        "the machine was reset (as after a kernel panic)",
        "triple fault",
        "the guest used something that Uchronia does not implement",
        "the machine is idle for ever",
        "interrupted",
        "the command of a visit ended",
        "a debugger stops here",
    };
    const std::string text = kTexts[static_cast<std::size_t>(reason.stop)];
    return reason.message.empty() ? text : text + ": " + reason.message;
}

const char* missing_host_feature(Engine engine) {
    return engine == Engine::kTranslator ? cpu::jit::Translator::missing_host_feature() : nullptr;
}

Machine::Machine(memory::FrameStore& frames, const MachineConfig& config)
    : Platform(config.cpu_model),
      config_(config),
      ram_(std::make_unique<memory::RAM>(frames, config.memory_size)),
      mmu_(std::make_unique<cpu::MMU>(*ram_)),
      interpreter_(std::make_unique<cpu::interp::Interpreter>(*mmu_)),
      io_apic_(std::make_unique<devices::IOAPIC>(apic_bus_)),
      power_(std::make_unique<devices::ACPIPower>()),
      files_(std::make_unique<FileSlot>()),
      turns_(config.vcpu_count) {
    using devices::LocalAPIC;
    ram_->set_observer(*mmu_);
    if (config.engine == Engine::kTranslator) {
        const cpu::jit::Binder binder{cpu::interp::bound_op, cpu::interp::end_of_block};
        translator_ =
            cpu::jit::Translator::create(*mmu_, binder, missing_host_feature_, config.translator);
        interpreter_->set_translated_code(translator_.get());
    }
    apic_bus_.connect(*io_apic_);
    CHECK(config.vcpu_count >= 1 && config.vcpu_count <= kMostVCPUs);
    if (config.vcpu_count > 1)
        turn_end_ = 0;
    for (unsigned i = 0; i < config.vcpu_count; ++i) {
        const auto role =
            i == 0 ? LocalAPIC::Role::kBootProcessor : LocalAPIC::Role::kApplicationProcessor;
        LocalAPIC& apic =
            *local_apics_.emplace_back(std::make_unique<LocalAPIC>(i, role, apic_bus_));
        apic.set_listener(this);
        apic_bus_.connect(apic);
        cpu::Platform& platform = *this;
        vcpus_.push_back(std::make_unique<cpu::VCPU>(i, *mmu_, platform));
        mmu_->add_vcpu(*vcpus_.back());
        interpreter_->add_vcpu(*vcpus_.back());
        if (translator_ != nullptr)
            translator_->add_vcpu(*vcpus_.back());
        turns_[i].waits_for_start = i != 0;
    }
    const u64 start_date = devices::ParavirtualClock::kDefaultStartDate;
    clock_ = std::make_unique<devices::ParavirtualClock>(*ram_, config.vcpu_count, start_date);
    rtc_ = std::make_unique<devices::CMOSRTC>(start_date);
    devices::CharacterSink& console = *this;
    devices::EntropySource& entropy_source = *this;
    uart_ = std::make_unique<devices::UART16550>(
        console, io_apic_->line(devices::UART16550::kCOM1Interrupt));
    ports_.add(devices::UART16550::kCOM1, devices::UART16550::kPortCount, *uart_);
    ports_.add(devices::ACPIPower::kDefaultBase, devices::ACPIPower::kPortCount, *power_);
    ports_.add(devices::CMOSRTC::kDefaultBase, devices::CMOSRTC::kPortCount, *rtc_);
    pci_ = std::make_unique<devices::PCIConfiguration>();
    ports_.add(devices::PCIConfiguration::kDefaultBase, devices::PCIConfiguration::kPortCount,
               *pci_);
    mmio_.add(PhysicalAddress(devices::IOAPIC::kDefaultBase), devices::IOAPIC::kSize, *io_apic_);
    add_virtio(std::make_unique<devices::VirtioEntropy>(entropy_source));
    add_virtio(std::make_unique<devices::VirtioFileSystem>(*files_, kHostTag));
    if (config.disk.image != nullptr)
        add_virtio(std::make_unique<devices::VirtioBlock>(
            image_of(config.disk), devices::VirtioBlock::Access::kReadWrite, kDiskSerial));
}

Machine::~Machine() = default;

void Machine::add_virtio(std::unique_ptr<devices::VirtioDevice> device) {
    const unsigned index = static_cast<unsigned>(virtio_.size());
    const PhysicalAddress base(kVirtioBase + index * kPageSize);
    const unsigned interrupt = kFirstVirtioInterrupt + index;
    virtio_.push_back(
        std::make_unique<devices::VirtioMMIO>(std::move(device), *ram_, io_apic_->line(interrupt)));
    mmio_.add(base, devices::VirtioMMIO::kSize, *virtio_.back());
    virtio_slots_.push_back({base, interrupt});
}

template <class Function>
void Machine::for_each_device(Function function) {
    for (const auto& apic : local_apics_)
        function(*apic);
    function(*io_apic_);
    function(*uart_);
    function(*clock_);
    function(*power_);
    function(*rtc_);
    function(*pci_);
    for (const auto& device : virtio_)
        function(*device);
}

void Machine::set_boot_state(const cpu::CPUState& state) {
    cpu::VCPU& boot = *vcpus_[0];
    boot.state = state;
    mmu_->update_context(boot);
    // A firmware gives all of them the same memory types.
    for (const auto& cpu : vcpus_) {
        cpu->state.mtrr_default_type = state.mtrr_default_type;
        cpu->state.mtrr_variable = state.mtrr_variable;
        cpu->state.mtrr_fixed = state.mtrr_fixed;
    }
}

void Machine::set_environment(RunEnvironment environment) {
    environment_ = std::move(environment);
    files_->set(environment_.files);
}

u64 Machine::draw(DecisionKind kind) {
    CHECK(environment_.decisions != nullptr);
    u64& drawn = decisions_.drawn[static_cast<std::size_t>(kind)];
    const u64 word = environment_.decisions->word(kind, drawn++, present_tick());
    return kind == DecisionKind::kEntropy ? with_canary(word) : word;
}

VirtualTime Machine::earliest_event() {
    VirtualTime earliest = kNever;
    for (const auto& apic : local_apics_)
        earliest = std::min(earliest, apic->next_event());
    return earliest;
}

void Machine::run_due_events() {
    for (const auto& apic : local_apics_)
        apic->run_events(now());
}

u64 Machine::plan_budget(Ticks tick, VirtualTime time) {
    planned_end_ = std::min({earliest_event(), earliest_release(), next_call_event(), time});
    u64 budget = std::min({tick.value, next_stall_, next_hold_, turn_end_}) - ticks_.value;
    if (next_call_tick_ > ticks_.value)
        budget = std::min(budget, next_call_tick_ - ticks_.value);
    if (planned_end_ != kNever)
        budget = std::min(budget, time_.ticks_until(planned_end_, shares_));
    return budget;
}

StopReason Machine::run(Ticks tick, VirtualTime time) {
    CHECK(environment_.outside != nullptr && environment_.decisions != nullptr);
    interrupted_ = false;
    idle_jumps_in_a_row_ = 0;
    if (debug_stops_ != nullptr)
        debug_stops_->begin_run(ticks_.value);
    plan_hold();
    plan_call();
    interpreter_->begin();
    StopReason reason;
    while (ticks_ < tick) {
        if (interrupted_)
            return {.stop = Stop::kInterrupted, .message = {}};
        run_due_events();
        follow_start_messages();
        if (now() >= time)
            return {.stop = Stop::kTime, .message = {}};
        if (call_is_due()) {
            give_call();
            continue;
        }
        if (ticks_.value >= next_stall_) {
            stall();
            continue;
        }
        if (ticks_.value >= next_hold_) {
            hold();
            continue;
        }
        shares_ = count_running();
        if (shares_ == 0) {
            if (skip_idle_time(time, reason))
                return reason;
            continue;
        }
        take_turns();
        cpu::VCPU& cpu = *vcpus_[turn_];
        const u64 budget = plan_budget(tick, time);
        running_ = &cpu;
        yields_ = false;
        cpu.clock = time_.run_clock(shares_);
        if (debug_stops_ != nullptr)
            debug_stops_->set_tick(ticks_.value);
        const cpu::interp::RunResult result = interpreter_->run(cpu, budget);
        running_ = nullptr;
        ticks_ += Ticks(result.ticks);
        time_.advance(result.ticks, shares_);
        if (yields_)
            end_turn_by_pause();
        if (result.ticks != 0)
            idle_jumps_in_a_row_ = 0;
        if (follow_stop(result, reason))
            return reason;
        if (debug_stops_ != nullptr && debug_stops_->has_hit())
            return {.stop = Stop::kDebugger, .message = {}};
    }
    return {.stop = Stop::kTick, .message = {}};
}

// True if the machine's run ends, for `reason`.
bool Machine::follow_stop(const cpu::interp::RunResult& result, StopReason& reason) {
    if (take_request(reason))
        return true;
    const cpu::VCPU& cpu = *vcpus_[turn_];
    switch (result.stop) {
        case cpu::interp::Stop::kBudget:
        case cpu::interp::Stop::kRequested:
        case cpu::interp::Stop::kHalted:
            return false;
        case cpu::interp::Stop::kShutdown:
            reason = {.stop = Stop::kTripleFault,
                      .message = "triple fault at " + to_hex_number(cpu.state.rip)};
            return true;
        case cpu::interp::Stop::kUnimplemented:
            reason = {
                .stop = Stop::kUnimplemented,
                .message = std::string(cpu.unimplemented) + " at " + to_hex_number(cpu.state.rip)};
            return true;
    }
    CHECK(false);
}

bool Machine::take_request(StopReason& reason) {
    switch (power_->request()) {
        case devices::PowerRequest::kOff:
            requested_ = {.stop = Stop::kPowerOff, .message = {}};
            stop_requested_ = true;
            break;
        case devices::PowerRequest::kReset:
            requested_ = {.stop = Stop::kReset, .message = {}};
            stop_requested_ = true;
            break;
        case devices::PowerRequest::kNone:
            break;
    }
    if (!stop_requested_)
        return false;
    power_->clear_request();
    stop_requested_ = false;
    reason = requested_;
    return true;
}

void Machine::fields(FieldVisitor& v) {
    v("ticks", ticks_);
    v("time", time_);
    v("turn", turn_);
    v("turn_start", turn_start_);
    v("turn_end", turn_end_);
    v("spins", spins_);
    for (std::size_t i = 0; i < turns_.size(); ++i)
        v("turn_of_cpu" + std::to_string(i), turns_[i]);
    v("next_stall", next_stall_);
    v("holds", holds_);
    v("input_offset", input_offset_);
    v("calls", calls_);
    v("decisions", decisions_);
    for (const auto& cpu : vcpus_)
        v("cpu" + std::to_string(cpu->index), cpu->state);
    for_each_device([&](devices::Device& device) { v(device.name(), device); });
}

Digest Machine::state_digest() {
    const Digest parts[2] = {ram_->digest(), hash_of(*this)};
    return digest_of({reinterpret_cast<const u8*>(parts), sizeof parts});
}

Checkpoint Machine::checkpoint() {
    SavingVisitor saving;
    fields(saving);
    return {ram_->snapshot(), saving.take()};
}

Status Machine::restore(const Checkpoint& checkpoint) {
    LoadingVisitor loading(checkpoint.state);
    fields(loading);
    if (Status status = loading.status(); !status)
        return status;
    if (Status status = check_restored(); !status)
        return status;
    ram_->restore(checkpoint.ram);
    for (const auto& cpu : vcpus_)
        mmu_->update_context(*cpu);
    return {};
}

// What no machine ever comes to between two instructions, and what run() relies on; devices and
// CPUs are well defined in any state.
Status Machine::check_restored() const {
    constexpr u64 kLatest = u64{1} << 62;
    if (ticks_.value > kLatest || !time_.is_sound())
        return Error{"saved state: the machine's time is impossible"};
    if (next_stall_ < ticks_.value)
        return Error{"saved state: the next stall lies in the past"};
    if (turn_ >= vcpus_.size() || turn_start_ > ticks_.value || turn_end_ < ticks_.value)
        return Error{"saved state: it is no CPU's turn"};
    if (power_->request() != devices::PowerRequest::kNone)
        return Error{"saved state: a power request was left open"};
    if (calls_.taken > calls_.given || calls_.begun > calls_.given)
        return Error{"saved state: more calls were taken than given"};
    for (const auto& cpu : vcpus_) {
        if (cpu->state.halted && cpu->state.interrupt_shadow)
            return Error{"saved state: a CPU is halted inside an instruction"};
    }
    return {};
}

void Machine::drop_caches() {
    mmu_->drop_caches_and_code();
    interpreter_->drop_caches();
}

void Machine::set_debug_stops(cpu::DebugStops* stops) {
    debug_stops_ = stops;
    mmu_->set_debug_stops(stops);
    interpreter_->set_debug_stops(stops);
    if (translator_ != nullptr)
        translator_->set_debug_stops(stops);
    mmu_->drop_caches();  // and with them the keys under which translated code is linked
}

void Machine::set_engine(Engine engine) {
    interpreter_->set_translated_code(engine == Engine::kTranslator ? translator_.get() : nullptr);
}

void Machine::set_heat_threshold(u8 count) {
    if (translator_ != nullptr)
        translator_->set_heat_threshold(count);
}

Machine::Statistics Machine::statistics() const {
    Statistics result = statistics_;
    result.decoded_instructions = interpreter_->decoded_count();
    result.mmu = mmu_->counters();
    result.interpreted_ticks = interpreter_->interpreted_ticks();
    if (translator_ != nullptr) {
        result.translates = true;
        result.timed = config_.translator.clock != nullptr;
        result.translator = translator_->counters();
        result.code = translator_->code();
    }
    result.decisions = decisions_.drawn;
    const auto& ports = ports_.unknown_accesses();
    result.unknown_ports.assign(ports.begin(), ports.end());
    result.unknown_msrs.assign(unknown_msrs_.begin(), unknown_msrs_.end());
    return result;
}

}  // namespace uchronia::machine
