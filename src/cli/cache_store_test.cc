#include "cli/cache_store.h"

#include <gtest/gtest.h>
#include <utime.h>

#include <algorithm>

#include "history/history_file.h"
#include "host/files.h"
#include "image/build.h"
#include "image/image_list.h"
#include "image/testing.h"

namespace uchronia::cli {
namespace {

class CacheStore : public testing::Test {
  protected:
    Digest put(const std::string& text) {
        const std::vector<u8> bytes(text.begin(), text.end());
        const Digest digest = digest_of(std::span<const u8>(bytes));
        EXPECT_TRUE(store_.put(digest, bytes).ok());
        make_old(digest);
        return digest;
    }
    void make_old(Digest digest) {
        const utimbuf old{1000, 1000};
        ASSERT_EQ(::utime(store_.path_of(digest).c_str(), &old), 0);
    }
    // The contents that may go, and are not in use.
    std::vector<Digest> removable() {
        std::vector<Digest> digests;
        const auto entries = contents_not_needed(folder_.path());
        EXPECT_TRUE(entries.ok());
        for (const CacheEntry& entry : *entries) {
            for (const Digest digest : {a_, b_, c_}) {
                if (!entry.in_use && folder_ / entry.path == store_.path_of(digest))
                    digests.push_back(digest);
            }
        }
        return digests;
    }

    image::TestFolder folder_;
    const history::ContentStore store_{folder_ / "store"};
    const Digest a_ = put("a"), b_ = put("b"), c_ = put("c");
};

TEST_F(CacheStore, WhatNothingNeedsMayGo) {
    EXPECT_EQ(removable().size(), 3u);
    EXPECT_TRUE(store_.has(b_));  // and so it is used today
    EXPECT_EQ(removable().size(), 2u);
    EXPECT_TRUE(contents_not_needed(folder_ / "none")->empty());
}

TEST_F(CacheStore, ImagesKeepTheirContents) {
    folder_.write("root/a", "a");
    image::Work work;
    const auto built = image::build_image(folder_ / "root", {}, store_, folder_ / "work", work);
    ASSERT_TRUE(built.ok());
    make_old(a_);
    make_old(built->digest);
    const image::ImageList list(folder_ / "images");
    const image::ListedImage listed{
        .name = "mine", .source = "/x", .manifest = built->digest, .stamp = {}};
    ASSERT_TRUE(list.add(listed).ok());
    EXPECT_EQ(contents_not_needed(folder_.path())->size(), 2u);
    make_old(a_);
    EXPECT_EQ(removable().size(), 2u);
    ASSERT_TRUE(list.remove(listed).ok());
    make_old(a_);
    EXPECT_EQ(removable().size(), 3u);
}

TEST_F(CacheStore, HistoriesOfTheCacheKeepWhatTheyRead) {
    history::History history;
    history.tape = history::Tape::from_seed(1);
    history.record.blocks[{"/usr/x", 0, 10}] = {.error = 0,
                                                .value = {.size = 1, .digest = a_, .bytes = {}}};
    ASSERT_TRUE(history::save_history(history, folder_ / "last.uch").ok());
    history.record.blocks.begin()->second.value.digest = c_;
    ASSERT_TRUE(host::create_directories(folder_ / "findings").ok());
    ASSERT_TRUE(history::save_history(history, folder_ / "findings/x.uch").ok());
    EXPECT_EQ(removable(), std::vector<Digest>{b_});
}

}  // namespace
}  // namespace uchronia::cli
