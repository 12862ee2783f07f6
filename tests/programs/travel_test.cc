// Histories that travel: a replay is the same after the host's files have changed, and from a
// bundle in another cache folder, from another working folder, as another user.

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/cache.h"
#include "cli/run_setup.h"
#include "history/session.h"
#include "tests/programs/host_run.h"

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
    machine::SilentOutside outside;
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
    HostResult at_home(const std::string& arguments) {
        return run_command("cd '" + home_ + "' && " + program_ + " " + arguments + " 2>&1");
    }
    // In another folder, with a cache of its own, by `user` (a command's beginning).
    HostResult away(const std::string& arguments, const std::string& user = "") {
        return run_command("cd '" + away_ + "' && " + user + " env UCHRONIA_CACHE='" + away_ +
                           "/cache' " + program_ + " " + arguments + " 2>&1");
    }
    void record() {
        const HostResult recorded = at_home(
            "run --seed 9 --save h.uch -- sh -c "
            "'cat secret.txt; echo $RANDOM; ls -l /usr/bin/env'");
        ASSERT_EQ(recorded.exit_status, 0) << recorded.output;
    }
    void export_bundle(const std::string& options) {
        const HostResult exported = at_home("export h.uch '" + bundle_ + "' " + options);
        ASSERT_EQ(exported.exit_status, 0) << exported.output;
        exported_ = exported.output;
    }
    // What `show` says of the secret's contents.
    std::string place_of_secret() {
        const HostResult shown = run_command(program_ + " show --json '" + bundle_ + "'");
        const json bundle = json::parse(shown.output, nullptr, false);
        if (!bundle.is_object())
            return shown.output;
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
    const HostResult imported = away("import '" + bundle_ + "'");
    ASSERT_EQ(imported.exit_status, 0) << imported.output;
    EXPECT_EQ(imported.output, "uchronia replay found.uch\n");
    const HostResult replayed = away("replay --verify found.uch");
    EXPECT_EQ(replayed.exit_status, 0) << replayed.output;
    EXPECT_TRUE(contains(replayed.output, "the secret")) << replayed.output;
    EXPECT_TRUE(contains(replayed.output, "the same:")) << replayed.output;
    EXPECT_FALSE(contains(replayed.output, "booted")) << replayed.output;
    EXPECT_TRUE(contains(away("import '" + bundle_ + "'").output, "--as names another"));
    EXPECT_EQ(away("import '" + bundle_ + "' --as found.uch").exit_status, 0);
    EXPECT_TRUE(contains(away("replay '" + bundle_ + "'").output, "uchronia import"));
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
    if (run_command("cd / && " + nobody + " test -x " + program_).exit_status != 0)
        return;
    const HostResult imported = away("import '" + bundle_ + "' --as mine.uch", nobody);
    ASSERT_EQ(imported.exit_status, 0) << imported.output;
    const HostResult replayed = away("replay --verify mine.uch", nobody);
    EXPECT_EQ(replayed.exit_status, 0) << replayed.output;
    EXPECT_TRUE(contains(replayed.output, "the same:")) << replayed.output;
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
    const HostResult imported = away("import '" + bundle_ + "'");
    EXPECT_EQ(imported.exit_status, 0) << imported.output;
    EXPECT_TRUE(contains(imported.output, "leaves out " + home_ + "/secret.txt"))
        << imported.output;
    EXPECT_EQ(away("replay --verify found.uch").exit_status, 0);  // the file is there as it was
    write_secret("another\n");
    const HostResult replayed = away("replay found.uch");
    EXPECT_EQ(replayed.exit_status, 125) << replayed.output;
    EXPECT_TRUE(contains(replayed.output, "the contents of " + home_ + "/secret.txt"));
}

TEST_F(TravelByBundle, RefusesADamagedBundleAndWritesNothing) {
    record();
    export_bundle("");
    {
        std::fstream file(bundle_, std::ios::binary | std::ios::in | std::ios::out);
        file.seekp(-100, std::ios::end);
        file << "damage";
    }
    const HostResult imported = away("import '" + bundle_ + "'");
    EXPECT_EQ(imported.exit_status, 125);
    EXPECT_TRUE(contains(imported.output, "is damaged")) << imported.output;
    EXPECT_FALSE(fs::exists(away_ + "/found.uch"));
    EXPECT_FALSE(fs::exists(away_ + "/cache"));
}

}  // namespace
}  // namespace uchronia::tests
