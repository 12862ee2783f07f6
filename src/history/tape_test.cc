#include "history/tape.h"

#include <gtest/gtest.h>

#include <set>

namespace uchronia::history {
namespace {

using machine::DecisionKind;

TEST(Tape, StreamsOfKindsAreIndependent) {
    TapeReader reader(Tape::from_seed(7), Ticks(0));
    std::set<u64> words;
    for (u64 counter = 0; counter < 100; ++counter) {
        words.insert(reader.word(DecisionKind::kEntropy, counter, Ticks(5)));
        words.insert(reader.word(DecisionKind::kQuantum, counter, Ticks(5)));
        words.insert(reader.word(DecisionKind::kStall, counter, Ticks(5)));
    }
    EXPECT_EQ(words.size(), 300u);
    // A word depends on its own counter alone, not on what was drawn before.
    TapeReader again(Tape::from_seed(7), Ticks(0));
    EXPECT_EQ(again.word(DecisionKind::kStall, 42, Ticks(9)),
              reader.word(DecisionKind::kStall, 42, Ticks(1)));
}

TEST(Tape, SeedHoldsFromItsMomentOn) {
    Tape tape = Tape::from_seed(1);
    tape.seeds.push_back({Ticks(100), 2});
    TapeReader both(tape, Ticks(1000));
    TapeReader first(Tape::from_seed(1), Ticks(0));
    TapeReader second(Tape::from_seed(2), Ticks(0));
    const auto word = [](TapeReader& reader, u64 tick) {
        return reader.word(DecisionKind::kQuantum, 3, Ticks(tick));
    };
    EXPECT_EQ(word(both, 1099), word(first, 0));
    EXPECT_EQ(word(both, 1100), word(second, 0));
    EXPECT_NE(word(first, 0), word(second, 0));
}

TEST(Tape, OverrideReplacesOneWord) {
    Tape tape = Tape::from_seed(1);
    tape.overrides.push_back({DecisionKind::kQuantum, 3, 99});
    TapeReader changed(tape, Ticks(0));
    TapeReader plain(Tape::from_seed(1), Ticks(0));
    for (u64 counter = 0; counter < 6; ++counter) {
        const u64 expected =
            counter == 3 ? 99 : plain.word(DecisionKind::kQuantum, counter, Ticks(0));
        EXPECT_EQ(changed.word(DecisionKind::kQuantum, counter, Ticks(0)), expected);
        EXPECT_EQ(changed.word(DecisionKind::kStall, counter, Ticks(0)),
                  plain.word(DecisionKind::kStall, counter, Ticks(0)));
    }
}

TEST(Tape, HoldsAreInTheOrderOfTheirTicks) {
    Tape tape = Tape::from_seed(1);
    tape.add({Ticks(50), 1, VirtualTime(5)});
    tape.add({Ticks(20), 0, VirtualTime(6)});
    tape.add({Ticks(50), 0, VirtualTime(7)});
    EXPECT_TRUE(tape.check().ok());
    EXPECT_TRUE(tape.check_vcpus(2).ok());
    EXPECT_FALSE(tape.check_vcpus(1).ok());
    TapeReader reader(tape, Ticks(1000));
    EXPECT_EQ(reader.hold(0), (Hold{Ticks(1020), 0, VirtualTime(6)}));
    EXPECT_EQ(reader.hold(1), (Hold{Ticks(1050), 1, VirtualTime(5)}));
    EXPECT_EQ(reader.hold(2), (Hold{Ticks(1050), 0, VirtualTime(7)}));
    EXPECT_EQ(reader.hold(3), std::nullopt);
    tape.add({Ticks(~u64{0}), 0, VirtualTime(1)});
    EXPECT_EQ(TapeReader(tape, Ticks(1000)).hold(3)->tick, Ticks(~u64{0}));
}

TEST(Tape, ChecksItsShape) {
    EXPECT_TRUE(Tape::from_seed(0).check().ok());
    EXPECT_FALSE(Tape{}.check().ok());
    Tape late{.seeds = {{Ticks(1), 0}}, .overrides = {}};
    EXPECT_FALSE(late.check().ok());
    Tape twice{.seeds = {{Ticks(0), 0}, {Ticks(5), 1}, {Ticks(5), 2}}, .overrides = {}};
    EXPECT_FALSE(twice.check().ok());
    Tape same = Tape::from_seed(0);
    same.overrides = {{DecisionKind::kStall, 1, 1}, {DecisionKind::kStall, 1, 2}};
    EXPECT_FALSE(same.check().ok());
    Tape unknown = Tape::from_seed(0);
    unknown.overrides = {{DecisionKind::kCount, 1, 1}};
    EXPECT_FALSE(unknown.check().ok());
}

}  // namespace
}  // namespace uchronia::history
