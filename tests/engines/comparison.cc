#include "tests/engines/comparison.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iomanip>
#include <sstream>

namespace uchronia::engines {

using random::Computer;
using random::Engine;

namespace {

constexpr u64 kMostTicks = 400;

Bytes with_live_flags(const Bytes& body) {
    Bytes code = {0x4d, 0x01, 0xf5};  // ADD R13, R14
    code.insert(code.end(), body.begin(), body.end());
    code.insert(code.end(), {0x9c, 0x41, 0x5f});  // PUSHF; POP R15
    return code;
}

std::string hex(const Bytes& bytes) {
    std::ostringstream out;
    for (const u8 byte : bytes)
        out << ' ' << std::hex << std::setw(2) << std::setfill('0') << unsigned{byte};
    return out.str();
}

u64 executed_by_function(const Computer& computer, cpu::Instruction instruction) {
    const auto& counts = computer.translator()->counters().by_instruction;
    return counts[static_cast<std::size_t>(instruction)];
}

}  // namespace

void nothing(cpu::CPUState&) {}
void all_flags(cpu::CPUState& state) {
    using namespace cpu::rflags;
    state.set_rflags(kFixed | kArithmetic | kIF | kDF | kIOPL | kNT | kVIF | kVIP | kID);
}
void stepped(cpu::CPUState& state) {
    state.system_flags |= cpu::rflags::kTF;
}
void resumed(cpu::CPUState& state) {
    state.system_flags |= cpu::rflags::kRF;
}
void watched(cpu::CPUState& state) {
    state.dr[0] = user(page::kAbsent);
    state.dr7 = 0x401;
}

void Comparison::set_time(Computer::Time time) {
    interpreter_.set_time(time);
    translator_.set_time(time);
}

void Comparison::expect_equal(const Case& tested) {
    SCOPED_TRACE(tested.name + hex(tested.body));
    run_rounds(tested, tested.body);
    SCOPED_TRACE("with live flags");
    run_rounds(tested, with_live_flags(tested.body));
}

void Comparison::load(const random::Image& image) {
    start_ = image.state;
    interpreter_.load(image);
    interpreter_.set_engine(Engine::kInterpreter);
    translator_.load(image);
    translator_.set_engine(Engine::kTranslator);
    translator_.set_heat_threshold(0);
}

void Comparison::run(Computer& computer, const Case& tested, u64 ticks) {
    computer.restart(start_);
    const u64 before = std::min(tested.interrupt_at, ticks);
    computer.run(before);
    if (tested.interrupt_at != kNever && computer.ticks() == tested.interrupt_at)
        computer.interrupt(kInterrupt);
    computer.run(ticks - before);
}

// One run of each, from the beginning but with the memory that the last one left.
bool Comparison::round(const Case& tested, u64 ticks, const std::string& what) {
    run(interpreter_, tested, ticks);
    run(translator_, tested, ticks);
    if (interpreter_.digest() == translator_.digest())
        return true;
    ADD_FAILURE() << what << ", " << ticks << " ticks: memory or state differ";
    for (const std::string& difference :
         differing_fields(interpreter_.state_fields(), translator_.state_fields()))
        ADD_FAILURE() << difference;
    return false;
}

void Comparison::run_rounds(const Case& tested, const Bytes& body) {
    random::Image image = make_guest(tested.place, body, tested.entry);
    tested.prepare(image.state);
    load(image);
    // From scratch: nothing is translated, and no key prepared.
    if (!round(tested, kMostTicks, "first"))
        return;
    const u64 end = interpreter_.ticks();
    for (u64 ticks = 1; ticks <= end; ++ticks) {
        if (!round(tested, ticks, "again"))
            return;
    }
    expect_way(tested);
    translator_.drop_mappings();
    if (!round(tested, kMostTicks, "without mappings"))
        return;
    translator_.drop_translations();
    round(tested, kMostTicks, "without translations");
}

// Two runs more: the pages that are written are plain memory again in the second one.
void Comparison::expect_way(const Case& tested) {
    for (unsigned i = 0; i < 2; ++i)
        run(interpreter_, tested, kMostTicks);
    run(translator_, tested, kMostTicks);
    const u64 before = executed_by_function(translator_, tested.instruction);
    const u64 ticks_before = translator_.interpreted_ticks();
    const u64 entries = translator_.translator()->counters().entries;
    run(translator_, tested, kMostTicks);
    const u64 by_function = executed_by_function(translator_, tested.instruction) - before;
    const u64 interpreted = translator_.interpreted_ticks() - ticks_before;
    const bool is_through = static_cast<i32>(translator_.vcpu().state.gpr[cpu::kRBX]) <= 0;
    EXPECT_TRUE(translator_.translator()->counters().entries != entries ||
                tested.by == By::kFunction);
    switch (tested.by) {
        case By::kTranslation:
            EXPECT_EQ(by_function + interpreted, 0u);
            EXPECT_TRUE(translator_.ended() && is_through);
            break;
        case By::kTranslationToAnEnd:
            EXPECT_EQ(by_function, 0u);
            EXPECT_TRUE(translator_.ended() && !is_through);
            break;
        case By::kBoth:
            EXPECT_LT(by_function + interpreted, kLoops);
            EXPECT_TRUE(translator_.ended() && is_through);
            break;
        case By::kFunction:  // or a fault, which is the interpreter's too
            EXPECT_TRUE(by_function + interpreted != 0 || !is_through);
            break;
    }
}

void expect_all_equal(const std::vector<Case>& cases, Computer::Time time) {
    Comparison comparison;
    comparison.set_time(time);
    if (comparison.missing() != nullptr) {
        testing::Test::RecordProperty("missing", comparison.missing());
        return;
    }
    for (const Case& tested : cases)
        comparison.expect_equal(tested);
}

}  // namespace uchronia::engines
