#include "history/visits.h"

#include <gtest/gtest.h>

#include <cstring>

#include "guest/hypercall.h"
#include "history/sample_visits.h"

namespace uchronia::history {
namespace {

UchroniaCallHeader header_of(const machine::Call& call) {
    UchroniaCallHeader header{};
    EXPECT_GE(call.message.size(), sizeof header);
    std::memcpy(&header, call.message.data(), sizeof header);
    return header;
}

class FixedInput final : public VisitCalls::Input {
  public:
    u64 visit_input(u64 offset, std::span<u8> bytes) override {
        for (u64 i = 0; i < bytes.size(); ++i) {
            if (offset + i >= 6)
                return i;
            bytes[i] = static_cast<u8>('a' + offset + i);
        }
        return bytes.size();
    }
};

TEST(Visits, BecomeCallsInTheOrderOfTheirMoments) {
    std::vector<Visit> visits = sample_visits();
    ASSERT_TRUE(check_visits(visits).ok());
    VisitCalls calls(visits, Ticks(1000), VirtualTime(2000));
    static constexpr unsigned kKinds[] = {UCHRONIA_CALL_COMMAND, UCHRONIA_CALL_COMMAND,
                                          UCHRONIA_CALL_WINDOW,  UCHRONIA_CALL_INPUT,
                                          UCHRONIA_CALL_HANG_UP, UCHRONIA_CALL_LIST};
    static constexpr unsigned kNumbers[] = {0, 1, 1, 1, 1, 2};
    for (u64 i = 0; i < 6; ++i) {
        ASSERT_NE(calls.call(i), nullptr);
        EXPECT_EQ(header_of(*calls.call(i)).kind, kKinds[i]);
        EXPECT_EQ(header_of(*calls.call(i)).number, kNumbers[i]);
        EXPECT_EQ(calls.call(i)->begins_visit, i < 2 || i == 5);
    }
    EXPECT_EQ(calls.call(6), nullptr);
    EXPECT_EQ(calls.call(2)->tick, Ticks(1101));
    EXPECT_EQ(calls.call(2)->time, VirtualTime(2171));
    EXPECT_EQ(calls.call(2)->message.size(), sizeof(UchroniaCallHeader) + 4);
    EXPECT_EQ(calls.call(3)->message.back(), '\r');
}

TEST(Visits, ThatAreAddedBecomeCallsToo) {
    std::vector<Visit> visits;
    VisitCalls calls(visits, Ticks(0), VirtualTime(0));
    EXPECT_EQ(calls.call(0), nullptr);
    for (const Visit& visit : sample_visits()) {
        visits.push_back(visit);
        calls.update();
    }
    std::vector<Visit> whole = sample_visits();
    VisitCalls others(whole, Ticks(0), VirtualTime(0));
    for (u64 i = 0; i < 6; ++i)
        EXPECT_EQ(calls.call(i)->message, others.call(i)->message);
}

TEST(Visits, AreCutWhereTheyWereGiven) {
    for (u64 given = 0; given <= 7; ++given) {
        std::vector<Visit> visits = sample_visits();
        cut_visits(visits, given);
        u64 left = visits.size();
        for (const Visit& visit : visits)
            left += visit.terminal.size();
        EXPECT_EQ(left, std::min<u64>(given, 6));
    }
}

TEST(Visits, RecordTheInputOfTheLastOne) {
    std::vector<Visit> visits = sample_visits();
    VisitCalls calls(visits, Ticks(0), VirtualTime(0));
    FixedInput input;
    calls.set_input(&input);
    u8 bytes[4];
    EXPECT_EQ(calls.visit_input(0, 1, bytes), 2u);  // recorded, and no more
    EXPECT_EQ(calls.visit_input(2, 0, bytes), 4u);
    EXPECT_EQ(calls.visit_input(2, 4, bytes), 2u);
    EXPECT_EQ(visits[2].input, (std::vector<u8>{'a', 'b', 'c', 'd', 'e', 'f'}));
    EXPECT_EQ(calls.visit_input(7, 0, bytes), 0u);
}

TEST(Visits, ThatMakeNoSenseAreRefused) {
    std::vector<Visit> visits = sample_visits();
    std::swap(visits[0], visits[2]);
    EXPECT_FALSE(check_visits(visits).ok());
    visits = sample_visits();
    visits[1].terminal[1].typed.clear();
    EXPECT_FALSE(check_visits(visits).ok());
    visits[1].terminal[1].typed.assign(kMostTyped + 1, 'x');
    EXPECT_FALSE(check_visits(visits).ok());
    visits = sample_visits();
    visits[0].request.arguments.clear();
    EXPECT_FALSE(check_visits(visits).ok());
}

}  // namespace
}  // namespace uchronia::history
