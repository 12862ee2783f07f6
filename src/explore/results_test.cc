#include "explore/results.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "explore/file_changes.h"
#include "explore/results_log.h"
#include "history/sample_history.h"
#include "host/files.h"

namespace uchronia::explore {
namespace {

using history::Outcome;
using history::OutcomeKind;
using machine::OutputStream;

OutputSummary written(std::string_view text, OutputStream stream = OutputStream::kOutput) {
    OutputSummariser summariser;
    summariser.output(stream, {reinterpret_cast<const u8*>(text.data()), text.size()});
    return summariser.summary();
}

RunSummary run_of_seed(u64 seed) {
    RunSummary run{.outcome = {OutcomeKind::kExited, 0, ""},
                   .output = written("sum " + std::to_string(seed % 3) + "\n"),
                   .ticks = Ticks(seed),
                   .time = VirtualTime(2 * seed)};
    if (seed % 7 == 3)
        run.outcome = {OutcomeKind::kSignaled, 11, ""};
    else if (seed == 11)
        run.outcome = {OutcomeKind::kTimeout, 0, ""};
    return run;
}

TEST(OutputSummary, DoesNotDependOnThePieces) {
    const std::string text(10'000, 'x');
    const OutputSummary whole = written(text);
    for (const std::size_t piece : {1u, 7u, 4095u, 4096u, 4097u}) {
        OutputSummariser summariser;
        for (std::size_t i = 0; i < text.size(); i += piece) {
            const std::size_t count = std::min(piece, text.size() - i);
            summariser.output(OutputStream::kOutput,
                              {reinterpret_cast<const u8*>(text.data()) + i, count});
        }
        EXPECT_EQ(summariser.summary(), whole) << piece;
    }
    EXPECT_EQ(whole.size, 10'000u);
    EXPECT_EQ(whole.head.size(), OutputSummariser::kHead);
    EXPECT_EQ(whole.tail.size(), OutputSummariser::kTail);
}

TEST(OutputSummary, TellsStreamsAndTextsApart) {
    EXPECT_NE(written("a").digest, written("b").digest);
    EXPECT_NE(written("a").digest, written("a", OutputStream::kError).digest);
    EXPECT_NE(written("").digest, written("a").digest);
    std::string text(9000, 'x');
    const OutputSummary before = written(text);
    text[8999] = 'y';
    EXPECT_NE(written(text).digest, before.digest);
    EXPECT_EQ(written("ab").tail, "");
}

TEST(Results, ListDistinctOutcomesWithTheirLowestSeeds) {
    Results results(100);
    for (u64 i = 0; i < 30; ++i)
        results.add(run_of_seed(i));
    EXPECT_EQ(results.runs(), 30u);
    EXPECT_EQ(results.passed(), 30u - 4u - 1u);
    EXPECT_EQ(results.ticks(), Ticks(435));
    ASSERT_EQ(results.failures().size(), 2u);
    EXPECT_EQ(results.failures()[0].description, "signal 11 (SIGSEGV)");
    EXPECT_EQ(results.failures()[0].lowest_seed, 103u);
    EXPECT_EQ(results.failures()[0].count, 4u);
    EXPECT_EQ(results.failures()[1].description, "time-out");
    // Three sums that passed, the same three with the signal, one time-out.
    ASSERT_EQ(results.outcomes().size(), 7u);
    u64 count = 0;
    for (const DistinctOutcome& outcome : results.outcomes())
        count += outcome.count;
    EXPECT_EQ(count, 30u);
    EXPECT_EQ(results.outcomes()[0].lowest_seed, 100u);
    EXPECT_EQ(results.outcomes()[0].first.output.head, "sum 0\n");
    EXPECT_FALSE(results.is_new_failure({OutcomeKind::kTimeout, 0, ""}));
    EXPECT_FALSE(results.is_new_failure({OutcomeKind::kExited, 0, ""}));
    EXPECT_TRUE(results.is_new_failure({OutcomeKind::kExited, 1, ""}));
}

TEST(Results, AreBounded) {
    Results results(0);
    for (u64 i = 0; i < Results::kMostOutcomes + 50; ++i) {
        RunSummary run = run_of_seed(0);
        run.output = written(std::to_string(i));
        run.outcome = {OutcomeKind::kExited, 1 + i % 200, ""};
        EXPECT_EQ(results.add(run), i < Results::kMostOutcomes);
    }
    EXPECT_EQ(results.outcomes().size(), Results::kMostOutcomes);
    EXPECT_EQ(results.others(), 50u);
    EXPECT_EQ(results.failures().size(), Results::kMostFailures);
    EXPECT_EQ(results.failed(), results.runs());
}

// A file of `count` runs, written in pieces.
std::string log_with(u64 count, Digest identity) {
    const std::string path = testing::TempDir() + "results_test.results";
    EXPECT_TRUE(host::remove_file(path).ok());
    Results results(0);
    ResultsLog log(path, identity, 0);
    log.add(history::sample_record());
    for (u64 i = 0; i < count; ++i) {
        const RunSummary run = run_of_seed(i);
        log.add(run, results.add(run) ? ResultsLog::Outcome::kNew : ResultsLog::Outcome::kKnown);
        if (i % 3 == 0) {
            EXPECT_TRUE(log.flush().ok());
        }
    }
    EXPECT_TRUE(log.flush().ok());
    return path;
}

Results results_of(const LoggedResults& logged) {
    Results results(0);
    for (const RunSummary& run : logged.runs)
        results.add(run);
    return results;
}

TEST(ResultsLog, GivesBackWhatWasAdded) {
    const std::vector<u8> file = *host::read_file(log_with(20, {1, 2}));
    const LoggedResults read = parse_results(file, {1, 2});
    EXPECT_EQ(read.size, file.size());
    ASSERT_EQ(read.runs.size(), 20u);
    EXPECT_TRUE(read.files == history::sample_record());
    const Results results = results_of(read);
    ASSERT_EQ(results.outcomes().size(), 7u);
    for (const DistinctOutcome& outcome : results.outcomes())
        EXPECT_EQ(outcome.first, run_of_seed(outcome.lowest_seed));
}

TEST(ResultsLog, ReadsTheGoldenFileOfVersion1) {
    const std::string path =
        (std::filesystem::path(__FILE__).parent_path() / "testdata" / "results-v1").string();
    const LoggedResults read = parse_results(*host::read_file(path), {1, 2});
    ASSERT_EQ(read.runs.size(), 20u);
    EXPECT_TRUE(read.files == history::sample_record());
    for (u64 i = 0; i < 3; ++i)
        EXPECT_EQ(read.runs[i], run_of_seed(i));
    EXPECT_EQ(*host::read_file(log_with(20, {1, 2})), *host::read_file(path));
}

TEST(ResultsLog, OfSomethingElseIsNotThere) {
    const std::vector<u8> file = *host::read_file(log_with(20, {1, 2}));
    EXPECT_EQ(parse_results(file, {1, 3}).size, 0u);
    EXPECT_EQ(parse_results({}, {1, 2}).size, 0u);
}

TEST(ResultsLog, CountsWhatIsWholeAfterAKillAndGoesOnThere) {
    const std::string path = log_with(20, {1, 2});
    const std::vector<u8> file = *host::read_file(path);
    std::size_t most = 0;
    for (std::size_t size = 32; size < file.size(); ++size) {
        const LoggedResults read = parse_results(std::span(file).first(size), {1, 2});
        ASSERT_LE(read.size, size);
        ASSERT_GE(read.runs.size(), most);
        most = read.runs.size();
        ASSERT_LT(most, 20u);
    }
    const std::size_t cut = file.size() / 2;
    const LoggedResults part = parse_results(std::span(file).first(cut), {1, 2});
    ResultsLog log(path, {1, 2}, part.size);
    for (u64 i = part.runs.size(); i < 20; ++i)
        log.add(run_of_seed(i), ResultsLog::Outcome::kNew);
    ASSERT_TRUE(log.flush().ok());
    const LoggedResults read = parse_results(*host::read_file(path), {1, 2});
    EXPECT_EQ(read.runs.size(), 20u);
}

TEST(ResultsLog, EndsAtEveryFlippedBit) {
    const std::vector<u8> file = *host::read_file(log_with(8, {1, 2}));
    for (std::size_t i = 0; i < file.size(); ++i) {
        std::vector<u8> changed = file;
        changed[i] ^= static_cast<u8>(1 << i % 8);
        const LoggedResults read = parse_results(changed, {1, 2});
        EXPECT_LE(read.size, i);
        EXPECT_LT(read.runs.size(), 8u);
    }
}

TEST(ResultsLog, IdentityIsOfWhatDeterminesASeed) {
    const history::History history = history::sample_history();
    const Digest identity = identity_of_exploration(history, 0);
    history::History other = history;
    other.result.reset();
    other.tape = history::Tape::from_seed(99);
    EXPECT_EQ(identity_of_exploration(other, 0), identity);
    EXPECT_NE(identity_of_exploration(history, 1), identity);
    other.input.push_back('x');
    EXPECT_NE(identity_of_exploration(other, 0), identity);
    other = history;
    other.request.environment.push_back("A=b");
    EXPECT_NE(identity_of_exploration(other, 0), identity);
}

// A host with one file.
class OneFile final : public host::FileSource {
  public:
    host::FileResult<host::FileAttributes> attributes(const std::string&) override {
        return host::FileAttributes{.size = content.size()};
    }
    host::FileResult<std::shared_ptr<const host::DirectoryListing>> list(
        const std::string&) override {
        return std::make_shared<const host::DirectoryListing>(entries);
    }
    host::FileResult<u64> read(const std::string&, u64, std::span<u8> bytes) override {
        const std::size_t count = std::min(bytes.size(), content.size());
        std::copy_n(content.begin(), count, bytes.begin());
        return u64{count};
    }
    host::FileResult<std::string> read_link(const std::string&) override {
        return host::FileError{EINVAL};
    }

    std::string content = "content";
    host::DirectoryListing entries{{"x", 1}};
};

TEST(FileChanges, AreFoundByContentAndByName) {
    OneFile host;
    history::FileRecord run, all;
    history::RecordedFiles files(run, host, {.kept = {"/w"}, .not_kept = {}});
    std::vector<u8> bytes(16);
    EXPECT_TRUE(files.read("/w/file", 0, bytes).ok());
    EXPECT_TRUE(files.list("/w").ok());
    EXPECT_FALSE(files.read_link("/w/file").ok());
    EXPECT_EQ(add_new_answers(all, run).blocks.size(), 1u);
    EXPECT_TRUE(add_new_answers(all, run).empty());
    EXPECT_TRUE(all.blocks.begin()->second.value.bytes.empty());
    EXPECT_EQ(first_changed_file(all, host), std::nullopt);
    host.content[3] = 'T';
    EXPECT_EQ(first_changed_file(all, host), "/w/file");
    host.content = "content";
    host.entries.push_back({"y", 1});
    EXPECT_EQ(first_changed_file(all, host), "/w");
}

}  // namespace
}  // namespace uchronia::explore
