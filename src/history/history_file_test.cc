#include "history/history_file.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "history/configuration.h"
#include "history/sample_history.h"
#include "history/sample_visits.h"
#include "host/files.h"

namespace uchronia::history {
namespace {

std::string golden_path(const char* name) {
    return (std::filesystem::path(__FILE__).parent_path() / "testdata" / name).string();
}

History sample_with_holds() {
    History history = sample_history();
    history.tape.holds = {{Ticks(7), 0, VirtualTime(5'000'000)}, {Ticks(9), 0, VirtualTime(1)}};
    return history;
}

History sample_with_visits() {
    History history = sample_with_holds();
    history.visits = sample_visits();
    return history;
}

std::string error_of(const std::vector<u8>& file) {
    const Result<History> parsed = parse_history(file, "NAME");
    return parsed.ok() ? "" : parsed.error().message;
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

TEST(HistoryFile, KeepsEveryField) {
    const History history = sample_history();
    const Result<History> read = parse_history(serialise_history(history), "NAME");
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_TRUE(*read == history);
}

TEST(HistoryFile, KeepsAnEmptyHistory) {
    History history;
    history.tape = Tape::from_seed(0);
    const Result<History> read = parse_history(serialise_history(history), "NAME");
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_TRUE(*read == history);
    EXPECT_FALSE(read->result.has_value());
}

TEST(HistoryFile, KeepsTheImageAndWhatComesOut) {
    History history = sample_history();
    history.files.image = {5, 6};
    history.files.image_name = "alpine:3";
    history.request.root = machine::SharedRoot::kImage;
    history.request.out_folder = "/out";
    const Result<History> read = parse_history(serialise_history(history), "NAME");
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_TRUE(*read == history);
}

TEST(HistoryFile, ReadsTheGoldenFileOfVersion1) {
    const Result<History> read = load_history(golden_path("history-v1.uch"));
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_TRUE(*read == sample_history());
}

TEST(HistoryFile, ReadsTheGoldenFileOfVersion2) {
    const Result<History> read = load_history(golden_path("history-v2.uch"));
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_TRUE(*read == sample_with_holds());
}

TEST(HistoryFile, ReadsTheGoldenFileOfVersion3) {
    const Result<History> read = load_history(golden_path("history-v3.uch"));
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_TRUE(*read == sample_with_visits());
}

// Older programs, which know no holds or no visits, must not read them as if there were none.
TEST(HistoryFile, HasAHigherVersionOnlyWhereItIsNeeded) {
    EXPECT_EQ(serialise_history(sample_history())[8], 1);
    EXPECT_EQ(serialise_history(sample_with_holds())[8], 2);
    EXPECT_EQ(serialise_history(sample_with_visits())[8], 3);
}

TEST(HistoryFile, RefusesEveryTruncation) {
    const std::vector<u8> file = serialise_history(sample_history());
    for (std::size_t size = 0; size < file.size(); ++size) {
        const std::string error = error_of({file.begin(), file.begin() + static_cast<long>(size)});
        EXPECT_TRUE(contains(error, "NAME")) << size;
        EXPECT_TRUE(contains(error, size < 8 ? "not a history" : "ends too early")) << size;
    }
}

TEST(HistoryFile, RefusesEveryFlippedBit) {
    const std::vector<u8> file = serialise_history(sample_history());
    for (std::size_t i = 0; i < file.size(); ++i) {
        for (int bit = 0; bit < 8; ++bit) {
            std::vector<u8> changed = file;
            changed[i] ^= static_cast<u8>(1 << bit);
            EXPECT_TRUE(contains(error_of(changed), "NAME")) << "byte " << i << " bit " << bit;
        }
    }
}

TEST(HistoryFile, NamesForeignAndNewerFilesAndTheRemedy) {
    const std::string text = "#!/bin/sh\necho hello\n";
    EXPECT_TRUE(contains(error_of({text.begin(), text.end()}), "is not a history of Uchronia"));
    std::vector<u8> newer = serialise_history(sample_history());
    newer[8] = 4;
    EXPECT_TRUE(contains(error_of(newer), "has format version 4"));
    EXPECT_TRUE(contains(error_of(newer), "Use the newer Uchronia"));
    std::vector<u8> longer = serialise_history(sample_history());
    longer.push_back(0);
    EXPECT_TRUE(contains(error_of(longer), "after its end"));
}

TEST(HistoryFile, IsWrittenAtomicallyAndNamesWhatCannotBeWritten) {
    char folder[] = "/tmp/uchronia-history-XXXXXX";
    ASSERT_NE(mkdtemp(folder), nullptr);
    const std::string path = std::string(folder) + "/h.uch";
    ASSERT_TRUE(save_history(sample_history(), path).ok());
    EXPECT_TRUE(*load_history(path) == sample_history());
    const Status failed = save_history(sample_history(), path + "/below");
    EXPECT_FALSE(failed.ok());
    EXPECT_TRUE(contains(failed.error().message, path));
    EXPECT_TRUE(*load_history(path) == sample_history());
    std::filesystem::remove_all(folder);
}

TEST(Configuration, NamesTheKeyThatIsWrong) {
    const std::string json = configuration_to_json(sample_history());
    const auto error_with = [&](const std::string& from, const std::string& to) {
        std::string changed = json;
        const std::size_t at = changed.find(from);
        EXPECT_NE(at, std::string::npos) << from;
        changed.replace(at, from.size(), to);
        History history;
        const Status status = configuration_from_json(changed, history);
        return status.ok() ? "" : status.error().message;
    };
    EXPECT_TRUE(contains(error_with("\"uid\": 1000", "\"uid\": -1"), "'uid'"));
    EXPECT_TRUE(contains(error_with("\"uid\": 1000", "\"uid\": 4294967296"), "'uid'"));
    EXPECT_TRUE(contains(error_with("\"gid\"", "\"gld\""), "'gid' is missing"));
    EXPECT_TRUE(contains(error_with("\"signaled\"", "\"sinking\""), "'outcome'"));
    EXPECT_TRUE(contains(error_with("\"stall\"", "\"stale\""), "'kind'"));
    EXPECT_TRUE(contains(error_with("\"from\": 0", "\"from\": 7"), "seed for the run's start"));
    EXPECT_TRUE(contains(error_with("{", "["), "not JSON"));
    History history;
    for (const char* other : {"null", "[]", "3", "{}", "\"text\"", "{\"base\": []}"})
        EXPECT_FALSE(configuration_from_json(other, history).ok()) << other;
}

TEST(Configuration, RefusesHoldsOfNoCPUOrOutOfOrder) {
    const auto error_with = [](const Hold& hold) {
        History history = sample_with_holds();
        history.tape.holds.push_back(hold);
        History read;
        const Status status = configuration_from_json(configuration_to_json(history), read);
        return status.ok() ? "" : status.error().message;
    };
    EXPECT_EQ(error_with({Ticks(9), 0, VirtualTime(1)}), "");
    EXPECT_TRUE(contains(error_with({Ticks(9), 1, VirtualTime(1)}), "holds CPU 1"));
    EXPECT_TRUE(contains(error_with({Ticks(8), 0, VirtualTime(1)}), "order"));
    EXPECT_TRUE(contains(error_with({Ticks(9), 0, VirtualTime(0)}), "no time"));
    EXPECT_TRUE(contains(error_with({Ticks(9), 0, kNever}), "36 years"));
}

TEST(Configuration, DigestsAreThirtyTwoDigits) {
    const Digest digest{0x0123456789abcdef, 0xfedcba9876543210};
    EXPECT_EQ(*digest_from_hex(to_hex(digest)), digest);
    EXPECT_FALSE(digest_from_hex("12").ok());
    EXPECT_FALSE(digest_from_hex(std::string(32, 'g')).ok());
}

}  // namespace
}  // namespace uchronia::history
