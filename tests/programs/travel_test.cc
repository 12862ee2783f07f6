// Histories that travel: a replay is the same after the host's files have changed, and from a
// bundle in another cache folder, from another working folder, as another user.

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/cache.h"
#include "cli/run_setup.h"
#include "history/session.h"

namespace uchronia::tests {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// A folder of its own for each test.
class Travel : public testing::Test {
  protected:
    Travel() {
        char folder[] = "/tmp/uchronia-travel-XXXXXX";
        folder_ = mkdtemp(folder);
        fs::permissions(folder_, fs::perms(0755));
    }
    ~Travel() override { fs::remove_all(folder_); }

    std::string folder_;
};

// --- The host's packages are upgraded, or gone. ---

class Silence final : public machine::Outside {
  public:
    void output(machine::OutputStream, std::span<const u8>) override {}
    u64 input(u64, std::span<u8>) override { return 0; }
    void console(u8) override {}
    void kernel_report(u64, std::string_view) override {}
    void agent_log(u64, std::string_view) override {}
};

// A host of which nothing is as it was.
class OtherHost final : public host::FileSource {
  public:
    enum class Files { kOther, kGone };
    explicit OtherHost(Files files) : files_(files) {}

    host::FileResult<host::FileAttributes> attributes(const std::string&) override {
        return host::FileError{EIO};
    }
    host::FileResult<std::shared_ptr<const host::DirectoryListing>> list(
        const std::string&) override {
        return host::FileError{EIO};
    }
    host::FileResult<u64> read(const std::string&, u64, std::span<u8> bytes) override {
        if (files_ == Files::kGone)
            return host::FileError{ENOENT};
        std::fill(bytes.begin(), bytes.end(), u8{'x'});
        return u64{bytes.size()};
    }
    host::FileResult<std::string> read_link(const std::string&) override {
        return host::FileError{EIO};
    }

  private:
    Files files_;
};

TEST_F(Travel, ReplaysAfterTheHostsPackagesWereUpgraded) {
    const std::string script = "ls /etc; python3 -c 'import json; print(json.dumps([1]))'; date";
    Result<history::History> history = cli::make_history({}, {"sh", "-c", script}, 7);
    ASSERT_TRUE(history.ok()) << history.error().message;
    const auto base =
        cli::obtain_base_image(history->base, machine::Engine::kTranslator, /*library=*/nullptr);
    ASSERT_TRUE(base.ok()) << base.error().message;
    const auto files = cli::open_files(history->files);
    ASSERT_TRUE(files.ok()) << files.error().message;
    const history::ContentStore store(folder_ + "/store");
    Silence outside;
    history::Session recording(**base, *history, outside, files->get(), {.store = &store});
    ASSERT_TRUE(recording.run().ok());
    ASSERT_TRUE(recording.keep_contents().ok());
    EXPECT_EQ(recording.history().result->outcome.kind, history::OutcomeKind::kExited);

    for (const auto other : {OtherHost::Files::kOther, OtherHost::Files::kGone}) {
        OtherHost host(other);
        history::Session replay(**base, recording.history(), outside, &host,
                                {.expected = &recording.history().chain, .store = &store});
        ASSERT_TRUE(replay.run().ok());
        EXPECT_FALSE(replay.divergence().has_value());
        EXPECT_FALSE(replay.changed_file().has_value()) << *replay.changed_file();
        EXPECT_EQ(*replay.history().result, *recording.history().result);
    }
    OtherHost host(OtherHost::Files::kOther);
    history::Session lost(**base, recording.history(), outside, &host,
                          {.expected = &recording.history().chain});
    ASSERT_TRUE(lost.run().ok());
    EXPECT_TRUE(lost.divergence().has_value());
    EXPECT_TRUE(lost.changed_file().has_value());
}

// --- Bundles, by the program. ---

struct Output {
    std::string text;
    int status = -1;
};

Output run(const std::string& command) {
    Output result;
    std::FILE* const pipe = ::popen(command.c_str(), "r");
    if (pipe == nullptr)
        return result;
    char piece[4096];
    while (const std::size_t size = std::fread(piece, 1, sizeof piece, pipe))
        result.text.append(piece, size);
    result.status = WEXITSTATUS(::pclose(pipe));
    return result;
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

class TravelByBundle : public Travel {
  protected:
    // At home a run reads a file of its own and the system's; its history is exported.
    TravelByBundle() {
        fs::create_directories(home_);
        fs::create_directories(away_);
        write_secret("the secret\n");
    }

    void write_secret(const std::string& text) { std::ofstream(home_ + "/secret.txt") << text; }
    Output at_home(const std::string& arguments) {
        return run("cd '" + home_ + "' && " + program_ + " " + arguments + " 2>&1");
    }
    // In another folder, with a cache of its own, by `user` (a command's beginning).
    Output away(const std::string& arguments, const std::string& user = "") {
        return run("cd '" + away_ + "' && " + user + " env UCHRONIA_CACHE='" + away_ + "/cache' " +
                   program_ + " " + arguments + " 2>&1");
    }
    void record() {
        const Output recorded = at_home(
            "run --seed 9 --save h.uch -- sh -c "
            "'cat secret.txt; echo $RANDOM; ls -l /usr/bin/env'");
        ASSERT_EQ(recorded.status, 0) << recorded.text;
    }
    void export_bundle(const std::string& options) {
        const Output exported = at_home("export h.uch '" + bundle_ + "' " + options);
        ASSERT_EQ(exported.status, 0) << exported.text;
        exported_ = exported.text;
    }
    // What `show` says of the secret's contents.
    std::string place_of_secret() {
        const Output shown = run(program_ + " show --json '" + bundle_ + "'");
        const json bundle = json::parse(shown.text, nullptr, false);
        if (!bundle.is_object())
            return shown.text;
        for (const auto& file : bundle["files"]) {
            if (file["path"] == home_ + "/secret.txt")
                return file["contents"];
        }
        return "nowhere";
    }

    const std::string program_ = UCHRONIA_PROGRAM;
    const std::string home_ = folder_ + "/home", away_ = folder_ + "/away";
    const std::string bundle_ = folder_ + "/found.bundle";
    std::string exported_;
};

TEST_F(TravelByBundle, ReplaysElsewhere) {
    record();
    export_bundle("");
    EXPECT_EQ(place_of_secret(), "inside");
    fs::remove_all(home_);
    const Output imported = away("import '" + bundle_ + "'");
    ASSERT_EQ(imported.status, 0) << imported.text;
    EXPECT_EQ(imported.text, "uchronia replay found.uch\n");
    const Output replayed = away("replay --verify found.uch");
    EXPECT_EQ(replayed.status, 0) << replayed.text;
    EXPECT_TRUE(contains(replayed.text, "the secret")) << replayed.text;
    EXPECT_TRUE(contains(replayed.text, "the same:")) << replayed.text;
    EXPECT_FALSE(contains(replayed.text, "booted")) << replayed.text;
    EXPECT_TRUE(contains(away("import '" + bundle_ + "'").text, "--as names another"));
    EXPECT_EQ(away("import '" + bundle_ + "' --as found.uch").status, 0);
    EXPECT_TRUE(contains(away("replay '" + bundle_ + "'").text, "uchronia import"));
}

// Only root can become another user.
TEST_F(TravelByBundle, ReplaysAsAnotherUser) {
    if (::geteuid() != 0)
        return;
    record();
    export_bundle("");
    fs::permissions(home_, fs::perms(0700));
    fs::permissions(bundle_, fs::perms(0644));
    ASSERT_EQ(::chown(away_.c_str(), 65534, 65534), 0);
    const std::string nobody = "setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs";
    // The program itself may lie where only root can reach it.
    if (run("cd / && " + nobody + " test -x " + program_).status != 0)
        return;
    const Output imported = away("import '" + bundle_ + "' --as mine.uch", nobody);
    ASSERT_EQ(imported.status, 0) << imported.text;
    const Output replayed = away("replay --verify mine.uch", nobody);
    EXPECT_EQ(replayed.status, 0) << replayed.text;
    EXPECT_TRUE(contains(replayed.text, "the same:")) << replayed.text;
}

TEST_F(TravelByBundle, KeepsSecretsOutAndSaysSo) {
    record();
    export_bundle("--exclude secret.txt --without-base");
    EXPECT_TRUE(contains(exported_, "left out: " + home_ + "/secret.txt")) << exported_;
    EXPECT_EQ(place_of_secret(), "left out");
    std::ifstream file(bundle_, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), {});
    EXPECT_FALSE(contains(bytes, "the secret"));

    export_bundle("--exclude secret.txt");
    const Output imported = away("import '" + bundle_ + "'");
    EXPECT_EQ(imported.status, 0) << imported.text;
    EXPECT_TRUE(contains(imported.text, "leaves out " + home_ + "/secret.txt")) << imported.text;
    EXPECT_EQ(away("replay --verify found.uch").status, 0);  // the file is there as it was
    write_secret("another\n");
    const Output replayed = away("replay found.uch");
    EXPECT_EQ(replayed.status, 125) << replayed.text;
    EXPECT_TRUE(contains(replayed.text, "the contents of " + home_ + "/secret.txt"));
}

TEST_F(TravelByBundle, RefusesADamagedBundleAndWritesNothing) {
    record();
    export_bundle("");
    {
        std::fstream file(bundle_, std::ios::binary | std::ios::in | std::ios::out);
        file.seekp(-100, std::ios::end);
        file << "damage";
    }
    const Output imported = away("import '" + bundle_ + "'");
    EXPECT_EQ(imported.status, 125);
    EXPECT_TRUE(contains(imported.text, "is damaged")) << imported.text;
    EXPECT_FALSE(fs::exists(away_ + "/found.uch"));
    EXPECT_FALSE(fs::exists(away_ + "/cache"));
}

}  // namespace
}  // namespace uchronia::tests
