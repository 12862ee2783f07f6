#include "machine/run_request.h"

#include <gtest/gtest.h>

#include "guest/hypercall.h"
#include "guest/run_description.h"

namespace uchronia::machine {
namespace {

RunRequest example() {
    RunRequest request;
    request.arguments = {"sh", "-c", "", "echo hello"};
    request.environment = {"PATH=/usr/bin:/bin", "EMPTY="};
    request.working_directory = "/home/a user";
    request.shares = {"/home/a user", "/tmp/x"};
    request.modules_folder = "/cache/lib/modules/6.1";
    request.groups = {4, 1000, 0xfffffffe};
    request.uid = 1000;
    request.gid = 100;
    request.input = StandardInput::kFromHost;
    return request;
}

TEST(RunRequest, TheGuestReadsWhatTheMachineWrote) {
    const auto bytes = encode_run_request(example());
    ASSERT_TRUE(bytes.ok());
    guest::RunDescription run;
    ASSERT_TRUE(guest::parse_run_description(bytes->data(), bytes->size(), run));
    EXPECT_EQ(run.flags, static_cast<u32>(UCHRONIA_RUN_HAS_INPUT));
    EXPECT_EQ(run.uid, 1000u);
    EXPECT_EQ(run.gid, 100u);
    ASSERT_EQ(run.group_count, 3u);
    EXPECT_EQ(guest::group_at(run, 2), 0xfffffffeu);
    EXPECT_STREQ(run.working_directory, "/home/a user");
    EXPECT_STREQ(run.modules_folder, "/cache/lib/modules/6.1");
    ASSERT_EQ(run.arguments.count, 4u);
    char* arguments[5];
    guest::fill_pointers(run.arguments, arguments);
    EXPECT_STREQ(arguments[0], "sh");
    EXPECT_STREQ(arguments[2], "");
    EXPECT_STREQ(arguments[3], "echo hello");
    EXPECT_EQ(arguments[4], nullptr);
    ASSERT_EQ(run.environment.count, 2u);
    EXPECT_STREQ(guest::next_string(run.environment.first), "EMPTY=");
    EXPECT_TRUE(guest::run_uses_folder(run, "/tmp"));
    EXPECT_FALSE(guest::run_uses_folder(run, "/var"));
}

TEST(RunRequest, TheFolderThatComesOutIsOptional) {
    RunRequest request = example();
    guest::RunDescription run;
    auto bytes = encode_run_request(request);
    ASSERT_TRUE(guest::parse_run_description(bytes->data(), bytes->size(), run));
    EXPECT_EQ(run.out_folder, nullptr);
    EXPECT_FALSE(guest::run_uses_folder(run, "/var"));
    request.out_folder = "/var/lib/x";
    request.root = SharedRoot::kImage;
    bytes = encode_run_request(request);
    ASSERT_TRUE(guest::parse_run_description(bytes->data(), bytes->size(), run));
    EXPECT_STREQ(run.out_folder, "/var/lib/x");
    EXPECT_EQ(run.flags,
              u32{UCHRONIA_RUN_HAS_INPUT | UCHRONIA_RUN_HAS_IMAGE | UCHRONIA_RUN_HAS_OUT});
    EXPECT_TRUE(guest::run_uses_folder(run, "/var"));
    request.out_folder = "/";
    bytes = encode_run_request(request);
    ASSERT_TRUE(guest::parse_run_description(bytes->data(), bytes->size(), run));
    EXPECT_TRUE(guest::run_uses_folder(run, "/srv"));
}

TEST(RunRequest, EveryTruncationIsRefused) {
    RunRequest request = example();
    request.out_folder = "/out";
    const auto bytes = encode_run_request(request);
    ASSERT_TRUE(bytes.ok());
    guest::RunDescription run;
    for (std::size_t size = 0; size < bytes->size(); ++size) {
        std::vector<u8> part(bytes->begin(), bytes->begin() + static_cast<std::ptrdiff_t>(size));
        EXPECT_FALSE(guest::parse_run_description(part.data(), part.size(), run)) << size;
        if (size < 8)
            continue;
        part[4] = static_cast<u8>(size);  // with a size word that fits
        part[5] = static_cast<u8>(size >> 8);
        EXPECT_FALSE(guest::parse_run_description(part.data(), part.size(), run)) << size;
    }
}

TEST(RunRequest, HugeCountsAreRefused) {
    const auto bytes = encode_run_request(example());
    guest::RunDescription run;
    for (int word = UCHRONIA_RUN_WORD_GROUPS; word <= UCHRONIA_RUN_WORD_SHARES; ++word) {
        std::vector<u8> changed = *bytes;
        std::fill_n(changed.begin() + word * 4, 4, u8{0xff});
        EXPECT_FALSE(guest::parse_run_description(changed.data(), changed.size(), run)) << word;
    }
}

TEST(RunRequest, RefusesWhatCannotBeRun) {
    EXPECT_FALSE(encode_run_request({}).ok());
    RunRequest request = example();
    request.environment.push_back(std::string("A=b\0c", 5));
    EXPECT_FALSE(encode_run_request(request).ok());
    request = example();
    request.arguments.push_back(std::string(UCHRONIA_MAXIMUM_TRANSFER, 'x'));
    EXPECT_FALSE(encode_run_request(request).ok());
}

TEST(RunRequest, FoldersAreComparedByWholeNames) {
    EXPECT_TRUE(guest::is_within("/tmp", "/tmp"));
    EXPECT_TRUE(guest::is_within("/tmp/x", "/tmp"));
    EXPECT_FALSE(guest::is_within("/tmpx", "/tmp"));
    EXPECT_FALSE(guest::is_within("/", "/tmp"));
}

}  // namespace
}  // namespace uchronia::machine
