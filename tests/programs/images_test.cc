// Guests with a root file system of their own, and what comes out of guests, by the program.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "image/testing.h"
#include "tests/programs/host_run.h"

namespace uchronia::tests {
namespace {

namespace fs = std::filesystem;
using image::TarWriter;

std::string content_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

class Images : public testing::Test {
  protected:
    Images() { fs::create_directories(home_); }
    ~Images() override {
        for (const char* source : {"root", "root.tar", "layers.tar", "layout"})
            uchronia("image remove " + home_ + "/" + source);
    }

    HostResult uchronia(const std::string& arguments) {
        return run_command("cd '" + home_ + "' && " + program_ + " " + arguments + " 2>&1");
    }
    // Standard output alone: a base image that is booted first says so on standard error.
    HostResult output_of(const std::string& arguments) {
        return run_command("cd '" + home_ + "' && " + program_ + " " + arguments + " 2>/dev/null");
    }
    // With a cache folder of its own.
    HostResult away(const std::string& arguments) {
        return run_command("cd '" + home_ + "' && UCHRONIA_CACHE='" + (folder_ / "cache") + "' " +
                           program_ + " " + arguments + " 2>&1");
    }
    // Exactly these files: no shell and no C library.
    TarWriter root() const {
        TarWriter tar;
        tar.file("tool", tool_, 0755)
            .add("su", tool_, {.type = '0', .link = {}, .mode = 04755})
            .link("link", "tool")
            .folder("etc")
            .file("etc/passwd", "root:x:0:0::/:/tool\nme:x:1000:1001::/home/me:/tool\n")
            .add("home/me/file", "mine",
                 {.type = '0', .link = {}, .mode = 0640, .uid = 1000, .gid = 1001});
        return tar;
    }
    std::string write(const std::string& name, const std::string& bytes) {
        return folder_.write("home/" + name, bytes);
    }

    image::TestFolder folder_;
    const std::string home_ = folder_ / "home";
    const std::string program_ = UCHRONIA_PROGRAM;
    const std::string tool_ = content_of(std::string(UCHRONIA_GUEST_FOLDER) + "/in_image");
};

TEST_F(Images, NothingOfTheHostIsThere) {
    write("root.tar", root().finish());
    const HostResult run = output_of(
        "run --image root.tar --env A=b -- /tool l/ l/usr l/etc l/home s/home/me/file "
        "s/etc/hostname w/new s/new e x7");
    EXPECT_EQ(run.exit_status, 7) << run.output;
    EXPECT_EQ(run.output,
              "uid 0 euid 0 gid 0 in /\n"
              "/: dev etc home lib link proc run su sys tmp tool\n"
              "/usr: none\n"
              "/etc: hostname hosts passwd resolv.conf\n"
              "/home: me\n"
              "/home/me/file 640 1000:1001 mine\n"
              "/etc/hostname 644 0:0 uchronia\n\n"
              "/new 644 0:0 written\n\n"
              "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
              "HOSTNAME=uchronia\nHOME=/\nA=b\n");
    EXPECT_FALSE(fs::exists("/new"));
    EXPECT_EQ(uchronia("run --image root.tar -- tool").exit_status, 127);
    EXPECT_EQ(uchronia("run --image root.tar -- /link x3").exit_status, 3);
    EXPECT_TRUE(contains(uchronia("run --image root.tar").output, "no command of its own"));
    EXPECT_TRUE(contains(uchronia("run --image missing -- x").output, "there is no image"));
}

TEST_F(Images, AShareIsSeenInside) {
    write("root.tar", root().finish());
    write("shared/inside", "text");
    const HostResult run = uchronia("run --image root.tar --share shared -- /tool s" + home_ +
                                    "/shared/inside l" + home_);
    EXPECT_TRUE(contains(run.output, "/shared/inside 644")) << run.output;
    EXPECT_TRUE(contains(run.output, home_ + ": shared\n")) << run.output;
}

TEST_F(Images, AFolderIsLookedThroughAgain) {
    write("root/tool", tool_);
    fs::permissions(home_ + "/root/tool", fs::perms(0755));
    write("root/a", "first");
    EXPECT_TRUE(contains(uchronia("run --image root -- /tool s/a").output, "first"));
    write("root/a", "second");
    EXPECT_TRUE(contains(uchronia("run --image root -- /tool s/a").output, "second"));
}

TEST_F(Images, ReplaysAfterTheSourceIsGone) {
    write("root.tar", root().finish());
    const HostResult run =
        output_of("run --image root.tar --save h.uch -- /tool l/ s/home/me/file");
    ASSERT_EQ(run.exit_status, 0) << run.output;
    fs::remove(home_ + "/root.tar");
    EXPECT_EQ(output_of("replay h.uch").output, run.output);
    EXPECT_EQ(uchronia("replay --verify h.uch").exit_status, 0);
    EXPECT_EQ(uchronia("image remove " + home_ + "/root.tar").exit_status, 0);
    EXPECT_EQ(uchronia("replay --verify h.uch").exit_status, 0);
    EXPECT_TRUE(contains(uchronia("show h.uch").output, "root.tar"));

    ASSERT_EQ(uchronia("export h.uch h.bundle").exit_status, 0);
    ASSERT_EQ(away("import h.bundle --as away.uch").exit_status, 0);
    EXPECT_TRUE(contains(away("replay --verify away.uch").output, "the same:"));
    fs::remove_all(folder_ / "cache/store");
    const HostResult lost = away("replay away.uch");
    EXPECT_EQ(lost.exit_status, 125) << lost.output;
    EXPECT_TRUE(contains(lost.output, "in the image " + home_ + "/root.tar")) << lost.output;
    EXPECT_TRUE(contains(lost.output, "uchronia image build")) << lost.output;
}

TEST_F(Images, DifferencesAreNamed) {
    write("root.tar", root().finish());
    ASSERT_EQ(uchronia("run --image root.tar --save a.uch -- /tool").exit_status, 0);
    write("root.tar", root().file("more", "").finish());
    ASSERT_EQ(uchronia("run --image root.tar --save b.uch -- /tool").exit_status, 0);
    EXPECT_TRUE(contains(uchronia("diff a.uch b.uch").output, "files.image"));
}

constexpr char kHexA[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
constexpr char kHexB[] = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
constexpr char kHexC[] = "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc";

// As `docker save` writes it.
TEST_F(Images, ContainersStartAsTheyAreMeantTo) {
    const std::string lower = root().file("gone", "x").finish();
    const std::string upper = TarWriter().file(".wh.gone", "").file("srv/new", "y").finish();
    const std::string layer = "/layer.tar";
    write("layers.tar",
          TarWriter()
              .file(kHexB + layer, upper)
              .file(kHexA + layer, lower)
              .file("manifest.json", std::string(R"([{"Config":")") + kHexC +
                                         R"(.json","RepoTags":["made-by-hand:1"],"Layers":[")" +
                                         kHexA + layer + "\",\"" + kHexB + layer + "\"]}]")
              .file(std::string(kHexC) + ".json",
                    R"({"architecture":"amd64","config":{"Entrypoint":["/su"],"Cmd":["l/"],)"
                    R"("Env":["FROM=image"],"WorkingDir":"/srv","User":"me"}})")
              .finish());
    const HostResult built = uchronia("image build layers.tar");
    EXPECT_EQ(built.exit_status, 0) << built.output;
    EXPECT_TRUE(contains(built.output, "made-by-hand:1: ")) << built.output;
    fs::remove(home_ + "/layers.tar");
    EXPECT_TRUE(contains(uchronia("image list").output, "made-by-hand:1"));
    EXPECT_TRUE(contains(uchronia("image list --json").output, "\"name\": \"made-by-hand:1\""));

    // A set-user-id program of root's, though no file of the host is root's.
    EXPECT_EQ(output_of("run --image made-by-hand:1").output,
              "uid 1000 euid 0 gid 1001 in /srv\n"
              "/: dev etc home lib link proc run srv su sys tmp tool\n");
    const HostResult given = uchronia("run --image made-by-hand:1 -- l/srv e");
    EXPECT_TRUE(contains(given.output, "/srv: new\n")) << given.output;
    EXPECT_TRUE(contains(given.output, "HOME=/home/me\nFROM=image\n")) << given.output;
    EXPECT_TRUE(contains(uchronia("run --image made-by-hand:1 --entrypoint /tool").output,
                         "uid 1000 euid 1000"));
    EXPECT_EQ(uchronia("image remove made-by-hand:1").exit_status, 0);
    EXPECT_EQ(uchronia("image remove made-by-hand:1").exit_status, 125);
    EXPECT_EQ(uchronia("run --image made-by-hand:1").exit_status, 125);
}

TEST_F(Images, HostileArchivesAreNamed) {
    write("root.tar", TarWriter().file("../../evil", "x").finish());
    const HostResult run = uchronia("run --image root.tar -- /tool");
    EXPECT_EQ(run.exit_status, 125);
    EXPECT_TRUE(contains(run.output, "root.tar")) << run.output;
    EXPECT_FALSE(fs::exists(folder_ / "evil"));
    write("root.tar", root().finish().substr(0, 5000));
    EXPECT_TRUE(contains(uchronia("run --image root.tar -- /tool").output, "root.tar"));
}

// --- What comes out. ---

TEST_F(Images, WhatWasWrittenComesOut) {
    write("work/hello.c", "#include <stdio.h>\nint main(void) { puts(\"hello\"); return 42; }\n");
    write("work/old", "old\n");
    const HostResult run = run_command(
        "cd '" + home_ + "/work' && " + program_ +
        " run --out ../out --save ../h.uch -- sh -c 'gcc -o hello hello.c && mkdir -p d/e && "
        "echo x > d/e/f && chmod 600 d/e/f && ln -s e d/l && rm old && exit 5' 2>&1");
    EXPECT_EQ(run.exit_status, 5) << run.output;
    EXPECT_TRUE(contains(run.output, "out: 2 files, 2 new folders, 1 symbolic link, "))
        << run.output;
    EXPECT_TRUE(contains(run.output, "removed old")) << run.output;
    EXPECT_TRUE(fs::exists(home_ + "/work/old"));
    const HostResult hello = run_command(home_ + "/out/hello");
    EXPECT_EQ(hello.exit_status, 42);
    EXPECT_EQ(hello.output, "hello\n");
    EXPECT_EQ(content_of(home_ + "/out/d/e/f"), "x\n");
    EXPECT_EQ(fs::status(home_ + "/out/d/e/f").permissions(), fs::perms(0600));
    EXPECT_EQ(fs::read_symlink(home_ + "/out/d/l"), "e");
    EXPECT_FALSE(fs::exists(home_ + "/out/hello.c"));

    fs::remove_all(home_ + "/work");
    EXPECT_EQ(uchronia("replay --verify --out again h.uch").exit_status, 0);
    EXPECT_EQ(run_command("diff -r " + home_ + "/out " + home_ + "/again").output, "");
    EXPECT_EQ(uchronia("replay h.uch").exit_status, 5);
}

TEST_F(Images, AFolderOfTheGuestComesOut) {
    write("root.tar", root().finish());
    const HostResult run =
        uchronia("run --image root.tar --out /=out --save h.uch -- /tool w/new w/home/me/file");
    EXPECT_EQ(run.exit_status, 0) << run.output;
    EXPECT_EQ(run_command("cd '" + home_ + "/out' && find . -type f | sort").output,
              "./home/me/file\n./new\n");
    EXPECT_EQ(content_of(home_ + "/out/home/me/file"), "written\n");
    ASSERT_EQ(uchronia("run --image root.tar --save none.uch -- /tool").exit_status, 0);
    EXPECT_TRUE(contains(uchronia("replay --out x none.uch").output, "without --out"));
    EXPECT_EQ(uchronia("run --image root.tar --out root.tar -- /tool").exit_status, 125);
}

// A symbolic link that the guest has made leads nowhere on the host.
TEST_F(Images, NothingComesOutBesideTheFolder) {
    write("elsewhere/precious", "precious");
    write("work/x", "");
    const std::string command = "cd '" + home_ + "/work' && " + program_ + " run --out ../out -- ";
    ASSERT_EQ(run_command(command + "ln -s ../elsewhere d").exit_status, 0);
    EXPECT_TRUE(fs::is_symlink(home_ + "/out/d"));
    const HostResult run = run_command(command + "sh -c 'mkdir d; echo evil > d/precious' 2>&1");
    EXPECT_EQ(run.exit_status, 125) << run.output;
    EXPECT_TRUE(contains(run.output, "take it away")) << run.output;
    EXPECT_EQ(content_of(home_ + "/elsewhere/precious"), "precious");
}

}  // namespace
}  // namespace uchronia::tests
