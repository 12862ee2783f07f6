// One AMD64 computer: vCPUs, RAM and devices, run to an exact tick.
//
// A machine is a value: the same configuration, contents and decisions give the same state at the
// same tick. Virtual time is one nanosecond a tick of each vCPU that runs (virtual_clock.h), plus
// the idle time and the stalls that were jumped over.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "cpu/bus.h"
#include "cpu/interp/interpreter.h"
#include "cpu/jit/translator.h"
#include "cpu/mmu/mmu.h"
#include "cpu/model.h"
#include "cpu/vcpu.h"
#include "devices/acpi_power.h"
#include "devices/apic_bus.h"
#include "devices/cmos_rtc.h"
#include "devices/io_apic.h"
#include "devices/local_apic.h"
#include "devices/mmio_bus.h"
#include "devices/paravirtual_clock.h"
#include "devices/pci_configuration.h"
#include "devices/port_bus.h"
#include "devices/uart_16550.h"
#include "devices/virtio/mmio_transport.h"
#include "host/file_source.h"
#include "machine/calls.h"
#include "machine/decisions.h"
#include "machine/disk.h"
#include "machine/outside.h"
#include "machine/virtual_clock.h"
#include "memory/ram.h"

namespace uchronia::machine {

// Who executes instructions. Both give the same states.
enum class Engine : u8 {
    kTranslator,  // with the interpreter for what it leaves; the interpreter where the host cannot
    kInterpreter,
};

// What the host lacks for the engine, or null.
const char* missing_host_feature(Engine engine);

inline constexpr unsigned kMostVCPUs = VirtualClock::kMostShares;

struct MachineConfig {
    u64 memory_size = u64{1} << 30;  // bytes
    unsigned vcpu_count = 1;         // at most kMostVCPUs
    cpu::CPUModel cpu_model = cpu::CPUModel::kV3;
    Disk disk = {};
    Engine engine = Engine::kTranslator;  // not a property of the machine: never saved or hashed
    cpu::jit::TranslatorOptions translator = {};  // neither
};

// What a run needs beyond the machine's state; all references must outlive the run.
struct RunEnvironment {
    DecisionSource* decisions = nullptr;
    Outside* outside = nullptr;
    host::FileSource* files = nullptr;  // null: no files are shared
    std::vector<u8> request;            // encode_run_request
    CallSource* calls = nullptr;        // null: nobody calls the agent
};

enum class Stop : u8 {
    kTick,        // the tick that was asked for
    kTime,        // the virtual time that was asked for
    kReady,       // the agent waits for a run
    kExited,      // the command ended: exit_kind, exit_code
    kAgentPanic,  // the agent cannot go on: message
    kPowerOff,
    kReset,  // as after a kernel panic
    kTripleFault,
    kUnimplemented,  // message names the opcode and the address
    kIdle,           // every vCPU waits and no event will ever come
    kInterrupted,    // interrupt() was called
    kVisitEnded,     // the command of the last visit: exit_kind, exit_code
    kDebugger,       // at one of set_debug_stops: the hit is in there
};

struct StopReason {
    Stop stop = Stop::kTick;
    u64 exit_kind = 0;  // UchroniaExitKind
    u64 exit_code = 0;
    std::string message;
};

// What happened, for a message.
std::string description_of(const StopReason& reason);

// "0x…", for messages.
std::string to_hex_number(u64 value);

// A machine's state at a tick.
struct Checkpoint {
    std::shared_ptr<const memory::RAMSnapshot> ram;
    std::vector<u8> state;  // the canonical serialisation of all but RAM
};

class Machine final : private cpu::Platform,
                      private devices::InterruptListener,
                      private devices::CharacterSink,
                      private devices::EntropySource {
  public:
    Machine(memory::FrameStore& frames, const MachineConfig& config);
    ~Machine() override;

    const MachineConfig& config() const { return config_; }
    // Null if the interpreter does it all.
    const cpu::jit::Translator* translator() const { return translator_.get(); }
    // In what the host's processor differs from the machine's (docs/decisions/0012); nobody asks
    // where the interpreter does it all.
    std::string host_differences() const {
        return translator_ == nullptr ? "unknown" : translator_->differences().description();
    }
    // What the host lacks for the translator that the configuration asks for, or null.
    const char* missing_host_feature() const { return missing_host_feature_; }
    memory::RAM& ram() { return *ram_; }
    cpu::VCPU& vcpu(unsigned index) { return *vcpus_[index]; }
    cpu::MMU& mmu() { return *mmu_; }

    // The physical addresses and interrupts of the virtio devices, for the ACPI tables.
    struct VirtioSlot {
        PhysicalAddress base;
        unsigned interrupt;
    };
    const std::vector<VirtioSlot>& virtio_slots() const { return virtio_slots_; }

    // Puts a boot's initial state into vCPU 0.
    void set_boot_state(const cpu::CPUState& state);

    // From now on the machine is run with this environment. Preemption is decided by the tape only
    // after start_preemption.
    void set_environment(RunEnvironment environment);
    void start_preemption();

    // Runs until `tick` (exactly) or `time`, or to an earlier stop.
    StopReason run(Ticks tick, VirtualTime time = kNever);
    // Makes run() return soon; may be called by a signal handler.
    void interrupt() { interrupted_ = true; }

    Ticks ticks() const { return ticks_; }
    VirtualTime now() const { return time_.now(); }
    // The same, and exact while run() is on the stack: in a call of Outside or of a source.
    Ticks present_tick() const;
    VirtualTime present_time() const { return time_in_run(); }
    const CallCounters& calls() const { return calls_; }
    u64 holds_begun() const { return holds_; }
    // The vCPU whose turn it is.
    unsigned turn() const { return turn_; }

    void fields(FieldVisitor& v);
    // The digest of everything that the guest can see.
    Digest state_digest();
    // The same in its two parts, and the digest of each component for a difference.
    Digest ram_digest() { return ram_->digest(); }

    Checkpoint checkpoint();
    // From a checkpoint of a machine of the same configuration.
    Status restore(const Checkpoint& checkpoint);

    // Where runs stop for a debugger; null: nowhere. It must outlive its use, and this is to be
    // called again when its places have changed. Changes nothing but where a run stops.
    void set_debug_stops(cpu::DebugStops* stops);

    // Forgets all caches of the engines (tests: must not change any result).
    void drop_caches();
    // Goes on with the other engine, between two runs (tests: must not change any result). One that
    // the host cannot run, or that config() did not ask for, leaves the interpreter.
    void set_engine(Engine engine);
    // Translates code when it has been come to so many times (tests: must not change any result).
    void set_heat_threshold(u8 count);

    struct Statistics {
        u64 decoded_instructions = 0;
        cpu::MMU::Counters mmu;
        u64 interpreted_ticks = 0;  // by the interpreter's own blocks
        bool translates = false;
        bool timed = false;  // MachineConfig::translator
        cpu::jit::Translator::Counters translator;
        cpu::jit::CodeStore::Counters code;
        std::vector<std::pair<u16, u64>> unknown_ports;
        std::vector<std::pair<u32, u64>> unknown_msrs;
        u64 interrupts = 0, idle_jumps = 0, stalls = 0, holds = 0, turns = 0, device_accesses = 0;
        std::array<u64, kDecisionKinds> decisions{};
    };
    Statistics statistics() const;

  private:
    class FileSlot;

    // cpu::Platform.
    u32 port_read(unsigned vcpu, u16 port, unsigned size) override;
    void port_write(unsigned vcpu, u16 port, unsigned size, u32 value) override;
    u64 mmio_read(unsigned vcpu, u64 address, unsigned size) override;
    void mmio_write(unsigned vcpu, u64 address, unsigned size, u64 value) override;
    cpu::MSRResult msr_read(unsigned vcpu, u32 index, u64& value) override;
    cpu::MSRResult msr_write(unsigned vcpu, u32 index, u64 value) override;
    u64 task_priority(unsigned vcpu) override;
    void set_task_priority(unsigned vcpu, u64 value) override;
    bool interrupt_pending(unsigned vcpu) override;
    u8 acknowledge_interrupt(unsigned vcpu) override;
    u64 time_stamp(unsigned vcpu) override;
    u64 entropy() override;
    void hypercall(unsigned vcpu) override;
    void pause(unsigned vcpu) override;

    void interrupt_arrived(u32 apic_id) override;                 // InterruptListener
    void put(u8 byte) override;                                   // CharacterSink
    u64 next() override { return draw(DecisionKind::kEntropy); }  // EntropySource

    void add_virtio(std::unique_ptr<devices::VirtioDevice> device);
    template <class Function>
    void for_each_device(Function function);

    u64 draw(DecisionKind kind);
    // turns.cc
    struct TurnOfVCPU {
        bool waits_for_start = false;  // for a start-up message, as it has had an INIT
        VirtualTime held_until;

        void fields(FieldVisitor& v);
    };
    void plan_stall();
    void stall();
    void hold_up(unsigned index, VirtualTime length);
    void plan_hold();
    void hold();
    // calls.cc
    const Call* call_at(u64 index) const;
    void plan_call();
    bool call_is_due() const { return ticks_.value >= next_call_tick_ && now() >= next_call_time_; }
    VirtualTime next_call_event() const;
    void give_call();
    u64 take_call(cpu::VCPU& cpu);
    u64 end_visit(cpu::VCPU& cpu);
    u64 give_visit_input(cpu::VCPU& cpu, u64 size);

    bool is_woken(unsigned index);
    bool can_run(unsigned index);
    unsigned count_running();
    VirtualTime earliest_release() const;
    void take_turns();
    void end_turn_by_pause();
    void follow_start_messages();
    bool skip_idle_time(VirtualTime time, StopReason& reason);

    VirtualTime time_in_run() const;
    VirtualTime earliest_event();
    void run_due_events();
    void stop_after_this_instruction();
    void after_device_access();
    u64 plan_budget(Ticks tick, VirtualTime time);
    bool follow_stop(const cpu::interp::RunResult& result, StopReason& reason);
    bool take_request(StopReason& reason);
    Status check_restored() const;

    // hypercalls.cc
    u64 call(cpu::VCPU& cpu, u64 function);
    u64 give_run(cpu::VCPU& cpu);
    u64 take_output(cpu::VCPU& cpu);
    u64 give_input(cpu::VCPU& cpu);
    u64 give_entropy(cpu::VCPU& cpu);
    u64 take_files(cpu::VCPU& cpu);
    u64 take_text(cpu::VCPU& cpu, u64 address, u64 size, std::string& text);
    void request_stop(StopReason reason);

    const MachineConfig config_;
    std::unique_ptr<memory::RAM> ram_;
    std::unique_ptr<cpu::MMU> mmu_;
    std::vector<std::unique_ptr<cpu::VCPU>> vcpus_;
    std::unique_ptr<cpu::interp::Interpreter> interpreter_;
    std::unique_ptr<cpu::jit::Translator> translator_;  // null: the interpreter does it all
    const char* missing_host_feature_ = nullptr;

    devices::APICBus apic_bus_;
    std::vector<std::unique_ptr<devices::LocalAPIC>> local_apics_;
    std::unique_ptr<devices::IOAPIC> io_apic_;
    std::unique_ptr<devices::UART16550> uart_;
    std::unique_ptr<devices::ParavirtualClock> clock_;
    std::unique_ptr<devices::ACPIPower> power_;
    std::unique_ptr<devices::CMOSRTC> rtc_;
    std::unique_ptr<devices::PCIConfiguration> pci_;
    std::unique_ptr<FileSlot> files_;
    std::vector<std::unique_ptr<devices::VirtioMMIO>> virtio_;
    std::vector<VirtioSlot> virtio_slots_;
    devices::PortBus ports_;
    devices::MMIOBus mmio_;

    RunEnvironment environment_;

    // Guest-visible state beyond the chips.
    Ticks ticks_;
    VirtualClock time_;
    u64 next_stall_ = ~u64{0};                 // tick
    u64 holds_ = 0;                            // of the tape's, that have begun
    u32 turn_ = 0;                             // vCPU
    u64 turn_start_ = 0, turn_end_ = ~u64{0};  // ticks
    u32 spins_ = 0;  // turns in a row in which vCPUs did nothing but wait for each other
    std::vector<TurnOfVCPU> turns_;
    u64 input_offset_ = 0;
    CallCounters calls_;
    DecisionCounters decisions_;

    cpu::DebugStops* debug_stops_ = nullptr;

    // Of the present run() only.
    const cpu::VCPU* running_ = nullptr;
    u64 next_hold_ = ~u64{0};  // tick
    // Where a call is due.
    u64 next_call_tick_ = ~u64{0};
    VirtualTime next_call_time_ = kNever;
    VirtualTime planned_end_ = kNever;
    unsigned shares_ = 1;  // vCPUs that run at once
    bool yields_ = false;  // the running vCPU gives up the rest of its turn
    u64 idle_jumps_in_a_row_ = 0;
    bool stop_requested_ = false;
    StopReason requested_;
    volatile bool interrupted_ = false;

    Statistics statistics_;
    std::map<u32, u64> unknown_msrs_;
};

}  // namespace uchronia::machine
