#include "machine/kernel_locator.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "host/files.h"
#include "machine/fake_kernel.h"

namespace uchronia::machine {
namespace {

class KernelLocator : public testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = testing::TempDir() + "kernel_locator_test.XXXXXX";
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        root_ = pattern;
        ASSERT_TRUE(host::create_directories(root_ + "/boot").ok());
    }
    void TearDown() override { std::filesystem::remove_all(root_); }

    void add_kernel(const std::string& name) {
        ASSERT_TRUE(host::write_file_atomically(root_ + "/boot/" + name, fake_kernel()).ok());
    }
    void add_modules(const std::string& version) {
        ASSERT_TRUE(host::create_directories(root_ + "/lib/modules/" + version).ok());
    }

    std::string root_;
};

TEST_F(KernelLocator, FindsTheNewestCloudKernelWithModules) {
    const auto missing = find_installed_kernel(root_);
    ASSERT_FALSE(missing.ok());
    EXPECT_NE(missing.error().message.find("linux-image-cloud-amd64"), std::string::npos);
    for (const char* version : {"6.1.0-9-cloud-amd64", "6.1.0-56-cloud-amd64", "6.1.0-60-amd64"}) {
        add_kernel(std::string("vmlinuz-") + version);
        add_modules(version);
    }
    add_kernel("vmlinuz-6.1.0-99-cloud-amd64");  // without modules
    const auto found = find_installed_kernel(root_);
    ASSERT_TRUE(found.ok());
    EXPECT_EQ(found->version, "6.1.0-56-cloud-amd64");
    EXPECT_EQ(found->image, root_ + "/boot/vmlinuz-6.1.0-56-cloud-amd64");
    EXPECT_EQ(found->modules_folder, root_ + "/lib/modules/6.1.0-56-cloud-amd64");
}

TEST_F(KernelLocator, FindsTheModulesOfANamedKernel) {
    add_kernel("mine");
    const std::string image = root_ + "/boot/mine";
    const auto missing = find_modules_of(image, root_);
    ASSERT_FALSE(missing.ok());
    EXPECT_NE(missing.error().message.find("6.20.0-1-cloud-amd64"), std::string::npos);
    add_modules("6.20.0-1-cloud-amd64");
    const auto beside = find_modules_of(image, "/nowhere");
    ASSERT_TRUE(beside.ok());
    EXPECT_EQ(beside->version, "6.20.0-1-cloud-amd64");
    std::filesystem::create_directory(root_ + "/elsewhere");
    std::filesystem::create_directory(root_ + "/elsewhere/deep");
    std::filesystem::copy(image, root_ + "/elsewhere/deep/mine");
    EXPECT_TRUE(find_modules_of(root_ + "/elsewhere/deep/mine", root_).ok());
    EXPECT_FALSE(find_modules_of(root_ + "/boot/none", root_).ok());
}

TEST_F(KernelLocator, OrdersVersionsLikeAPerson) {
    EXPECT_TRUE(version_is_older("6.1.0-9", "6.1.0-56"));
    EXPECT_TRUE(version_is_older("5.10.0", "6.1.0"));
    EXPECT_TRUE(version_is_older("6.1", "6.1.0"));
    EXPECT_TRUE(version_is_older("", "6.1"));
    EXPECT_FALSE(version_is_older("6.1.0-56", "6.1.0-9"));
    EXPECT_FALSE(version_is_older("6.1", "6.1"));
    EXPECT_FALSE(version_is_older("6.01", "6.1"));
}

}  // namespace
}  // namespace uchronia::machine
