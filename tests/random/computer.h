// A small bare computer: one vCPU, RAM, no devices; a time that is the tick, and interrupts that
// the test injects. It runs with the interpreter alone or with the translator, and what a test
// disturbs it with (dropped caches, checkpoints, other engines) must not change anything.
#pragma once

#include <memory>
#include <vector>

#include "base/hash.h"
#include "base/state_io.h"
#include "cpu/interp/interpreter.h"
#include "cpu/jit/translator.h"
#include "cpu/mmu/mmu.h"
#include "cpu/vcpu.h"
#include "memory/ram.h"

namespace uchronia::random {

// What a computer starts with.
struct Image {
    struct Part {
        u64 address;  // physical
        std::vector<u8> bytes;
    };
    std::vector<Part> parts;
    cpu::CPUState state;
};

enum class Engine : u8 { kInterpreter, kTranslator };

class Computer final : private cpu::Platform {
  public:
    Computer();
    ~Computer() override;

    // Null, or what the host lacks.
    const char* missing_host_feature() const { return missing_; }

    void load(const Image& image);
    // Goes on with the memory as it is, from another state, at tick 0.
    void restart(const cpu::CPUState& state);
    void set_engine(Engine engine);
    void set_heat_threshold(u8 count);

    // At most `ticks`; shorter only if the guest came to an end: `ended`.
    void run(u64 ticks);
    bool ended() const { return ended_; }
    cpu::interp::Stop stop() const { return stop_; }
    u64 ticks() const { return ticks_; }
    // Becomes pending now. Vector 2 is the NMI.
    void interrupt(u8 vector);

    Digest digest();
    std::vector<FieldValue> state_fields();
    cpu::VCPU& vcpu() { return *cpu_; }
    cpu::MMU& mmu() { return *mmu_; }
    memory::RAM& ram() { return *ram_; }
    memory::FrameStore& frames() { return frames_; }
    const cpu::jit::Translator* translator() const { return translator_.get(); }
    // Ticks that no translated code has run.
    u64 interpreted_ticks() const { return interpreter_->interpreted_ticks(); }

    // Whether the time follows from the ticks of a run, or the computer must be asked for it.
    enum class Time : u8 { kCounted, kShared, kAsked };  // kShared: with two more vCPUs
    void set_time(Time time) { time_ = time; }

    struct Checkpoint {
        std::shared_ptr<const memory::RAMSnapshot> ram;
        std::vector<u8> state;
    };
    Checkpoint checkpoint();
    void restore(const Checkpoint& checkpoint);

    // Forget what is cached.
    void drop_caches();
    void drop_translations();
    void drop_mappings();

    void fields(FieldVisitor& v);

  private:
    u32 port_read(unsigned vcpu, u16 port, unsigned size) override;
    void port_write(unsigned, u16 port, unsigned, u32 value) override;
    u64 mmio_read(unsigned vcpu, u64 address, unsigned size) override;
    void mmio_write(unsigned, u64 address, unsigned, u64 value) override;
    bool msr_read(unsigned, u32, u64&) override { return false; }
    bool msr_write(unsigned, u32, u64) override { return false; }
    u64 task_priority(unsigned) override { return task_priority_; }
    void set_task_priority(unsigned, u64 value) override { task_priority_ = value & 15; }
    bool interrupt_pending(unsigned) override { return pending_ != 0; }
    u8 acknowledge_interrupt(unsigned) override;
    u64 time_stamp(unsigned vcpu) override;
    cpu::RunClock clock_after(u64 ticks) const;
    u64 entropy() override { return outside(0); }
    void hypercall(unsigned) override { outside(1); }
    void pause(unsigned) override {}

    u64 outside(u64 what);

    memory::FrameStore frames_;
    std::unique_ptr<memory::RAM> ram_;
    std::unique_ptr<cpu::MMU> mmu_;
    std::unique_ptr<cpu::VCPU> cpu_;
    std::unique_ptr<cpu::interp::Interpreter> interpreter_;
    std::unique_ptr<cpu::jit::Translator> translator_;
    const char* missing_ = nullptr;
    Engine engine_ = Engine::kInterpreter;
    Time time_ = Time::kCounted;
    bool translated_ = false;  // there may be translations
    std::shared_ptr<const memory::RAMSnapshot> empty_;

    // Guest-visible.
    u64 ticks_ = 0;
    u64 outside_ = 0;  // a digest of everything that came and went
    u64 task_priority_ = 0;
    u8 pending_ = 0;  // vector
    bool ended_ = false;
    cpu::interp::Stop stop_ = cpu::interp::Stop::kBudget;
};

}  // namespace uchronia::random
