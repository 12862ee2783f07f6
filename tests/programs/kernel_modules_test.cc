// The guest's kernel finds its modules, whoever asks for them.
#include <gtest/gtest.h>

#include "tests/programs/host_run.h"

namespace uchronia::tests {
namespace {

std::string output_of(const std::string& script) {
    return run_command("cd / && " UCHRONIA_PROGRAM " run -- sh -c '" + script + "' 2>&1").output;
}

TEST(KernelModules, AreLoadedWhenADeviceIsOpened) {
    EXPECT_EQ(output_of("test -e /dev/loop0 || echo none; cd /dev/shm; truncate -s 4M disk;"
                        "mke2fs -q disk; mkdir mounted; mount -o loop disk mounted;"
                        "echo kept > mounted/file; umount mounted; mount -o loop disk mounted;"
                        "cat mounted/file; ls /dev/loop0"),
              "none\nkept\n/dev/loop0\n");
}

TEST(KernelModules, AreLoadedForAnAlgorithmOrAFileSystem) {
    EXPECT_EQ(
        output_of("grep -c nft_compat /proc/modules; mkdir -p /tmp/x; mount -t xfs none /tmp/x"
                  " 2>/dev/null; grep -c ^xfs /proc/modules"),
        "0\n1\n");
}

TEST(KernelModules, AreWhereProgramsLookForThem) {
    EXPECT_EQ(output_of("test -e /lib/modules/$(uname -r)/modules.dep && echo there"), "there\n");
}

// A folder that is only the way to what is shared.
TEST(RootFileSystem, EverybodyMayWriteToTheFoldersForAll) {
    const HostResult result =
        run_command("d=$(mktemp -d /tmp/modes.XXXXXX) && cd $d && " UCHRONIA_PROGRAM
                    " run -- stat -c %a /tmp /var/tmp; rmdir $d");
    EXPECT_EQ(result.output, "1777\n1777\n");
}

}  // namespace
}  // namespace uchronia::tests
