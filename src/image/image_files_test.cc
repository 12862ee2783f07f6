#include "image/image_files.h"

#include <gtest/gtest.h>

#include "image/chunk_writer.h"
#include "image/files_with_shares.h"
#include "image/hidden_folder.h"
#include "image/image_list.h"
#include "image/testing.h"

namespace uchronia::image {
namespace {

std::string names(host::FileSource& files, const std::string& path) {
    const auto listing = files.list(path);
    if (!listing.ok())
        return "error " + std::to_string(listing.error());
    std::string text;
    for (const host::DirectoryEntry& entry : **listing)
        text += (text.empty() ? "" : " ") + entry.name;
    return text;
}

std::string read(host::FileSource& files, const std::string& path, u64 offset, u64 size) {
    std::string text(size, '\0');
    const auto count = files.read(path, offset, {reinterpret_cast<u8*>(text.data()), size});
    return count.ok() ? text.substr(0, *count) : "error " + std::to_string(count.error());
}

class Files : public testing::Test {
  protected:
    std::unique_ptr<ImageFiles> open() {
        Entry content;
        ChunkWriter writer(store_);
        large_ = std::string(kChunkSize, 'a') + std::string(kChunkSize, 'b') + "end";
        EXPECT_TRUE(
            writer.append({reinterpret_cast<const u8*>(large_.data()), large_.size()}).ok());
        EXPECT_TRUE(writer.finish(content).ok());
        Manifest manifest;
        const auto add = [&](const char* path, u32 mode, u64 size) -> Entry& {
            manifest.entries.push_back({.path = path,
                                        .attributes = {.mode = mode, .size = size},
                                        .target = {},
                                        .chunks = {}});
            return manifest.entries.back();
        };
        add("/", S_IFDIR | 0755, 4096);
        add("/d", S_IFDIR | 0755, 4096);
        add("/d-x", S_IFREG, 0);
        add("/d/a", S_IFDIR | 0755, 4096);
        add("/d/a-b", S_IFREG, 0);
        add("/d/a/deep", S_IFREG, 0);
        add("/d/c", S_IFREG, 0);
        add("/large", S_IFREG | 0644, large_.size()).chunks = content.chunks;
        add("/link", S_IFLNK | 0777, 1).target = "d";
        return std::make_unique<ImageFiles>(std::make_shared<const Manifest>(manifest), store_);
    }

    TestFolder folder_;
    history::ContentStore store_{folder_ / "store"};
    std::string large_;
};

TEST_F(Files, ListsChildrenInOrder) {
    const auto files = open();
    EXPECT_EQ(names(*files, "/"), "d d-x large link");
    EXPECT_EQ(names(*files, "/d"), "a a-b c");
    EXPECT_EQ(names(*files, "/d/a"), "deep");
    EXPECT_EQ(names(*files, "/d-x"), "error " + std::to_string(ENOTDIR));
    EXPECT_EQ(names(*files, "/no"), "error " + std::to_string(ENOENT));
}

TEST_F(Files, ReadsAcrossChunks) {
    const auto files = open();
    EXPECT_EQ(read(*files, "/large", kChunkSize - 2, 4), "aabb");
    EXPECT_EQ(read(*files, "/large", 2 * kChunkSize - 1, 100), "bend");
    EXPECT_EQ(read(*files, "/large", large_.size() + 5, 10), "");
    EXPECT_EQ(read(*files, "/large", 0, large_.size()), large_);
    EXPECT_EQ(read(*files, "/d", 0, 1), "error " + std::to_string(EISDIR));
    EXPECT_EQ(read(*files, "/link", 0, 1), "error " + std::to_string(ELOOP));
    EXPECT_EQ(*files->read_link("/link"), "d");
    EXPECT_EQ(files->read_link("/d").error(), EINVAL);
}

TEST_F(Files, WhatTheStoreLacksIsAnError) {
    const auto files = open();
    std::filesystem::remove_all(folder_ / "store");
    EXPECT_EQ(read(*files, "/large", 0, 1), "error " + std::to_string(EIO));
}

TEST_F(Files, SharesLieOverTheImage) {
    folder_.write("share/inside", "text");
    auto shares = host::FileTree::create({.exports = {folder_ / "share"}});
    ASSERT_TRUE(shares.ok());
    FilesWithShares files(open(), std::move(*shares));
    EXPECT_EQ(names(files, "/"), "d d-x large link tmp");
    EXPECT_EQ(read(files, folder_ / "share/inside", 0, 10), "text");
    EXPECT_EQ(names(files, folder_.path()), "share");
    EXPECT_EQ(read(files, "/large", 0, 2), "aa");
    EXPECT_EQ(files.attributes(folder_ / "other").error(), ENOENT);
}

TEST_F(Files, AHiddenFolderIsThereButNotListed) {
    folder_.write("modules/inside", "text");
    auto tree = host::FileTree::create({.exports = {folder_ / "modules"}});
    ASSERT_TRUE(tree.ok());
    HiddenFolder files(open(), std::move(*tree), "/.modules", folder_ / "modules");
    EXPECT_EQ(names(files, "/"), "d d-x large link");
    EXPECT_TRUE(files.attributes("/.modules")->is_directory());
    EXPECT_EQ(names(files, "/.modules"), "inside");
    EXPECT_EQ(read(files, "/.modules/inside", 0, 10), "text");
    EXPECT_EQ(read(files, "/large", 0, 2), "aa");
    EXPECT_EQ(files.attributes("/.modules2").error(), ENOENT);
    EXPECT_EQ(files.attributes(folder_.path()).error(), ENOENT);
}

TEST(Images, AreListedByName) {
    TestFolder folder;
    const ImageList list(folder / "images");
    EXPECT_TRUE(list.all()->empty());
    const ListedImage named{
        .name = "mine:1", .source = "/a", .manifest = {1, 2}, .stamp = {3, 4, 5}};
    const ListedImage other{.name = "", .source = "/b", .manifest = {3, 4}, .stamp = {}};
    ASSERT_TRUE(list.add(other).ok());
    ASSERT_TRUE(list.add(named).ok());
    folder.write("images/damaged.json", "{");
    ASSERT_EQ(list.all()->size(), 2u);
    EXPECT_EQ((*list.all())[0], named);
    EXPECT_EQ(list.find_name("mine:1"), named);
    EXPECT_EQ(list.find_source("/b"), other);
    EXPECT_FALSE(list.find_source("/a").has_value());
    ASSERT_TRUE(list.remove(named).ok());
    EXPECT_FALSE(list.find_name("mine:1").has_value());
}

TEST(Images, HaveNamesThatCanBePrinted) {
    for (const char* name : {"a", "alpine:3.19", "host.org:5000/a/b@x", "A-b_c"})
        EXPECT_TRUE(is_image_name(name)) << name;
    for (const char* name : {"", "-x", "/a", ".", "a b", "a\n", "\xc3\xbc"})
        EXPECT_FALSE(is_image_name(name)) << name;
}

}  // namespace
}  // namespace uchronia::image
