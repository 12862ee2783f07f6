#include "history/bundle.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "history/history_file.h"
#include "history/sample_history.h"
#include "host/files.h"

namespace uchronia::history {
namespace {

std::string golden_path() {
    return (std::filesystem::path(__FILE__).parent_path() / "testdata" / "bundle-v1").string();
}

std::vector<u8> bytes_of(const std::string& text) {
    return {text.begin(), text.end()};
}

// Of what the history needs, and something more for the order.
std::map<Digest, std::vector<u8>> contents() {
    std::map<Digest, std::vector<u8>> map;
    for (const std::string text : {"the bytes of a system file", "others", ""})
        map[digest_of(text)] = bytes_of(text);
    return map;
}

History history_with_needs() {
    History history = sample_history();
    for (const auto& [digest, content] : contents())
        history.record.blocks[{"/usr/lib/" + std::to_string(content.size()), 0, 4096}] = {
            .error = 0, .value = {.size = content.size(), .digest = digest, .bytes = {}}};
    return history;
}

std::vector<u8> sample_bundle() {
    BundleWriter writer(history_with_needs());
    for (const auto& [digest, content] : contents())
        writer.add_content(digest, content);
    writer.add_base_image(bytes_of("no base image, but bytes"));
    return writer.finish();
}

// The first thing that is wrong, in whatever way it is used; empty if all is well.
std::string error_of(const std::vector<u8>& file) {
    const Result<Bundle> bundle = Bundle::open(file, "NAME");
    if (!bundle)
        return bundle.error().message;
    for (const BundleEntry& entry : bundle->entries()) {
        if (const auto content = bundle->take(entry); !content)
            return content.error().message;
    }
    const Result<History> history = bundle->history();
    return history ? "" : history.error().message;
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

void expect_sample(const std::vector<u8>& file) {
    const Result<Bundle> bundle = Bundle::open(file, "NAME");
    ASSERT_TRUE(bundle.ok()) << bundle.error().message;
    EXPECT_TRUE(*bundle->history() == history_with_needs());
    std::map<Digest, std::vector<u8>> found;
    for (const BundleEntry& entry : bundle->entries()) {
        if (entry.type == EntryType::kContent)
            found[entry.digest] = *bundle->take(entry);
    }
    EXPECT_EQ(found, contents());
    for (const auto& [digest, content] : contents())
        EXPECT_TRUE(bundle->has_content(digest));
    ASSERT_NE(bundle->base_image(), nullptr);
    EXPECT_EQ(*bundle->take(*bundle->base_image()), bytes_of("no base image, but bytes"));
}

TEST(Bundle, KeepsEverything) {
    expect_sample(sample_bundle());
}

TEST(Bundle, ReadsTheGoldenFileOfVersion1) {
    const Result<std::vector<u8>> file = host::read_file(golden_path());
    ASSERT_TRUE(file.ok()) << file.error().message;
    expect_sample(*file);
}

TEST(Bundle, CanBeAHistoryAlone) {
    const std::vector<u8> file = BundleWriter(sample_history()).finish();
    EXPECT_EQ(error_of(file), "");
    EXPECT_EQ(Bundle::open(file, "NAME")->base_image(), nullptr);
}

TEST(Bundle, RefusesEveryTruncation) {
    const std::vector<u8> file = sample_bundle();
    for (std::size_t size = 0; size < file.size(); ++size) {
        const std::string error = error_of({file.begin(), file.begin() + static_cast<long>(size)});
        EXPECT_TRUE(contains(error, "NAME")) << size;
        EXPECT_TRUE(contains(error, size < 8 ? "not a bundle" : "ends too early")) << size;
    }
}

TEST(Bundle, RefusesEveryFlippedBit) {
    const std::vector<u8> file = sample_bundle();
    for (std::size_t i = 0; i < file.size(); ++i) {
        for (int bit = 0; bit < 8; ++bit) {
            std::vector<u8> changed = file;
            changed[i] ^= static_cast<u8>(1 << bit);
            const std::string error = error_of(changed);
            // Zstandard has bits without a meaning: then the content is the same.
            EXPECT_TRUE(contains(error, "NAME") || error.empty()) << "byte " << i << " " << bit;
            if (error.empty())
                expect_sample(changed);
        }
    }
}

TEST(Bundle, NamesForeignAndNewerFilesAndTheRemedy) {
    EXPECT_TRUE(contains(error_of(bytes_of("#!/bin/sh\n")), "is not a bundle of Uchronia"));
    EXPECT_TRUE(contains(error_of(serialise_history(sample_history())), "'uchronia export"));
    std::vector<u8> newer = sample_bundle();
    newer[8] = 2;
    EXPECT_TRUE(contains(error_of(newer), "has format version 2"));
    EXPECT_TRUE(contains(error_of(newer), "Use the newer Uchronia"));
    std::vector<u8> longer = sample_bundle();
    longer.push_back(0);
    EXPECT_TRUE(contains(error_of(longer), "after its end"));
    const Result<History> history = parse_history(sample_bundle(), "NAME");
    EXPECT_TRUE(contains(history.error().message, "uchronia import NAME"));
}

TEST(Bundle, TellsWhatAHistoryNeeds) {
    const History history = history_with_needs();
    const std::map<Digest, BlockQuestion> needed = needed_contents(history);
    EXPECT_EQ(needed.size(), 2u);  // nothing is needed for the empty one
    EXPECT_EQ(needed.at(digest_of(std::string_view("others"))).path, "/usr/lib/6");
    const auto files = read_files(
        history, [](Digest digest) { return digest == digest_of(std::string_view("others")); });
    ASSERT_EQ(files.size(), 4u);
    EXPECT_EQ(files[0].path, "/usr/lib/0");
    EXPECT_EQ(files[1].path, "/usr/lib/26");
    EXPECT_EQ(files[1].missing, 26u);
    EXPECT_EQ(files[2].missing, 0u);
    EXPECT_FALSE(files[2].in_history);
    EXPECT_EQ(files[3].path, "/usr/x");
    EXPECT_TRUE(files[3].in_history);
    EXPECT_EQ(files[3].read_size, 3u);
}

TEST(Bundle, LeavesOutWhatPatternsName) {
    History history = history_with_needs();
    history.record.blocks[{"/work/copy", 0, 4096}] =
        history.record.blocks.at({"/usr/lib/6", 0, 4096});
    EXPECT_EQ(leave_out(history, {"/usr/x", "/usr/lib/6"}).size(), 1u);  // "others" has a copy
    EXPECT_TRUE(history.record.blocks.at({"/usr/x", 0, 4096}).value.bytes.empty());
    EXPECT_EQ(leave_out(history, {"copy", "/usr"}).size(), 3u);
    EXPECT_EQ(error_of(BundleWriter(history).finish()), "");
}

TEST(Bundle, PatternsFitPathsFoldersAndNames) {
    EXPECT_TRUE(matches("/a/b/c", {"/a/b"}));
    EXPECT_TRUE(matches("/a/b/c", {"/a/*/c"}));
    EXPECT_TRUE(matches("/a/b/c", {"x", "b"}));
    EXPECT_TRUE(matches("/a/b/.env", {".e*"}));
    EXPECT_FALSE(matches("/a/b/c", {"/b", "/a/*/*/c", "bc", "/a/b/c/d"}));
    EXPECT_FALSE(matches("/a", {}));
}

}  // namespace
}  // namespace uchronia::history
