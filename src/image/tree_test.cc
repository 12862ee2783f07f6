#include "image/tree.h"

#include <gtest/gtest.h>

namespace uchronia::image {
namespace {

Entry file(const std::string& path, u64 size = 0) {
    return {.path = path,
            .attributes = {.mode = S_IFREG | 0644, .size = size},
            .target = {},
            .chunks = {}};
}

Entry folder(const std::string& path, u32 mode = 0755) {
    return {.path = path, .attributes = {.mode = S_IFDIR | mode}, .target = {}, .chunks = {}};
}

Entry link(const std::string& path, const std::string& target) {
    return {.path = path,
            .attributes = {.mode = S_IFLNK | 0777, .size = target.size()},
            .target = target,
            .chunks = {}};
}

std::string names(Tree& tree) {
    std::string result;
    for (const Entry& entry : tree.take())
        result += (result.empty() ? "" : " ") + entry.path;
    return result;
}

TEST(Tree, MakesMissingParentsAndTidiesNames) {
    Tree tree;
    tree.begin_layer();
    ASSERT_TRUE(tree.add(file("./a//b/c")).ok());
    ASSERT_TRUE(tree.add(file("/absolute")).ok());
    ASSERT_TRUE(tree.add(folder("a/", 0700)).ok());
    EXPECT_EQ(tree.find("/a")->attributes.mode, u32{S_IFDIR | 0700});
    EXPECT_EQ(names(tree), "/ /a /a/b /a/b/c /absolute");
}

TEST(Tree, LaterEntriesReplaceEarlierOnes) {
    Tree tree;
    tree.begin_layer();
    ASSERT_TRUE(tree.add(file("a", 1)).ok());
    ASSERT_TRUE(tree.add(file("a", 2)).ok());
    ASSERT_TRUE(tree.add(file("d/x")).ok());
    EXPECT_EQ(tree.find("/a")->attributes.size, 2u);
    ASSERT_TRUE(tree.add(file("d")).ok());
    EXPECT_EQ(names(tree), "/ /a /d");
}

TEST(Tree, NothingLeadsOut) {
    Tree tree;
    tree.begin_layer();
    for (const char* path : {"..", "../x", "a/../../x", "/.."})
        EXPECT_FALSE(tree.add(file(path)).ok()) << path;
    EXPECT_FALSE(tree.add(file(std::string(256, 'x'))).ok());
    std::string deep;
    for (int i = 0; i < 3000; ++i)
        deep += "x/";
    EXPECT_FALSE(tree.add(file(deep + "x")).ok());
    // A link out of the tree leads to the tree's root, as after chroot(2).
    ASSERT_TRUE(tree.add(link("out", "../../..")).ok());
    ASSERT_TRUE(tree.add(file("out/etc/passwd")).ok());
    EXPECT_NE(tree.find("/etc/passwd"), nullptr);
    ASSERT_TRUE(tree.add(link("etc-link", "/etc")).ok());
    ASSERT_TRUE(tree.add(file("etc-link/shadow")).ok());
    EXPECT_NE(tree.find("/etc/shadow"), nullptr);
    EXPECT_TRUE(tree.find("/etc-link")->attributes.is_symlink());
}

TEST(Tree, LinksInCirclesAreRefused) {
    Tree tree;
    tree.begin_layer();
    ASSERT_TRUE(tree.add(link("a", "b")).ok());
    ASSERT_TRUE(tree.add(link("b", "a")).ok());
    EXPECT_FALSE(tree.add(file("a/x")).ok());
    ASSERT_TRUE(tree.add(link("self", "self")).ok());
    EXPECT_FALSE(tree.add(file("self/x")).ok());
    ASSERT_TRUE(tree.add(file("f")).ok());
    EXPECT_FALSE(tree.add(file("f/x")).ok());
}

TEST(Tree, HardLinksAreTheSameFile) {
    Tree tree;
    tree.begin_layer();
    ASSERT_TRUE(tree.add(file("a", 5)).ok());
    ASSERT_TRUE(tree.add_hard_link("d/b", "a").ok());
    EXPECT_EQ(tree.find("/d/b")->attributes.size, 5u);
    EXPECT_TRUE(tree.add_hard_link("a", "a").ok());
    EXPECT_FALSE(tree.add_hard_link("c", "missing").ok());
    EXPECT_FALSE(tree.add_hard_link("c", "d").ok());
    EXPECT_FALSE(tree.add_hard_link("c", "../a").ok());
}

TEST(Tree, WhiteoutsTakeAwayWhatIsBelow) {
    Tree tree;
    tree.begin_layer();
    for (const char* path : {"a", "d/x", "d/y/z", "e/old"})
        ASSERT_TRUE(tree.add(file(path)).ok());
    tree.begin_layer();
    ASSERT_TRUE(tree.remove_lower("a").ok());
    ASSERT_TRUE(tree.remove_lower("d/y").ok());
    ASSERT_TRUE(tree.remove_lower("never-there").ok());
    ASSERT_TRUE(tree.add(file("e/new")).ok());
    ASSERT_TRUE(tree.remove_below("e").ok());
    EXPECT_EQ(names(tree), "/ /d /d/x /e /e/new");
}

TEST(Tree, ALayerTakesNothingOfItsOwn) {
    Tree tree;
    tree.begin_layer();
    ASSERT_TRUE(tree.add(file("d/low")).ok());
    ASSERT_TRUE(tree.add(file("d/sub/low")).ok());
    tree.begin_layer();
    ASSERT_TRUE(tree.add(file("d/sub/high")).ok());
    ASSERT_TRUE(tree.remove_lower("d").ok());
    EXPECT_EQ(names(tree), "/ /d /d/sub /d/sub/high");
}

TEST(Tree, AFolderThatIsReplacedWholeLosesItsOldContents) {
    Tree tree;
    tree.begin_layer();
    ASSERT_TRUE(tree.add(file("d/low")).ok());
    tree.begin_layer();
    ASSERT_TRUE(tree.add(folder("d", 0700)).ok());
    ASSERT_TRUE(tree.remove_lower("d").ok());
    EXPECT_EQ(names(tree), "/ /d");
}

}  // namespace
}  // namespace uchronia::image
