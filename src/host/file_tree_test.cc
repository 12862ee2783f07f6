#include "host/file_tree.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace uchronia::host {
namespace {

namespace fs = std::filesystem;

// root/
//   shared/ a.txt  b/deep.txt  link -> a.txt  escape -> ../secret  up -> ..  .hidden/x  pipe
//   shared-too/ f
//   secret/ key
//   alias -> shared/b
class FileTreeTest : public testing::TestWithParam<OpenMethod> {
  protected:
    void SetUp() override {
        std::string pattern = fs::canonical(testing::TempDir()).string() + "/file_tree_XXXXXX";
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        root = pattern;
        fs::create_directories(root + "/shared/b");
        fs::create_directories(root + "/shared/.hidden");
        fs::create_directories(root + "/shared-too");
        fs::create_directories(root + "/secret");
        std::ofstream(root + "/shared/a.txt") << "hello";
        std::ofstream(root + "/shared/b/deep.txt") << "deep";
        std::ofstream(root + "/shared/.hidden/x") << "x";
        std::ofstream(root + "/shared-too/f") << "f";
        std::ofstream(root + "/secret/key") << "key";
        fs::create_symlink("a.txt", root + "/shared/link");
        fs::create_symlink("../secret", root + "/shared/escape");
        fs::create_symlink("..", root + "/shared/up");
        fs::create_symlink("shared/b", root + "/alias");
        ASSERT_EQ(::mkfifo((root + "/shared/pipe").c_str(), 0600), 0);
    }
    void TearDown() override { fs::remove_all(root); }

    std::unique_ptr<FileTree> tree_of(const FileTreeOptions& options) {
        auto tree = FileTree::create(options, GetParam());
        EXPECT_TRUE(tree.ok());
        return std::move(*tree);
    }
    std::unique_ptr<FileTree> shared_tree() {
        return tree_of({.exports = {root + "/shared"},
                        .exports_if_present = {root + "/absent"},
                        .hidden = {root + "/shared/.hid*"}});
    }
    std::string content(FileTree& tree, const std::string& path) {
        std::vector<u8> bytes(100);
        const FileResult<u64> count = tree.read(path, 0, bytes);
        return count.ok() ? std::string(bytes.begin(), bytes.begin() + static_cast<long>(*count))
                          : "error " + std::to_string(count.error());
    }
    std::vector<std::string> names(FileTree& tree, const std::string& path) {
        std::vector<std::string> result;
        const auto listing = tree.list(path);
        EXPECT_TRUE(listing.ok()) << path;
        if (listing.ok()) {
            for (const DirectoryEntry& entry : **listing)
                result.push_back(entry.name);
        }
        return result;
    }

    std::string root;
};

INSTANTIATE_TEST_SUITE_P(BothMethods, FileTreeTest,
                         testing::Values(OpenMethod::kOneCall, OpenMethod::kEachComponent));

TEST_P(FileTreeTest, ReadsWhatIsExported) {
    const auto tree = shared_tree();
    EXPECT_EQ(content(*tree, root + "/shared/a.txt"), "hello");
    EXPECT_EQ(content(*tree, root + "/shared/b/deep.txt"), "deep");
    std::vector<u8> bytes(3);
    EXPECT_EQ(*tree->read(root + "/shared/a.txt", 4, bytes), 1u);
    EXPECT_EQ(*tree->read(root + "/shared/a.txt", 1000, bytes), 0u);
    EXPECT_EQ(*tree->read(root + "/shared/a.txt", ~u64{0}, bytes), 0u);
    const FileAttributes found = *tree->attributes(root + "/shared/a.txt");
    EXPECT_TRUE(found.is_regular());
    EXPECT_EQ(found.size, 5u);
}

TEST_P(FileTreeTest, ListsInOrderWithoutWhatIsHidden) {
    const auto tree = shared_tree();
    const std::vector<std::string> expected = {"a.txt", "b", "escape", "link", "pipe", "up"};
    EXPECT_EQ(names(*tree, root + "/shared"), expected);
    EXPECT_EQ(names(*tree, root + "/shared"), expected) << "from the cache";
    const DirectoryListing& listing = **tree->list(root + "/shared");
    EXPECT_EQ(listing[0].type, u32{S_IFREG});
    EXPECT_EQ(listing[1].type, u32{S_IFDIR});
    EXPECT_EQ(listing[2].type, u32{S_IFLNK});
    EXPECT_EQ(listing[4].type, u32{S_IFIFO});
}

TEST_P(FileTreeTest, HidesAndShowsNothingElse) {
    const auto tree = shared_tree();
    for (const char* path : {"/shared/.hidden", "/shared/.hidden/x", "/secret", "/secret/key",
                             "/shared-too", "/absent"}) {
        EXPECT_EQ(tree->attributes(root + path).error(), ENOENT) << path;
        EXPECT_EQ(tree->list(root + path).error(), ENOENT) << path;
        EXPECT_EQ(content(*tree, root + path), "error 2") << path;
        EXPECT_EQ(tree->read_link(root + path).error(), ENOENT) << path;
    }
}

TEST_P(FileTreeTest, FollowsNoSymbolicLink) {
    const auto tree = shared_tree();
    EXPECT_TRUE(tree->attributes(root + "/shared/escape")->is_symlink());
    EXPECT_EQ(*tree->read_link(root + "/shared/escape"), "../secret");
    EXPECT_EQ(tree->read_link(root + "/shared/a.txt").error(), EINVAL);
    EXPECT_EQ(tree->read_link(root + "/shared/b").error(), EINVAL);
    for (const char* path : {"/shared/escape/key", "/shared/up/secret/key", "/shared/link",
                             "/shared/up/shared/a.txt"}) {
        std::vector<u8> bytes(1);
        EXPECT_FALSE(tree->read(root + path, 0, bytes).ok()) << path;
    }
    EXPECT_FALSE(tree->attributes(root + "/shared/escape/key").ok());
    EXPECT_FALSE(tree->list(root + "/shared/escape").ok());
}

TEST_P(FileTreeTest, TakesOnlyPlainPaths) {
    const auto tree = shared_tree();
    const std::string shared = root + "/shared";
    for (const std::string& path : {std::string(), std::string("etc"), shared + "/",
                                    shared + "/../secret/key", shared + "/..", shared + "/./a.txt",
                                    shared + "//a.txt", shared + std::string("/a.txt\0x", 8)}) {
        EXPECT_EQ(tree->attributes(path).error(), ENOENT) << path;
        EXPECT_EQ(tree->list(path).error(), ENOENT) << path;
    }
}

TEST_P(FileTreeTest, OpensOnlyRegularFiles) {
    const auto tree = shared_tree();
    EXPECT_TRUE(S_ISFIFO(tree->attributes(root + "/shared/pipe")->mode));
    EXPECT_EQ(content(*tree, root + "/shared/pipe"), "error " + std::to_string(ENXIO));
    EXPECT_EQ(content(*tree, root + "/shared/b"), "error " + std::to_string(EISDIR));
    EXPECT_EQ(content(*tree, root), "error " + std::to_string(EISDIR));
}

TEST_P(FileTreeTest, MakesTheDirectoriesOnTheWay) {
    const auto tree = tree_of({.exports = {root + "/shared/b", root + "/shared-too"}});
    const FileAttributes on_the_way = *tree->attributes(root);
    EXPECT_EQ(on_the_way.mode, u32{S_IFDIR | 0755});
    EXPECT_EQ(on_the_way.modified_seconds, 0);
    EXPECT_EQ(names(*tree, root), (std::vector<std::string>{"shared", "shared-too"}));
    EXPECT_EQ(names(*tree, root + "/shared"), std::vector<std::string>{"b"});
    EXPECT_EQ(names(*tree, root + "/shared/b"), std::vector<std::string>{"deep.txt"});
    EXPECT_EQ(tree->attributes(root + "/shared/a.txt").error(), ENOENT);
    EXPECT_EQ(tree->read_link(root).error(), EINVAL);
    EXPECT_EQ(*tree->attributes("/"), on_the_way);
    EXPECT_EQ(names(*tree, "/"), std::vector<std::string>{root.substr(1, root.find('/', 1) - 1)});
}

TEST_P(FileTreeTest, ExportsALinkWithWhatItLeadsTo) {
    const auto tree = tree_of({.exports = {root + "/alias"}});
    EXPECT_EQ(tree->exports(), (std::vector<std::string>{root + "/alias", root + "/shared/b"}));
    EXPECT_EQ(*tree->read_link(root + "/alias"), "shared/b");
    EXPECT_EQ(content(*tree, root + "/shared/b/deep.txt"), "deep");
    EXPECT_EQ((**tree->list(root))[0], (DirectoryEntry{"alias", S_IFLNK}));
    const auto through = tree_of({.exports = {root + "/alias/deep.txt", root + "/shared/./b/"}});
    EXPECT_EQ(through->exports(), (std::vector<std::string>{root + "/alias", root + "/shared/b"}));
}

TEST_P(FileTreeTest, RefusesBadExports) {
    fs::create_symlink("loop", root + "/loop");
    for (const std::string& path : {root + "/absent", root + "/loop", std::string("relative")}) {
        const auto tree = FileTree::create({.exports = {path}}, GetParam());
        ASSERT_FALSE(tree.ok()) << path;
        EXPECT_NE(tree.error().message.find(path), std::string::npos);
    }
}

TEST_P(FileTreeTest, CanExportEverything) {
    const auto tree = tree_of({.exports = {"/", root}});
    EXPECT_EQ(tree->exports(), std::vector<std::string>{"/"});
    EXPECT_EQ(content(*tree, root + "/secret/key"), "key");
    EXPECT_TRUE(tree->attributes("/")->is_directory());
    EXPECT_TRUE(tree->list("/").ok());
}

TEST_P(FileTreeTest, ReadsMoreFilesThanItKeepsOpen) {
    for (int i = 0; i < 200; ++i)
        std::ofstream(root + "/shared/b/" + std::to_string(i)) << i;
    const auto tree = shared_tree();
    for (int round = 0; round < 2; ++round) {
        for (int i = 0; i < 200; ++i)
            EXPECT_EQ(content(*tree, root + "/shared/b/" + std::to_string(i)), std::to_string(i));
    }
}

TEST_P(FileTreeTest, GivesTheErrorOfAVanishedFile) {
    const auto tree = shared_tree();
    fs::remove(root + "/shared/a.txt");
    EXPECT_EQ(tree->attributes(root + "/shared/a.txt").error(), ENOENT);
    EXPECT_EQ(content(*tree, root + "/shared/a.txt"), "error 2");
}

TEST(OpenBeneath, DoesNotGoUp) {
    const FileDescriptor root(::open("/usr", O_PATH | O_DIRECTORY | O_CLOEXEC));
    for (const OpenMethod method : {OpenMethod::kOneCall, OpenMethod::kEachComponent}) {
        EXPECT_EQ(open_beneath(root, "../etc", O_PATH, method).error(), EXDEV);
        EXPECT_EQ(open_beneath(root, "bin/../../etc", O_PATH, method).error(), EXDEV);
        EXPECT_TRUE(open_beneath(root, "bin", O_PATH, method).ok());
    }
}

TEST(RecentCache, DropsTheLeastRecentlyUsed) {
    RecentCache<int> cache(2);
    cache.insert("a", 1);
    cache.insert("b", 2);
    EXPECT_EQ(*cache.find("a"), 1);
    cache.insert("c", 3);
    EXPECT_EQ(cache.find("b"), nullptr);
    EXPECT_EQ(*cache.find("a"), 1);
    EXPECT_EQ(*cache.find("c"), 3);
    EXPECT_EQ(cache.size(), 2u);
}

}  // namespace
}  // namespace uchronia::host
