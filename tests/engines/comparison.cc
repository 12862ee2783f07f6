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

Bytes operator+(Bytes a, const Bytes& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

// What makes all flags alive across a body: it sets them, and pushes or uses them behind it.
const Bytes kSet = {0x4d, 0x01, 0xf5};       // ADD R13, R14
const Bytes kPush = {0x9c, 0x41, 0x5f};      // PUSHF; POP R15
const Bytes kUse = {0x4d, 0x0f, 0x40, 0xfd,  // CMOVO R15, R13
                    0x4d, 0x0f, 0x48, 0xfe,  // CMOVS R15, R14
                    0x4d, 0x0f, 0x4a, 0xfd,  // CMOVP R15, R13
                    0x4d, 0x0f, 0x44, 0xfe,  // CMOVZ R15, R14
                    0x4d, 0x11, 0xef};       // ADC R15, R13

std::string hex(const Bytes& bytes) {
    std::ostringstream out;
    for (const u8 byte : bytes)
        out << ' ' << std::hex << std::setw(2) << std::setfill('0') << unsigned{byte};
    return out.str();
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
    {
        SCOPED_TRACE("with flags that are pushed");
        run_rounds(tested, kSet + tested.body + kPush);
    }
    SCOPED_TRACE("with flags that are used");
    run_rounds(tested, kSet + tested.body + kUse);
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

// What digests do not look at, as it follows from the rest.
bool Comparison::copies_are_equal() {
    const cpu::CPUState& a = interpreter_.vcpu().state;
    const cpu::CPUState& b = translator_.vcpu().state;
    return a.segment_base == b.segment_base && a.flags.bits == b.flags.bits;
}

// One run of each, from the beginning but with the memory that the last one left.
bool Comparison::round(const Case& tested, u64 ticks, const char* what) {
    run(interpreter_, tested, ticks);
    run(translator_, tested, ticks);
    const bool equal = copies_are_equal();
    if (equal && interpreter_.digest() == translator_.digest())
        return true;
    ADD_FAILURE() << what << ", " << ticks << " ticks: memory or state differ"
                  << (equal ? "" : ", flags or bases of segments");
    for (const std::string& difference :
         differing_fields(interpreter_.state_fields(), translator_.state_fields()))
        ADD_FAILURE() << difference;
    return false;
}

void Comparison::run_rounds(const Case& tested, const Bytes& body) {
    random::Image image = make_guest(tested.place, body, tested.entry);
    const cpu::CPUState usual = image.state;
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
    if (!round(tested, kMostTicks, "without translations"))
        return;
    // Everything is prepared, but for another state.
    for (const cpu::CPUState& start : {usual, usual, image.state, usual, image.state}) {
        start_ = start;
        if (!round(tested, kMostTicks, "behind another state"))
            return;
    }
}

// Two runs more: the pages that are written are plain memory again in the second one.
void Comparison::expect_way(const Case& tested) {
    for (unsigned i = 0; i < 2; ++i)
        run(interpreter_, tested, kMostTicks);
    run(translator_, tested, kMostTicks);
    const Ways before = ways(tested.instruction);
    run(translator_, tested, kMostTicks);
    const Ways after = ways(tested.instruction);
    const u64 by_function = after.by_function - before.by_function;
    const u64 otherwise = by_function + after.interpreted - before.interpreted;
    const bool is_through = static_cast<i32>(translator_.vcpu().state.gpr[cpu::kRBX]) <= 0;
    EXPECT_TRUE(after.entries != before.entries || tested.by == By::kFunction);
    switch (tested.by) {
        case By::kTranslation:
            EXPECT_EQ(otherwise, 0u);
            EXPECT_EQ(after.searches, before.searches);
            EXPECT_TRUE(translator_.ended() && is_through);
            break;
        case By::kTranslationToAnEnd:
            EXPECT_EQ(by_function, 0u);
            EXPECT_TRUE(translator_.ended() && !is_through);
            break;
        case By::kBoth:
            EXPECT_LT(by_function, kLoops);
            EXPECT_LT(otherwise, translator_.ticks() / 2);
            EXPECT_TRUE(translator_.ended() && is_through);
            break;
        case By::kFunction:  // or a fault, which is the interpreter's too
            EXPECT_TRUE(otherwise != 0 || !is_through);
            break;
    }
}

Comparison::Ways Comparison::ways(cpu::Instruction instruction) const {
    using cpu::jit::SiteKind;
    const auto& counters = translator_.translator()->counters();
    Ways ways = {.by_function = counters.by_instruction[static_cast<std::size_t>(instruction)],
                 .interpreted = translator_.interpreted_ticks(),
                 .entries = counters.entries};
    for (const SiteKind kind : {SiteKind::kLink, SiteKind::kCross, SiteKind::kIndirect})
        ways.searches += counters.sites[static_cast<unsigned>(kind)];
    return ways;
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
