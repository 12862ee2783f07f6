#include "cli/image_request.h"

#include <gtest/gtest.h>

namespace uchronia::cli {
namespace {

using Strings = std::vector<std::string>;

std::optional<std::string> read(const std::string& path) {
    if (path == "/etc/passwd")
        return "root:x:0:0:root:/root:/bin/sh\n\nbroken\nwww:x:33:34:www:/var/www:/bin/false\n";
    if (path == "/etc/group")
        return "root:x:0:\nssl:x:101:a,www\nwww:x:34:\nlog:x:7:www\n";
    return std::nullopt;
}

Result<machine::RunRequest> request(const image::Configuration& configuration,
                                    const Strings& command,
                                    const std::optional<std::string>& entrypoint = {}) {
    machine::RunRequest result;
    if (Status status = request_of_image(configuration, command, entrypoint, read, result); !status)
        return status.error();
    return result;
}

image::Configuration example() {
    return {.entrypoint = {"/e", "-x"},
            .command = {"default"},
            .environment = {"PATH=/own", "LANG=de", "broken"},
            .working_directory = "srv/x/",
            .user = ""};
}

TEST(ImageRequest, ArgumentsGoToTheEntryPoint) {
    EXPECT_EQ(request(example(), {})->arguments, (Strings{"/e", "-x", "default"}));
    EXPECT_EQ(request(example(), {"a", "b"})->arguments, (Strings{"/e", "-x", "a", "b"}));
    EXPECT_EQ(request(example(), {"a"}, "/other")->arguments, (Strings{"/other", "a"}));
    EXPECT_EQ(request(example(), {}, "/other")->arguments, (Strings{"/other"}));
    EXPECT_EQ(request(example(), {"a"}, "")->arguments, (Strings{"a"}));
    EXPECT_EQ(request({}, {"a"})->arguments, (Strings{"a"}));
    EXPECT_FALSE(request({}, {}).ok());
}

TEST(ImageRequest, TheEnvironmentIsTheImages) {
    EXPECT_EQ(request(example(), {})->environment,
              (Strings{"HOSTNAME=uchronia", "HOME=/root", "PATH=/own", "LANG=de"}));
    EXPECT_EQ(request(example(), {})->working_directory, "/srv/x");
    EXPECT_EQ(request({}, {"a"})->working_directory, "/");
    EXPECT_EQ(request({}, {"a"})->root, machine::SharedRoot::kImage);
}

TEST(ImageRequest, UsersAreLookedUpInTheImage) {
    image::Configuration configuration = example();
    configuration.user = "www";
    Result<machine::RunRequest> run = request(configuration, {});
    ASSERT_TRUE(run.ok());
    EXPECT_EQ(run->uid, 33u);
    EXPECT_EQ(run->gid, 34u);
    EXPECT_EQ(run->groups, (std::vector<u32>{7, 101}));
    EXPECT_EQ(run->environment[1], "HOME=/var/www");

    configuration.user = "33:ssl";
    run = request(configuration, {});
    EXPECT_EQ(run->uid, 33u);
    EXPECT_EQ(run->gid, 101u);
    EXPECT_TRUE(run->groups.empty());

    configuration.user = "1234:5678";
    run = request(configuration, {});
    EXPECT_EQ(run->uid, 1234u);
    EXPECT_EQ(run->gid, 5678u);
    EXPECT_EQ(run->environment[1], "HOME=/");

    for (const char* user : {"nobody", "www:nobody", "-1", "4294967296", "0x1"}) {
        configuration.user = user;
        EXPECT_FALSE(request(configuration, {}).ok()) << user;
    }
}

}  // namespace
}  // namespace uchronia::cli
