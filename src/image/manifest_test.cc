#include "image/manifest.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "host/files.h"
#include "image/sample_manifest.h"

namespace uchronia::image {
namespace {

bool is_refused(const Manifest& manifest) {
    return !parse_manifest(serialise(manifest), "test").ok();
}

TEST(Manifest, KeepsEveryField) {
    const Manifest manifest = sample_manifest();
    const Result<Manifest> read = parse_manifest(serialise(manifest), "test");
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ(*read, manifest);
    EXPECT_EQ(read->content_size(), kChunkSize + 10);
}

TEST(Manifest, ReadsTheGoldenFileOfVersion1) {
    const std::string path =
        (std::filesystem::path(__FILE__).parent_path() / "testdata/manifest-v1").string();
    const auto file = host::read_file(path);
    ASSERT_TRUE(file.ok()) << file.error().message;
    const Result<Manifest> read = parse_manifest(*file, "golden");
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ(*read, sample_manifest());
    EXPECT_EQ(serialise(*read), *file);
}

TEST(Manifest, EveryTruncationIsRefused) {
    const std::vector<u8> file = serialise(sample_manifest());
    for (std::size_t size = 0; size < file.size(); ++size)
        EXPECT_FALSE(parse_manifest(std::span(file).first(size), "test").ok()) << size;
    std::vector<u8> longer = file;
    longer.push_back(0);
    EXPECT_FALSE(parse_manifest(longer, "test").ok());
}

TEST(Manifest, ANewerVersionIsNamed) {
    std::vector<u8> file = serialise(sample_manifest());
    file[8] = 9;
    const Result<Manifest> read = parse_manifest(file, "mine");
    ASSERT_FALSE(read.ok());
    EXPECT_NE(read.error().message.find("image mine has format version 9"), std::string::npos);
}

TEST(Manifest, RefusesWhatCannotBe) {
    Manifest manifest = sample_manifest();
    std::swap(manifest.entries[1], manifest.entries[2]);
    EXPECT_TRUE(is_refused(manifest)) << "order";

    manifest = sample_manifest();
    manifest.entries.erase(manifest.entries.begin());
    EXPECT_TRUE(is_refused(manifest)) << "root";

    for (const char* path : {"x", "//", "/a/..", "/a/", "/./a", ""}) {
        manifest = sample_manifest();
        manifest.entries[1].path = path;
        EXPECT_TRUE(is_refused(manifest)) << path;
    }
    manifest = sample_manifest();
    manifest.entries[1].attributes.mode = S_IFREG | 0644;  // things lie in it
    manifest.entries[1].attributes.size = 0;
    EXPECT_TRUE(is_refused(manifest)) << "parent";

    manifest = sample_manifest();
    manifest.entries.back().target = "";
    EXPECT_TRUE(is_refused(manifest)) << "link";

    for (Entry& entry : (manifest = sample_manifest()).entries) {
        if (entry.attributes.is_regular())
            entry.chunks.pop_back();
    }
    EXPECT_TRUE(is_refused(manifest)) << "chunks";

    manifest = sample_manifest();
    manifest.entries[1].attributes.mode = S_IFBLK | 0600;
    EXPECT_TRUE(is_refused(manifest)) << "type";
}

TEST(Manifest, ParentsOfPaths) {
    EXPECT_EQ(parent_of("/a/b"), "/a");
    EXPECT_EQ(parent_of("/a"), "/");
    EXPECT_EQ(parent_of("/"), "/");
}

}  // namespace
}  // namespace uchronia::image
