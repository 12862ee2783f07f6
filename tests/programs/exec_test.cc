// Looking around in the past, and going on from there: log, exec, shell, files and branch, on a
// history of a program that counts in a file and says so.

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>
#include <vector>

#include "base/types.h"
#include "cli/cache.h"
#include "tests/programs/host_run.h"

namespace uchronia::tests {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// The steps are longer than any stall, so that a command that looks comes before the next one.
constexpr char kCounter[] =
    "mkdir -p /tmp/d; ln -s number /tmp/d/link; i=0; "
    "while [ $i -lt 8 ]; do i=$((i+1)); echo $i >/tmp/d/number; echo line $i; sleep 0.2; done; "
    "echo the end >&2; exit 5";

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

// A shell, driven by a terminal as a person does it: each step waits for what it expects.
constexpr char kTerminal[] = R"(
import fcntl, os, pty, select, struct, sys, termios
child, terminal = pty.fork()
if child == 0:
    os.execv(sys.argv[1], sys.argv[1:])
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack('HHHH', 33, 99, 0, 0))
seen = b''
def expect(text):
    global seen
    while text not in seen:
        if not select.select([terminal], [], [], 60)[0]:
            sys.exit('no %r in %r' % (text, seen))
        try:
            piece = os.read(terminal, 4096)
        except OSError:
            sys.exit('it ended without %r, after %r' % (text, seen))
        seen += piece
    seen = seen.split(text, 1)[1]
def type_in(text):
    os.write(terminal, text)
)";
constexpr char kSession[] = R"(
expect(b'ends with the shell')
type_in(b'echo ready$((1+1))\n')
expect(b'ready2\r\n')
type_in(b'stty size; tty; cat /tmp/d/number\n')
expect(b'33 99\r\n/dev/pts/0\r\n4\r\n')
type_in(b'echo changed >/tmp/d/number; sleep 1000\n')
select.select([], [], [], 0.3)
type_in(b'\x03')
type_in(b'cat /tmp/d/number; exit 7\n')
expect(b'changed\r\n')
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
)";
// The guest does nothing about Ctrl-C, and is left.
constexpr char kLeave[] = R"(
expect(b'ends with the shell')
type_in(b'trap "" INT; echo deaf; sleep 1000\n')
expect(b'deaf\r\n')
type_in(b'\x03')
type_in(b'\x1d\x1d\x1d')
expect(b'stopped before its end')
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
)";

// With one CPU and with two.
class Exec : public testing::TestWithParam<int> {
  protected:
    Exec() {
        char folder[] = "/tmp/uchronia-exec-XXXXXX";
        folder_ = mkdtemp(folder);
        const HostResult recorded = uchronia("run --cpus " + std::to_string(GetParam()) +
                                             " --save h.uch -- sh -c '" + kCounter + "'");
        EXPECT_EQ(recorded.exit_status, 5) << recorded.output;
    }
    ~Exec() override { fs::remove_all(folder_); }

    HostResult uchronia(const std::string& arguments, const std::string& input = "/dev/null") {
        return run_command("cd '" + folder_ + "' && " + UCHRONIA_PROGRAM + " " + arguments + " <" +
                           input);
    }
    std::vector<json> log(const std::string& options) {
        std::istringstream lines(uchronia("log --json " + options).output);
        std::vector<json> result;
        for (std::string line; std::getline(lines, line);)
            result.push_back(json::parse(line, nullptr, false));
        return result;
    }
    // Where the program has just said "line N", as --at takes it.
    std::string moment_of_line(int number) {
        for (const json& line : log("h.uch")) {
            if (line["text"] == "line " + std::to_string(number))
                return "'#" + std::to_string(line["tick"].get<u64>()) + "'";
        }
        return "";
    }
    std::string bytes_of(const std::string& name) {
        std::ifstream file(folder_ + "/" + name, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    void expect_same_replay(const std::string& name, int exit_status, const std::string& output) {
        for (const char* engine : {"jit", "interp"}) {
            const HostResult again =
                uchronia("replay --verify --engine " + std::string(engine) + " " + name);
            EXPECT_EQ(again.exit_status, 0) << name << " " << engine;
        }
        const HostResult again = uchronia("replay " + name + " 2>/dev/null");
        EXPECT_EQ(again.exit_status, exit_status) << name;
        EXPECT_TRUE(contains(again.output, output)) << again.output;
    }

    // Runs it on a terminal, as a person would.
    HostResult drive(const std::string& session, const std::string& arguments) {
        std::ofstream(folder_ + "/driver.py") << kTerminal << session;
        return run_command("cd '" + folder_ + "' && python3 driver.py " + UCHRONIA_PROGRAM + " " +
                           arguments + " 2>&1");
    }

    std::string folder_;
};

TEST_P(Exec, SeesTheGuestAsItWas) {
    const std::string recorded = bytes_of("h.uch");
    for (const int number : {1, 4, 7}) {
        const HostResult seen =
            uchronia("exec h.uch --at " + moment_of_line(number) + " -- cat /tmp/d/number 2>&1");
        EXPECT_EQ(seen.output, std::to_string(number) + "\n");
        EXPECT_EQ(seen.exit_status, 0);
    }
    const HostResult at_end = uchronia("exec h.uch -- cat /tmp/d/number");
    EXPECT_EQ(at_end.output, "8\n");
    EXPECT_EQ(uchronia("exec h.uch@end -- sh -c 'pgrep -c sleep'").output, "0\n");
    EXPECT_EQ(uchronia("exec h.uch --at " + moment_of_line(3) + " -- pgrep -c sleep").output,
              "1\n");
    // It comes soon after the start, too, when the root is there.
    EXPECT_EQ(uchronia("exec h.uch --at '#0' -- echo here").output, "here\n");
    EXPECT_EQ(bytes_of("h.uch"), recorded);
    EXPECT_EQ(uchronia("replay --verify h.uch").exit_status, 0);
}

TEST_P(Exec, IsTheSameEveryTimeAndInItsReplay) {
    const std::string at = " --at " + moment_of_line(5);
    const std::string command = " -- sh -c 'cat /proc/uptime /tmp/d/number; exit 9'";
    const HostResult first = uchronia("exec h.uch --json --save a.uch" + at + command);
    const HostResult second = uchronia("exec h.uch --json" + at + command);
    EXPECT_EQ(first.output, second.output);
    EXPECT_EQ(first.exit_status, 9);
    const json seen = json::parse(first.output, nullptr, false);
    ASSERT_TRUE(seen.is_object()) << first.output;
    EXPECT_EQ(seen["exit_status"], 9);
    EXPECT_EQ(seen["errors"], "");
    expect_same_replay("a.uch", 9, seen["output"]);
    // In the branch is another branch; and there is one before the first one's command.
    const HostResult third = uchronia("exec a.uch --save b.uch -- sh -c 'cat /tmp/d/number'");
    EXPECT_EQ(third.output, "5\n");
    expect_same_replay("b.uch", 0, "line 5\n");
    EXPECT_EQ(uchronia("exec b.uch --at " + moment_of_line(2) + " -- cat /tmp/d/number").output,
              "2\n");
    EXPECT_TRUE(contains(uchronia("show a.uch").output, "visits"));
}

TEST_P(Exec, PassesInputAndChangesTheBranchOnly) {
    std::ofstream(folder_ + "/text") << "given\n";
    const HostResult written = uchronia("exec h.uch --save a.uch --at " + moment_of_line(4) +
                                            " -- sh -c 'cat >/tmp/d/given; echo done'",
                                        "text");
    EXPECT_EQ(written.output, "done\n");
    EXPECT_EQ(uchronia("exec a.uch -- cat /tmp/d/given").output, "given\n");
    EXPECT_NE(uchronia("exec h.uch -- cat /tmp/d/given 2>/dev/null").exit_status, 0);
    expect_same_replay("a.uch", 0, "done\n");
}

TEST_P(Exec, TellsErrors) {
    EXPECT_EQ(uchronia("exec h.uch -- no-such-program 2>/dev/null").exit_status, 127);
    EXPECT_EQ(uchronia("exec h.uch --at yesterday -- true 2>&1").exit_status, 125);
    EXPECT_EQ(uchronia("exec h.uch@1s --at 1s -- true 2>&1").exit_status, 125);
    EXPECT_EQ(uchronia("exec h.uch 2>&1").exit_status, 125);
    EXPECT_EQ(uchronia("exec none.uch -- true 2>&1").exit_status, 125);
    EXPECT_EQ(uchronia("exec h.uch --timeout 100ms -- sleep 9 2>&1").exit_status, 121);
    EXPECT_EQ(uchronia("shell h.uch 2>&1").exit_status, 125);
    const HostResult branch = uchronia("branch h.uch --at end --seed 3 2>&1");
    EXPECT_EQ(branch.exit_status, 125);
    EXPECT_TRUE(contains(branch.output, "before it with --at")) << branch.output;
}

// Only root can make the kernel panic.
TEST_P(Exec, NeedsAGuestThatCanAnswer) {
    if (::geteuid() != 0)
        return;
    EXPECT_EQ(uchronia("run --save p.uch -- sh -c 'sleep 1; echo c >/proc/sysrq-trigger' 2>&1")
                  .exit_status,
              120);
    const HostResult dead = uchronia("exec p.uch -- true 2>&1");
    EXPECT_EQ(dead.exit_status, 125);
    EXPECT_TRUE(contains(dead.output, "kernel panic")) << dead.output;
    bool told = false;
    for (const json& line : log("p.uch"))
        told = told || (line["source"] == "console" && contains(line["text"], "Kernel panic") &&
                        line.contains("kernel_nanoseconds"));
    EXPECT_TRUE(told);
    // PID 1 is frozen.
    EXPECT_EQ(uchronia("run --timeout 3s --save f.uch -- sh -c 'mkdir /sys/fs/cgroup/f; "
                       "cd /sys/fs/cgroup/f; echo 1 >cgroup.procs; echo 1 >cgroup.freeze' 2>&1")
                  .exit_status,
              121);
    const HostResult frozen = uchronia("exec f.uch -- true 2>&1");
    EXPECT_EQ(frozen.exit_status, 125);
    EXPECT_TRUE(contains(frozen.output, "does not answer")) << frozen.output;
    EXPECT_EQ(uchronia("exec p.uch --at '#2000000' -- echo alive").output, "alive\n");
}

TEST_P(Exec, LogTellsWhatWasSaidAndWhen) {
    const std::vector<json> all = log("h.uch --grep '^(output|error) '");
    ASSERT_EQ(all.size(), 9u);
    u64 last = 0;
    for (int i = 0; i < 8; ++i) {
        EXPECT_EQ(all[i]["text"], "line " + std::to_string(i + 1));
        EXPECT_EQ(all[i]["source"], "output");
        EXPECT_GT(all[i]["tick"].get<u64>(), last);
        last = all[i]["tick"];
    }
    EXPECT_EQ(all[8]["text"], "the end");
    EXPECT_EQ(all[8]["source"], "error");
    EXPECT_EQ(log("h.uch --engine interp"), log("h.uch"));
    EXPECT_EQ(log("h.uch --grep 'output line [23]'").size(), 2u);
    // The line is said at its tick: it is not there one tick before.
    const u64 third = all[2]["tick"];
    const std::string from = "#" + std::to_string(all[1]["tick"].get<u64>());
    EXPECT_EQ(
        log("h.uch --grep '^output' --between '" + from + "..#" + std::to_string(third + 1) + "'")
            .size(),
        2u);
    EXPECT_EQ(log("h.uch --grep '^output' --between '" + from + "..#" + std::to_string(third) + "'")
                  .size(),
              1u);
    EXPECT_EQ(uchronia("log h.uch").exit_status, 0);
    if (::geteuid() == 0) {
        uchronia("run --save k.uch -- sh -c 'echo \"<3>of a program\" >/dev/kmsg; sleep 0.1'");
        const std::vector<json> kernel = log("k.uch --grep 'kernel err: .*of a program'");
        ASSERT_EQ(kernel.size(), 1u);
        EXPECT_EQ(kernel[0]["kind"], "err");
        EXPECT_GT(kernel[0]["kernel_nanoseconds"], 0);
    }
    EXPECT_EQ(uchronia("log h.uch --between 1s 2>&1").exit_status, 125);
    EXPECT_EQ(uchronia("log h.uch --grep '(' 2>&1").exit_status, 125);
}

TEST_P(Exec, BranchGoesOnDifferently) {
    const std::string at = " --at " + moment_of_line(3);
    std::map<std::string, int> ends;
    for (const int seed : {0, 1, 2}) {
        const std::string name = "s" + std::to_string(seed) + ".uch";
        const HostResult done = uchronia("branch h.uch --seed " + std::to_string(seed) + at +
                                         " --save " + name + " 2>/dev/null");
        EXPECT_EQ(done.exit_status, 5);
        EXPECT_TRUE(done.output.starts_with("line 3\nline 4\n")) << done.output;
        expect_same_replay(name, 5, "line 1\nline 2\nline 3\nline 4\n");
        ++ends[json::parse(uchronia("show --json " + name).output)["result"]["state_hash"]];
    }
    EXPECT_EQ(ends.size(), 3u);
    // The same seed goes on as the recorded one did.
    const json recorded = json::parse(uchronia("show --json h.uch").output);
    EXPECT_EQ(ends[recorded["result"]["state_hash"]], 1);
    EXPECT_EQ(uchronia("replay --verify last").exit_status, 0);
    // It can be ended.
    const HostResult ended = uchronia("branch h.uch --seed 1 --timeout 1us 2>&1" + at);
    EXPECT_EQ(ended.exit_status, 121) << ended.output;
    EXPECT_EQ(uchronia("replay --verify last").exit_status, 0);
    EXPECT_EQ(uchronia("branch h.uch --seed 1 --timeout soon 2>&1" + at).exit_status, 125);
}

TEST_P(Exec, NeedsNoPlaceForCheckpoints) {
    const std::string cache = folder_ + "/full";
    fs::create_directory(cache);
    for (const auto& entry : fs::directory_iterator(*cli::cache_folder()))
        fs::create_symlink(entry, cache + "/" + entry.path().filename().string());
    fs::remove(cache + "/checkpoints");
    std::ofstream(cache + "/checkpoints") << "no folder";
    // Long enough for a checkpoint.
    const HostResult recorded = uchronia(
        "run --save long.uch -- sh -c 'head -c 100000000 /dev/zero | sha256sum >/tmp/sum' 2>&1");
    EXPECT_EQ(recorded.exit_status, 0) << recorded.output;
    const HostResult done =
        run_command("cd " + folder_ + " && UCHRONIA_CACHE=" + cache + " " + UCHRONIA_PROGRAM +
                    " exec long.uch -- cut -c 1-8 /tmp/sum 2>&1");
    EXPECT_EQ(done.exit_status, 0);
    EXPECT_TRUE(contains(done.output, "checkpoints are not kept on disk")) << done.output;
    EXPECT_TRUE(contains(done.output, "a993f8c5\n")) << done.output;
}

TEST_P(Exec, FilesAreListedAndComeOut) {
    const std::string at = " --at " + moment_of_line(6);
    const HostResult list = uchronia("files h.uch --json" + at + " /tmp/d");
    const json files = json::parse(list.output, nullptr, false);
    ASSERT_EQ(files.size(), 2u) << list.output;
    EXPECT_EQ(files[0]["name"], "link");
    EXPECT_EQ(files[0]["target"], "number");
    EXPECT_EQ(files[1]["name"], "number");
    EXPECT_EQ(files[1]["size"], 2);
    EXPECT_EQ(files[1]["type"], "file");
    EXPECT_TRUE(std::regex_search(uchronia("files h.uch /tmp/d").output,
                                  std::regex("-rw-r--r-- +1 +[0-9]+ +[0-9]+ +2 .* number\n")));
    EXPECT_EQ(uchronia("files h.uch" + at + " /tmp/d --out then 2>/dev/null").exit_status, 0);
    EXPECT_EQ(bytes_of("then/number"), "6\n");
    EXPECT_EQ(fs::read_symlink(folder_ + "/then/link"), "number");
    EXPECT_EQ(uchronia("files h.uch /tmp/d/number --out one 2>/dev/null").exit_status, 0);
    EXPECT_EQ(bytes_of("one/number"), "8\n");
    EXPECT_EQ(uchronia("files h.uch /no/such/file 2>&1").exit_status, 1);
}

TEST_P(Exec, ShellIsABranchThatReplays) {
    // The counter stands still meanwhile, or it would overwrite what is written.
    const HostResult held = uchronia("exec h.uch --save stopped.uch --at " + moment_of_line(4) +
                                     " -- sh -c 'pkill -STOP -o -x sh; cat /tmp/d/number'");
    EXPECT_EQ(held.output, "4\n");
    const HostResult driven = drive(kSession, "shell stopped.uch --save session.uch");
    EXPECT_EQ(driven.exit_status, 7) << driven.output;
    expect_same_replay("session.uch", 7, "ready2");
    EXPECT_EQ(uchronia("exec session.uch -- cat /tmp/d/number").output, "changed\n");
    EXPECT_EQ(uchronia("replay --verify last").exit_status, 0);
    // What was typed is in the log, as the terminal has echoed it.
    EXPECT_FALSE(log("session.uch --grep 'visit-output.*changed'").empty());
}

TEST_P(Exec, ShellCanBeLeft) {
    const HostResult driven = drive(kLeave, "shell h.uch@0.5s --save session.uch");
    EXPECT_EQ(driven.exit_status, 130) << driven.output;
    EXPECT_EQ(uchronia("replay --verify session.uch").exit_status, 0);
    // The shell is still there, and so is who looks now.
    EXPECT_EQ(uchronia("exec session.uch -- pgrep -c -x bash").output, "1\n");
}

INSTANTIATE_TEST_SUITE_P(OneAndTwoCPUs, Exec, testing::Values(1, 2));

}  // namespace
}  // namespace uchronia::tests
