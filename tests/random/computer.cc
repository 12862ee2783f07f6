#include "tests/random/computer.h"

#include "base/check.h"
#include "cpu/interp/block_cache.h"

namespace uchronia::random {

using namespace cpu;

namespace {

constexpr u64 kSize = u64{2} << 20;
constexpr std::size_t kCodeAreaSize = std::size_t{256} << 10;  // often full

u64 mixed(u64 z) {  // splitmix64
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

}  // namespace

Computer::Computer()
    : ram_(std::make_unique<memory::RAM>(frames_, kSize)),
      mmu_(std::make_unique<MMU>(*ram_)),
      cpu_(new VCPU(0, *mmu_, *this)),
      interpreter_(std::make_unique<interp::Interpreter>(*mmu_)) {
    ram_->set_observer(*mmu_);
    mmu_->add_vcpu(*cpu_);
    interpreter_->add_vcpu(*cpu_);
    const jit::Binder binder{interp::bound_op, interp::end_of_block};
    // The second time that a case runs, its translations come from the library.
    translator_ = jit::Translator::create(
        *mmu_, binder, missing_,
        {.library = std::make_shared<jit::CodeLibrary>(), .code_area_size = kCodeAreaSize});
    if (translator_ != nullptr)
        translator_->add_vcpu(*cpu_);
    empty_ = ram_->snapshot();
}

Computer::~Computer() = default;

void Computer::load(const Image& image) {
    ram_->restore(empty_);
    for (const Image::Part& part : image.parts)
        CHECK(ram_->write(PhysicalAddress(part.address), part.bytes));
    restart(image.state);
    drop_caches();
}

void Computer::restart(const CPUState& state) {
    cpu_->state = state;
    cpu_->exit = Exit::kNone;
    ticks_ = outside_ = task_priority_ = 0;
    pending_ = 0;
    ended_ = false;
    stop_ = interp::Stop::kBudget;
    mmu_->update_context(*cpu_);
    interpreter_->begin();
}

void Computer::set_engine(Engine engine) {
    engine_ = engine;
    translated_ |= engine == Engine::kTranslator;
    interpreter_->set_translated_code(engine == Engine::kTranslator ? translator_.get() : nullptr);
}

void Computer::set_heat_threshold(u8 count) {
    if (translator_ != nullptr)
        translator_->set_heat_threshold(count);
}

void Computer::run(u64 ticks) {
    while (ticks != 0 && !ended_) {
        cpu_->clock = time_ == Time::kAsked ? RunClock{} : clock_after(ticks_);
        const interp::RunResult result = interpreter_->run(*cpu_, ticks);
        ticks_ += result.ticks;
        ticks -= result.ticks;
        stop_ = result.stop;
        ended_ = stop_ != interp::Stop::kBudget && stop_ != interp::Stop::kRequested;
    }
}

void Computer::interrupt(u8 vector) {
    if (vector == 2)
        cpu_->state.nmi_pending = true;
    else
        pending_ = vector;
}

u8 Computer::acknowledge_interrupt(unsigned) {
    const u8 vector = pending_;
    pending_ = 0;
    return vector;
}

u64 Computer::outside(u64 what) {
    outside_ = mixed(outside_ + 0x9e3779b97f4a7c15 * (what + 1));
    return outside_;
}

u32 Computer::port_read(unsigned vcpu, u16 port, unsigned size) {
    return static_cast<u32>(outside(time_stamp(vcpu) << 20 | u64{port} << 4 | size));
}
void Computer::port_write(unsigned vcpu, u16 port, unsigned size, u32 value) {
    outside(time_stamp(vcpu) << 20 ^ (u64{value} << 30 | u64{port} << 4 | size));
}
u64 Computer::mmio_read(unsigned vcpu, u64 address, unsigned size) {
    return outside(time_stamp(vcpu) << 40 ^ (address << 4 | size));
}
void Computer::mmio_write(unsigned vcpu, u64 address, unsigned size, u64 value) {
    outside(time_stamp(vcpu) << 40 ^ (address << 4 | size) ^ mixed(value));
}

u64 Computer::time_stamp(unsigned) {
    return clock_after(ticks_ + interpreter_->ticks_before_current(*cpu_)).start;
}

cpu::RunClock Computer::clock_after(u64 ticks) const {
    constexpr u64 kBeginning = 1000;
    if (time_ != Time::kShared)
        return {.start = kBeginning + ticks};
    const u64 parts = ticks * (RunClock::kParts / 3);
    return {.start = kBeginning + parts / RunClock::kParts,
            .parts = static_cast<u32>(parts % RunClock::kParts),
            .parts_of_tick = RunClock::kParts / 3};
}

void Computer::fields(FieldVisitor& v) {
    v("cpu", cpu_->state);
    v("ticks", ticks_);
    v("outside", outside_);
    v("task_priority", task_priority_);
    v("pending", pending_);
    v("ended", ended_);
    v("stop", stop_);
}

Digest Computer::digest() {
    const Digest parts[2] = {hash_of(*this), ram_->digest()};
    return digest_of({reinterpret_cast<const u8*>(parts), sizeof parts});
}

std::vector<FieldValue> Computer::state_fields() {
    ListingVisitor listing;
    fields(listing);
    return listing.values();
}

Computer::Checkpoint Computer::checkpoint() {
    SavingVisitor saving;
    fields(saving);
    return {ram_->snapshot(), saving.take()};
}

void Computer::restore(const Checkpoint& checkpoint) {
    LoadingVisitor loading(checkpoint.state);
    fields(loading);
    CHECK(loading.status().ok());
    mmu_->update_context(*cpu_);
    ram_->restore(checkpoint.ram);
    interpreter_->begin();
}

void Computer::drop_caches() {
    mmu_->drop_caches_and_code();
    interpreter_->drop_caches();  // and those of its translator
    if (engine_ == Engine::kInterpreter)
        drop_translations();
}

void Computer::drop_translations() {
    if (translator_ != nullptr && translated_)
        translator_->drop_caches();
    translated_ = engine_ == Engine::kTranslator;
}

void Computer::drop_mappings() {
    mmu_->drop_caches();
}

}  // namespace uchronia::random
