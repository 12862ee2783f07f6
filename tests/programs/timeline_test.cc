// Going to any moment of a history of real programs, forwards and backwards, in memory and through
// the disk, by both engines: the states are always the same.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>

#include "base/prng.h"
#include "cli/cache.h"
#include "cli/run_setup.h"
#include "history/history_file.h"
#include "history/timeline.h"
#include "tests/programs/host_run.h"

namespace uchronia::tests {
namespace {

using history::Moment;
using history::Timeline;

const std::string kProgram = UCHRONIA_PROGRAM;
const std::string kFolder = UCHRONIA_SOURCE "/examples";  // nobody writes to it

constexpr u64 kSpacing = u64{1} << 23;  // ticks
constexpr u64 kStoredSpacing = u64{1} << 25;

constexpr char kScript[] =
    "seq 1 3000 | sort -r | awk '{s+=$1*NR} END {print s}'; sleep 0.5; "
    "sqlite3 :memory: 'with recursive n(x) as (select 1 union all select x+1 from n where x<9000) "
    "select sum(x*x) from n'; "
    "python3 -c 'import threading, time; t=[threading.Thread(target=lambda: (time.sleep(0.01), "
    "sum(range(20000)))) for _ in range(8)]; [x.start() for x in t]; [x.join() for x in t]'; "
    "perl -e 'for (1..20) { my $p = fork; exit 0 unless $p; waitpid $p, 0 } print \"done\\n\"'; "
    "head -c 300000 /usr/bin/bash | xz -2 | xz -d | sha256sum";

std::string folder_of(const std::string& name) {
    return testing::TempDir() + "timeline_test_" + std::to_string(::getpid()) + "_" + name;
}

class TimelineOf : public testing::TestWithParam<int> {
  protected:
    static void TearDownTestSuite() {
        for (const auto& entry : std::filesystem::directory_iterator(testing::TempDir())) {
            if (entry.path().string().starts_with(folder_of("")))
                std::filesystem::remove_all(entry);
        }
    }
    void SetUp() override {
        const std::string path = folder_of(std::to_string(GetParam()) + ".uch");
        if (!std::filesystem::exists(path)) {
            const HostResult recorded =
                run_command("cd '" + kFolder + "' && " + kProgram + " run --cpus " +
                            std::to_string(GetParam()) + " --save " + path + " -- sh -c \"" +
                            escaped() + "\" 2>&1 </dev/null");
            ASSERT_EQ(recorded.exit_status, 0) << recorded.output;
        }
        history_ = std::move(*history::load_history(path));
        ASSERT_TRUE(history_.result.has_value());
        files_ = std::move(*cli::open_files(history_.files));
        base_ = std::move(
            *cli::obtain_base_image_of(history_.base, machine::Engine::kTranslator, nullptr));
    }
    static std::string escaped() {
        std::string text;
        for (const char c : std::string(kScript)) {
            if (c == '$' || c == '"' || c == '\\')
                text += '\\';
            text += c;
        }
        return text;
    }

    std::unique_ptr<Timeline> open(const std::string& folder,
                                   machine::Engine engine = machine::Engine::kTranslator,
                                   u64 budget = u64{1} << 30) {
        ran_ = 0;
        history::TimelineOptions options;
        options.run.engine = engine;
        options.memory_budget = budget;
        options.spacing = kSpacing;
        options.kept.folder = folder;
        options.kept.spacing = kStoredSpacing;
        options.on_progress = [this](Ticks, VirtualTime) { ++ran_; };
        auto timeline = Timeline::open(*base_, history_, files_.get(), options);
        EXPECT_TRUE(timeline.ok()) << (timeline ? "" : timeline.error().message);
        return timeline ? std::move(*timeline) : nullptr;
    }
    // By tick and by time in turn.
    Moment random_moment(u64 index) const {
        const u64 word = random_word(7, 0, index);
        return index % 3 == 2 ? Moment::at(VirtualTime(1 + word % history_.result->time.value))
                              : Moment::at(Ticks(word % history_.result->ticks.value));
    }
    static std::string state_at(Timeline& timeline, const Moment& moment) {
        const Status status = timeline.seek(moment);
        EXPECT_TRUE(status.ok()) << (status ? "" : status.error().message);
        return state_here(timeline);
    }
    static std::string state_here(Timeline& timeline) {
        return std::to_string(timeline.ticks().value) + " " +
               std::to_string(timeline.time().value) + " " +
               to_hex(timeline.machine().state_digest());
    }
    void expect_recorded_end(Timeline& timeline) {
        ASSERT_TRUE(timeline.seek(history::kRecorded, Moment::end()).ok());
        ASSERT_TRUE(timeline.end().has_value());
        EXPECT_EQ(timeline.ticks(), history_.result->ticks);
        EXPECT_EQ(timeline.time(), history_.result->time);
        EXPECT_EQ(to_hex(timeline.machine().state_digest()), to_hex(history_.result->state));
    }

    history::History history_;
    std::unique_ptr<host::FileSource> files_;
    std::unique_ptr<machine::BaseImage> base_;
    u64 ran_ = 0;  // pieces of the history that seeks have run
};

TEST_P(TimelineOf, AnyMomentIsTheSameHoweverOneComesThere) {
    auto timeline = open("");
    std::map<u64, std::string> states;
    for (u64 i = 0; i < 100; ++i) {
        states[i] = state_at(*timeline, random_moment(i));
        if (i % 10 == 9)
            expect_recorded_end(*timeline);
    }
    timeline.reset();  // a machine takes much address space
    timeline = open("");
    for (u64 i = 100; i-- > 0;)
        EXPECT_EQ(state_at(*timeline, random_moment(i)), states[i]) << i;
    timeline.reset();
    timeline = open("", machine::Engine::kTranslator, 0);
    for (u64 i = 0; i < 10; ++i)
        EXPECT_EQ(state_at(*timeline, random_moment(i)), states[i]) << i;
    EXPECT_LE(timeline->laid_count(), 8u);
    // By the other engine, straight from the start.
    for (u64 i = 0; i < 2; ++i) {
        timeline.reset();
        timeline = open("", machine::Engine::kInterpreter);
        EXPECT_EQ(state_at(*timeline, random_moment(i)), states[i]) << i;
    }
}

TEST_P(TimelineOf, OneTickBackIsWhereOneWas) {
    const auto timeline = open("");
    const u64 tick = history_.result->ticks.value / 2;
    std::map<u64, std::string> states;
    for (u64 i = 0; i < 200; ++i)
        states[tick + i] = state_at(*timeline, Moment::at(Ticks(tick + i)));
    for (u64 i = 200; i-- > 0;)
        EXPECT_EQ(state_at(*timeline, Moment::at(Ticks(tick + i))), states[tick + i]);
    // Also from where one has just come from far away, something is near.
    ASSERT_TRUE(timeline->seek(Moment::at(Ticks(tick / 2))).ok());
    EXPECT_LE(tick / 2 - timeline->checkpoint_before(Ticks(tick / 2)).value, u64{1} << 15);
}

TEST_P(TimelineOf, AnotherProcessFindsTheMomentsOnDisk) {
    const std::string folder = folder_of("disk" + std::to_string(GetParam()));
    std::map<u64, std::string> states;
    {
        const auto first = open(folder);
        expect_recorded_end(*first);
        EXPECT_EQ(first->disk_failure(), "");
        for (u64 i = 0; i < 20; ++i)
            states[i] = state_at(*first, random_moment(i));
    }
    const u64 pieces = history_.result->ticks.value / kSpacing;
    auto second = open(folder);
    const Ticks late(history_.result->ticks.value - 1000);
    ASSERT_TRUE(second->seek(Moment::at(late)).ok());
    EXPECT_LE(ran_, kStoredSpacing / kSpacing + 4) << "of " << pieces;
    expect_recorded_end(*second);
    for (u64 i = 0; i < 20; ++i)
        EXPECT_EQ(state_at(*second, random_moment(i)), states[i]) << i;
    second.reset();
    auto interpreted = open(folder, machine::Engine::kInterpreter);
    EXPECT_EQ(state_at(*interpreted, random_moment(0)), states[0]);

    interpreted.reset();
    // Whatever happens to the files, no state is another one.
    unsigned number = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() != ".checkpoint")
            continue;
        if (++number % 2 == 0)
            std::filesystem::resize_file(entry, entry.file_size() / 2);
    }
    std::fstream pages(folder + "/pages", std::ios::in | std::ios::out | std::ios::binary);
    pages.seekp(123456);
    pages << "damage";
    pages.close();
    const auto third = open(folder);
    for (u64 i = 0; i < 20; ++i)
        EXPECT_EQ(state_at(*third, random_moment(i)), states[i]) << i;
}

// Branches of the history and of each other, made and gone between in no order. Each is the same as
// if it were the only one, whatever was dropped.
TEST_P(TimelineOf, BranchesAreATreeOfHistories) {
    const std::string folder = folder_of("tree" + std::to_string(GetParam()));
    auto timeline = open(folder);
    expect_recorded_end(*timeline);
    struct Made {
        history::BranchNumber number;
        std::string start, end;
        history::History history;
    };
    std::vector<Made> made;
    for (u64 i = 0; i < 8; ++i) {
        // Of the recorded history, and of an earlier branch.
        const history::BranchNumber parent =
            made.empty() || i % 2 == 0 ? history::kRecorded : made[i / 2].number;
        ASSERT_TRUE(timeline->seek(parent, random_moment(50 + i)).ok());
        while (timeline->end())
            ASSERT_TRUE(timeline->seek(Moment::at(Ticks(timeline->ticks().value / 2))).ok());
        const std::string start = state_here(*timeline);
        const auto number = timeline->branch(100 + i);
        ASSERT_TRUE(number.ok());
        EXPECT_EQ(state_here(*timeline), start);
        const std::string end = state_at(*timeline, Moment::end());
        made.push_back({*number, start, end, timeline->run().history()});
    }
    EXPECT_FALSE(timeline->branch(1).ok());  // from an end
    for (u64 i = 0; i < 40; ++i) {
        const Made& branch = made[random_word(8, 0, i) % made.size()];
        ASSERT_TRUE(timeline->seek(branch.number, random_moment(i)).ok());
        if (i % 4 == 0) {
            EXPECT_EQ(state_at(*timeline, Moment::end()), branch.end) << i;
        }
    }
    expect_recorded_end(*timeline);
    std::map<std::string, int> ends;
    for (const Made& branch : made)
        ++ends[branch.end];
    EXPECT_EQ(ends.size(), made.size());
    const std::size_t laid = timeline->laid_count();
    timeline->drop(made.back().number);
    EXPECT_LT(timeline->laid_count(), laid);

    // Each of them alone, and with hardly any checkpoints.
    for (const Made& branch : {made[1], made[6], made[7]}) {
        timeline.reset();
        history_ = branch.history;
        timeline = open("", machine::Engine::kTranslator, 0);
        EXPECT_EQ(state_at(*timeline, Moment::end()), branch.end);
    }
}

TEST_P(TimelineOf, BranchesNeedNoCheckpoints) {
    auto timeline = open("", machine::Engine::kTranslator, 0);
    ASSERT_TRUE(timeline->seek(random_moment(1)).ok());
    const std::string start = state_here(*timeline);
    const u64 tick = timeline->ticks().value;
    const auto branch = timeline->branch(7);
    ASSERT_TRUE(branch.ok());
    const std::string end = state_at(*timeline, Moment::end());
    for (unsigned i = 0; i < 3; ++i) {
        expect_recorded_end(*timeline);
        ASSERT_TRUE(timeline->seek(*branch, Moment::at(Ticks(tick))).ok());
        EXPECT_EQ(state_here(*timeline), start);
        EXPECT_EQ(state_at(*timeline, Moment::end()), end);
    }
}

TEST_P(TimelineOf, AFullOrForbiddenDiskIsSaidAndHarmless) {
    const std::string file = folder_of("file" + std::to_string(GetParam()));
    std::ofstream(file) << "not a folder";
    const auto timeline = open(file);
    expect_recorded_end(*timeline);
    EXPECT_NE(timeline->disk_failure(), "");
}

INSTANTIATE_TEST_SUITE_P(, TimelineOf, testing::Values(1, 2), [](const auto& instance) {
    return "CPUs" + std::to_string(instance.param);
});

}  // namespace
}  // namespace uchronia::tests
