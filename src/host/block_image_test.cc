#include "host/block_image.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace uchronia::host {
namespace {

TEST(FileBlockImage, PadsTheLastSector) {
    const std::string path = testing::TempDir() + "block_image_test.img";
    std::ofstream(path) << std::string(700, 'x');
    auto image = FileBlockImage::open(path);
    ASSERT_TRUE(image.ok());
    std::filesystem::remove(path);
    EXPECT_EQ((*image)->sector_count(), 2u);
    std::vector<u8> bytes(1024);
    EXPECT_TRUE((*image)->read(0, bytes));
    EXPECT_EQ(bytes[699], 'x');
    EXPECT_EQ(bytes[700], 0);
    EXPECT_TRUE((*image)->read(1, std::span(bytes).first(512)));
    EXPECT_EQ(bytes[0], 'x');
    EXPECT_EQ(bytes[200], 0);
    EXPECT_FALSE((*image)->read(2, std::span(bytes).first(512)));
}

TEST(FileBlockImage, SaysWhatIsWrong) {
    EXPECT_NE(FileBlockImage::open("/nowhere/disk").error().message.find("/nowhere/disk"),
              std::string::npos);
    EXPECT_FALSE(FileBlockImage::open("/").ok());
    EXPECT_FALSE(FileBlockImage::open("/dev/null").ok());
}

}  // namespace
}  // namespace uchronia::host
