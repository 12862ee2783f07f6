// A CPU that is held between two instructions of a program, while another one looks at what it has
// left half done; and its history, which is the same in every way of running it.

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <regex>
#include <sstream>
#include <vector>

#include "cli/cache.h"
#include "cli/run_setup.h"
#include "history/history_file.h"
#include "history/stepped_run.h"
#include "tests/programs/host_run.h"

namespace uchronia::tests {
namespace {

const std::string kProgram = UCHRONIA_PROGRAM;
const std::string kFolder = UCHRONIA_GUEST_FOLDER;  // with missed_coin; nobody writes to it

HostResult uchronia(const std::string& arguments) {
    return run_command("cd '" + kFolder + "' && '" + kProgram + "' " + arguments + " </dev/null");
}

std::string path_of(const std::string& name) {
    return testing::TempDir() + "holds_test_" + name + ".uch";
}

// What `perf --list` says of ticks at which a function is executed.
struct Place {
    unsigned long long tick;
    std::string cpu, address;
};

std::vector<Place> places_in(const std::string& list, const std::string& function) {
    const std::regex line("#([0-9]+) +CPU ([0-9]).*0x([0-9a-f]+)  " + function + " <.*");
    std::vector<Place> places;
    std::istringstream lines(list);
    for (std::string text; std::getline(lines, text);) {
        std::smatch match;
        if (!std::regex_match(text, match, line))
            continue;
        // An instruction that faults is executed again.
        if (!places.empty() && places.back().address == match[3])
            places.pop_back();
        places.push_back({std::stoull(match[1]), match[2], match[3]});
    }
    return places;
}

// Its three instructions: the two stores and the return.
class Holds : public testing::Test {
  protected:
    static void SetUpTestSuite() {
        const HostResult recorded =
            uchronia("run --cpus 2 --save " + path_of("plain") + " -- ./missed_coin");
        ASSERT_EQ(recorded.output, "coins: 1\n");
        const std::string list = "perf --list " + path_of("plain") + " 2>/dev/null --every ";
        const std::vector<Place> coarse = places_in(uchronia(list + "100").output, "writer");
        ASSERT_FALSE(coarse.empty());
        const unsigned long long from = coarse.front().tick;
        fine() = places_in(uchronia(list + "1 --from '#" + std::to_string(from) + "' --to '#" +
                                    std::to_string(coarse.back().tick + 2000) + "'")
                               .output,
                           "move_coin");
        ASSERT_EQ(fine().size(), 3u);
    }
    static std::vector<Place>& fine() {
        static std::vector<Place> places;
        return places;
    }
    static std::string option(std::size_t instruction) {
        const Place& place = fine()[instruction];
        return " --hold '" + place.cpu + "@#" + std::to_string(place.tick) + "+50ms' ";
    }
};

TEST_F(Holds, ShowTheStateBetweenTwoInstructions) {
    static constexpr const char* kSeen[] = {"coins: 1\n", "coins: 0\n", "coins: 1\n"};
    for (std::size_t i = 0; i < 3; ++i) {
        const std::string name = path_of("held" + std::to_string(i));
        const HostResult held =
            uchronia("replay" + option(i) + "--save " + name + " " + path_of("plain"));
        EXPECT_EQ(held.output, kSeen[i]);
        EXPECT_EQ(held.exit_status, i == 1 ? 1 : 0);
        for (const char* engine : {"jit", "interp"}) {
            const HostResult again =
                uchronia("replay --verify --engine " + std::string(engine) + " " + name);
            EXPECT_EQ(again.exit_status, 0);
            EXPECT_EQ(again.output, kSeen[i]);
        }
    }
}

TEST_F(Holds, OfRunAndReplayGiveTheSameHistory) {
    const HostResult run =
        uchronia("run --cpus 2" + option(1) + "--save " + path_of("run") + " -- ./missed_coin");
    EXPECT_EQ(run.output, "coins: 0\n");
    uchronia("replay" + option(1) + "--save " + path_of("replay") + " " + path_of("plain"));
    const auto a = history::load_history(path_of("run"));
    const auto b = history::load_history(path_of("replay"));
    ASSERT_TRUE(a.ok() && b.ok());
    EXPECT_TRUE(*a == *b);
    const HostResult difference = uchronia("diff " + path_of("plain") + " " + path_of("run"));
    EXPECT_EQ(difference.exit_status, 1);
    EXPECT_NE(difference.output.find("tape.holds.0.tick: (none) !="), std::string::npos)
        << difference.output;
    EXPECT_NE(difference.output.find(".held_until"), std::string::npos) << difference.output;
}

// In odd pieces, and with returns to checkpoints before the hold, at it and after it.
TEST_F(Holds, DoNotDependOnPieces) {
    uchronia("replay" + option(1) + "--save " + path_of("pieces") + " " + path_of("plain"));
    const auto history = history::load_history(path_of("pieces"));
    ASSERT_TRUE(history.ok());
    constexpr machine::Engine kEngine = machine::Engine::kTranslator;
    const auto base = cli::obtain_base_image_of(history->base, kEngine, nullptr);
    const auto files = cli::open_files(history->files);
    ASSERT_TRUE(base.ok() && files.ok());
    const auto run =
        history::SteppedRun::start(**base, *history, files->get(), {.engine = kEngine});
    ASSERT_TRUE(run.ok());
    const u64 hold = history->tape.holds[0].tick.value;
    const std::vector<u64> stops = {
        1, 7777, hold - 1, hold, hold + 1, hold + 2, hold + 10'007, history->result->ticks.value};
    for (std::size_t i = 0; i + 1 < stops.size(); ++i) {
        (*run)->run_to(Ticks(stops[i]));
        const history::SteppedRun::Mark mark = (*run)->mark();
        (*run)->run_to(Ticks(stops[i + 1] + 333));
        ASSERT_TRUE((*run)->go_back(mark).ok());
    }
    (*run)->run_to(Ticks(~u64{0}));
    EXPECT_EQ((*run)->ticks(), history->result->ticks);
    EXPECT_EQ((*run)->machine().state_digest(), history->result->state);
}

TEST_F(Holds, ThatMakeNoSenseAreRefused) {
    EXPECT_EQ(uchronia("run --hold 1@#5+5ms -- true").exit_status, 125);
    EXPECT_EQ(uchronia("replay --verify --hold 0@#5+5ms " + path_of("plain")).exit_status, 125);
    EXPECT_EQ(uchronia("replay --save x.uch " + path_of("plain")).exit_status, 125);
}

}  // namespace
}  // namespace uchronia::tests
