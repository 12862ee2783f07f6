// uchronia debug, driven by a real gdb; and that looking changes nothing.

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "base/prng.h"
#include "cli/opened_history.h"
#include "debug/control.h"
#include "debug/debuggee.h"
#include "debug/packet.h"
#include "debug/registers.h"
#include "debug/signals.h"
#include "debug/traveller.h"
#include "host/files.h"
#include "tests/programs/host_run.h"

namespace uchronia::tests {
namespace {

const std::string kProgram = UCHRONIA_PROGRAM;
const std::string kFolder = UCHRONIA_GUEST_FOLDER;  // with the guest programs; nobody writes to it

std::string history_of(const std::string& name) {
    return testing::TempDir() + "debug_test_" + name + ".uch";
}

class Debug : public testing::Test {
  protected:
    static void SetUpTestSuite() {
        record("overwritten", "./overwritten", 139);
        record("detours", "./detours", 0);
        record("signals", "./signals 40000000", 143);
        record("signals_on_two", "./signals", 143, "--cpus 2");
        record("shell", "sh -c './signals; exit 7'", 7);
    }
    static void record(const std::string& name, const std::string& command, int status,
                       const std::string& options = "") {
        const HostResult recorded =
            run_command("cd '" + kFolder + "' && " + kProgram + " run --save " + history_of(name) +
                        " " + options + " -- " + command + " 2>&1");
        ASSERT_EQ(recorded.exit_status, status) << recorded.output;
    }
};

// --- Packets. ---

TEST(Packet, WritesAndReadsItsNotations) {
    EXPECT_EQ(debug::to_hex("a\x7f"), "617f");
    EXPECT_EQ(debug::from_hex("617F6"), "a\x7f");
    EXPECT_EQ(debug::from_hex("6g"), "");
    EXPECT_EQ(debug::hex_number(0), "0");
    EXPECT_EQ(debug::hex_number(~u64{0}), "ffffffffffffffff");
    std::string_view text = "1fG,2";
    EXPECT_EQ(debug::take_number(text), 0x1fu);
    EXPECT_EQ(debug::take_number(text), std::nullopt);
    EXPECT_FALSE(debug::take(text, ","));
    EXPECT_TRUE(debug::take(text, "G,"));
    EXPECT_EQ(text, "2");
    text = "p1f.-1;51";
    const auto all = debug::take_thread_id(text);
    EXPECT_TRUE(all && all->process == 0x1f && all->thread == 0);
    EXPECT_TRUE(debug::take(text, ";"));
    const auto one = debug::take_thread_id(text);
    EXPECT_TRUE(one && one->process == 0 && one->thread == 0x51);
    EXPECT_FALSE(debug::take_thread_id(text));
    EXPECT_EQ(debug::escaped("a#b}*$"),
              "a}\x03"
              "b}]}\x0a}\x04");
}

TEST(Packet, PassesOverWhatIsDamaged) {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    host::FileDescriptor other{ends[1]};
    debug::Connection connection{host::FileDescriptor(ends[0])};
    const std::string sent = "+$g#00noise$g#67$qC#b4\x03$broken";
    ASSERT_EQ(::write(other.number(), sent.data(), sent.size()), static_cast<ssize_t>(sent.size()));
    EXPECT_EQ(connection.receive(), "g");
    connection.stop_acknowledging();
    EXPECT_EQ(connection.receive(), "qC");
    EXPECT_TRUE(connection.is_interrupted());
    EXPECT_FALSE(connection.is_interrupted());
    connection.send("OK");
    char answer[32] = {};
    EXPECT_EQ(::read(other.number(), answer, sizeof answer), 8);
    EXPECT_STREQ(answer, "-+$OK#9a");
    other = host::FileDescriptor();
    EXPECT_EQ(connection.receive(), std::nullopt);
    EXPECT_TRUE(connection.is_interrupted());
}

TEST(Packet, DescribesAllRegistersThatItSends) {
    const std::size_t size = debug::register_bytes({}).size();
    std::size_t number = 0, end = 0;
    for (; debug::register_place(number).size != 0; ++number) {
        EXPECT_EQ(debug::register_place(number).offset, end);
        end += debug::register_place(number).size;
    }
    EXPECT_EQ(end, size);
    EXPECT_EQ(number, 16u + 2 + 6 + 8 + 8 + 17 + 1 + 2 + 16 + 6);
}

TEST(Signals, HaveGDBsNumbers) {
    EXPECT_EQ(debug::gdb_signal(SIGSEGV), 11);
    EXPECT_EQ(debug::gdb_signal(SIGBUS), 10);
    EXPECT_EQ(debug::gdb_signal(SIGUSR1), 30);
    EXPECT_EQ(debug::gdb_signal(33), 45);
    EXPECT_EQ(debug::gdb_signal(63), 75);
    EXPECT_EQ(debug::gdb_signal(65), 143);
    debug::SignalSet expected;
    expected.set(SIGALRM).set(SIGUSR1).set(64);
    EXPECT_EQ(debug::take_signals("e;1e;4e"), expected);
    EXPECT_EQ(debug::take_signals(""), debug::SignalSet());
    EXPECT_EQ(debug::take_signals("e,1e"), std::nullopt);
    EXPECT_EQ(debug::take_signals("x"), std::nullopt);
}

// What gdb prints when it runs these commands on a history.
std::string debugged(const std::string& program, const std::string& commands,
                     const std::string& options = "") {
    const std::string base = testing::TempDir() + "debug_test_" + program;
    const std::string script =
        "set confirm off\nset width 0\nset pagination off\n"
        "source " +
        base + ".target\n" + commands + "\nkill\n";
    EXPECT_TRUE(host::write_file_atomically(base + ".gdb", script).ok());
    // The line that the server prints ends with the command that connects.
    return run_command("rm -f " + base + ".line; " + kProgram + " debug " + history_of(program) +
                       " --port 0 " + options + " >" + base + ".line 2>" + base + ".err & " +
                       "server=$!; while ! [ -s " + base +
                       ".line ] && kill -0 $server; do "
                       "sleep 0.05; done; grep -o 'target remote [0-9.:]*' " +
                       base + ".line >" + base + ".target; timeout 120 gdb -nx -batch -x " + base +
                       ".gdb 2>&1; "
                       "kill $server 2>/dev/null; cat " +
                       base + ".err")
        .output;
}

// That all parts are there, in this order.
void expect_parts(const std::string& text, const std::vector<std::string>& parts) {
    std::size_t from = 0;
    for (const std::string& part : parts) {
        const std::size_t at = text.find(part, from);
        EXPECT_NE(at, std::string::npos)
            << "no '" << part << "' after '" << text.substr(0, from) << "' in\n"
            << text;
        if (at != std::string::npos)
            from = at + part.size();
    }
}

TEST_F(Debug, FindsWhoOverwroteAPointerByGoingBackFromTheCrash) {
    const auto begin = std::chrono::steady_clock::now();
    const std::string output = debugged("overwritten", R"(break main
continue
bt
continue
echo crash:\n
bt
frame function main
watch -l list->next->next
reverse-continue
echo culprit:\n
bt
info locals
)");
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    expect_parts(output, {"Breakpoint 1, main ()", "received signal SIGSEGV",
                          "crash:", "sum_of (node=", "Old value",
                          "culprit:", "rename_node (name=", "i = 19"});
    EXPECT_LT(took.count(), 10) << output;
}

// Steps `count` instructions there and back, and says whether all registers were the same ones.
std::string there_and_back(const std::string& function, int count) {
    return "break " + function + "\ncontinue\ndelete\npython\n" + R"(
names = "rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 rip".split()
def registers():
    return tuple(int(gdb.parse_and_eval("$" + name)) & (2**64 - 1) for name in names)
seen = [registers()]
places = set()
for i in range()" +
           std::to_string(count) + R"():
    gdb.execute("stepi", to_string=True)
    seen.append(registers())
    places.add(gdb.selected_frame().name())
wrong = 0
for expected in reversed(seen[:-1]):
    gdb.execute("reverse-stepi", to_string=True)
    wrong += registers() != expected
print(")" + function +
           R"( wrong:", wrong, "different:", len(set(seen)))
print(")" + function +
           R"( places:", sorted(str(place) for place in places))
end
)";
}

TEST_F(Debug, StepsBackAcrossASystemCallASignalAndASwitchOfThreads) {
    const std::string output =
        debugged("detours", there_and_back("ask_kernel", 40) + there_and_back("send_signal", 120) +
                                there_and_back("switch_threads", 40));
    expect_parts(output, {"ask_kernel wrong: 0 ", "send_signal wrong: 0 ", "'on_signal'",
                          "switch_threads wrong: 0 ", "sched_yield'"});
}

TEST_F(Debug, StepsBackAcrossAFork) {
    const std::string output =
        debugged("signals", "handle all nostop noprint pass\nbreak fork_and_wait\ncontinue\n" +
                                there_and_back("_Fork", 60));
    expect_parts(output, {"_Fork wrong: 0 ", "_Fork places: ", "fork'"});
}

TEST_F(Debug, FollowsAWatchThroughThreadsAndALibrary) {
    const std::string output = debugged("detours", R"(handle all nostop noprint pass
break take_turns
continue
bt
watch others_turns
continue
continue
thread
print others_turns
reverse-continue
reverse-continue
print others_turns
delete
break ask_kernel
continue
thread
tbreak syscall
continue
bt
finish
reverse-stepi
bt 1
thread apply all bt 1
)");
    expect_parts(output, {"hit Breakpoint 1, take_turns (",
                          "start_thread (",
                          "Hardware watchpoint 2: others_turns",
                          "New value = 1",
                          "New value = 2",
                          "Current thread is",
                          "$1 = 2",
                          "New value = 1",
                          "New value = 0",
                          "$2 = 0",
                          "Breakpoint 3, ask_kernel ()",
                          "Current thread is",
                          "hit Temporary breakpoint 4",
                          "syscall ()",
                          "ask_kernel ()",
                          "main ()",
                          "ask_kernel ()",
                          "#0  ",
                          "syscall ()",
                          "Thread "});
}

TEST_F(Debug, KnowsThreadsRegistersMomentsAndRefusesToWrite) {
    const std::string output = debugged("detours", R"(break send_signal
continue
info threads
info sharedlibrary
p $cr3 != 0
p $ymm0.v8_int32
info proc mappings
info address __vdso_time
python
try:
    gdb.execute("print handled = 3")
except gdb.error as error:
    print(error)
end
monitor mark here
monitor marks
monitor seek end
maintenance flush register-cache
monitor when
monitor seek here
maintenance flush register-cache
bt
reverse-continue
)");
    expect_parts(output, {"\"detours\"", "\"CPU 0, runs ", "libc.so.6", "$1 = 1", "r-xp",
                          "/detours", "__vdso_time", "Cannot access memory", "here: #",
                          "#0  send_signal ()", "No more reverse-execution history"});
}

TEST_F(Debug, BeginsAtTheEndIfAsked) {
    const std::string output = debugged("overwritten", R"(bt
reverse-stepi
x/i $pc
continue
add-symbol-file target:/uchronia/kernel
info address do_exit
hbreak do_group_exit
reverse-continue
info threads
)",
                                        "--at end");
    expect_parts(output, {"sum_of (node=0x", "mov ", "No more reverse-execution history", "do_exit",
                          "received signal SIGSEGV"});
}

TEST_F(Debug, ShowsTheMachineAlone) {
    const std::string output = debugged("overwritten", R"(info threads
add-symbol-file target:/uchronia/kernel
hbreak do_sys_openat2
continue
bt 1
p $cr4 != 0 && ($efer & 0x500) == 0x500
stepi
reverse-stepi
monitor when
)",
                                        "--process machine");
    expect_parts(output, {"\"CPU 0, runs ", "Breakpoint 1, 0x", "in do_sys_openat2 ()", "$1 = 1"});
}

// --- Signals, forks and Ctrl-C. ---

TEST_F(Debug, StopsAtSignalsBeforeTheirHandlers) {
    const std::string output = debugged("signals", R"(continue
bt
stepi
bt
reverse-stepi
reverse-stepi
x/i $pc
echo forwards\n
continue
continue
bt
continue
bt
continue
echo backwards\n
reverse-continue
reverse-continue
reverse-continue
)");
    // SIGALRM is one of those that gdb does not stop for unless it is told to.
    expect_parts(output, {"received signal SIGUSR1", "#0  __pthread_kill", "in main (",
                          "on_ask (number=", "#1  <signal handler called>", "#2  __pthread_kill",
                          "received signal SIGUSR1", "syscall", "forwards", "signal SIGUSR1",
                          "signal SIGUSR2", "in fork_and_wait ()", "signal SIGTERM", "in end ()",
                          "No more reverse-execution history", "backwards", "signal SIGUSR2",
                          "signal SIGUSR1", "No more reverse-execution history"});
    EXPECT_EQ(output.find("SIGALRM"), std::string::npos) << output;
    EXPECT_EQ(output.find("SIGCHLD"), std::string::npos) << output;
}

TEST_F(Debug, StopsAtSignalsOnSeveralCPUs) {
    const std::string output = debugged("signals_on_two", R"(continue
continue
continue
continue
reverse-continue
reverse-continue
reverse-stepi
stepi
)");
    expect_parts(output, {"signal SIGUSR1", "signal SIGUSR2", "signal SIGTERM",
                          "No more reverse-execution history", "signal SIGUSR2", "signal SIGUSR1",
                          "signal SIGUSR1"});
}

TEST_F(Debug, PassesTheSignalsThatGDBDoesNotWant) {
    const std::string output = debugged("signals", R"(handle SIGUSR1 SIGUSR2 nostop noprint pass
handle SIGALRM stop print pass
continue
bt
stepi
tbreak raise
continue
finish
reverse-next
echo again\n
stepi
reverse-stepi
next
reverse-next
tbreak on_ask
continue
bt
reverse-finish
echo over\n
stepi
bt 1
continue
)");
    expect_parts(
        output,
        {"received signal SIGALRM", "#0  ", "wait_for_alarm ()", "on_alarm (number=", "main (",
         "raise(SIGUSR1)", "again", "raise(SIGUSR1)", "fork_and_wait", "raise(SIGUSR1)", "on_ask (",
         "<signal handler called>", "over", "in __pthread_kill", "received signal SIGTERM"});
    EXPECT_EQ(output.find("signal SIGUSR"), std::string::npos) << output;
}

TEST_F(Debug, StaysWithTheParentOfAForkOrFollowsTheChild) {
    const std::string output = debugged("signals", R"(handle SIGUSR1 SIGUSR2 nostop noprint pass
break fork_and_wait
continue
break count_call
continue
print by
finish
reverse-continue
reverse-continue
echo fork\n
catch fork
continue
bt
set follow-fork-mode child
continue
print by
bt
info inferiors
continue
echo back\n
reverse-continue
reverse-continue
)");
    expect_parts(output, {"Breakpoint 1, fork_and_wait ()", "Detaching after fork from child",
                          "Breakpoint 2, count_call (by=2)", "$1 = 2", "fork_and_wait ()",
                          "Breakpoint 2, count_call (by=2)", "Breakpoint 1, fork_and_wait ()",
                          "fork\n", "Catchpoint 3 (forked process", "in fork_and_wait ()",
                          "Detaching after fork from parent", "Breakpoint 2, count_call (by=40)",
                          "$3 = 40", "in fork_and_wait ()", "* 2    process",
                          "No more reverse-execution history", "back\n",
                          "Breakpoint 2, count_call (by=40)", "No more reverse-execution history"});
    EXPECT_EQ(output.find("warning: unable"), std::string::npos) << output;
}

TEST_F(Debug, SaysThatItHasOneProcessAtATime) {
    const std::string output = debugged("signals", R"(handle SIGUSR1 SIGUSR2 nostop noprint pass
set detach-on-fork off
break count_call
continue
print by
reverse-continue
)");
    expect_parts(output, {"New inferior 2", "uchronia: only one process can be debugged at a time",
                          "count_call (by=2)", "$1 = 2", "No more reverse-execution history"});
}

TEST_F(Debug, GoesThroughAnExecInBothDirections) {
    const std::string output = debugged("shell", R"(handle all nostop noprint pass
set follow-fork-mode child
set breakpoint pending on
catch exec
continue
set follow-fork-mode parent
break count_call
continue
bt
echo back\n
disable
reverse-continue
stepi 4
reverse-continue
echo again\n
enable
continue
reverse-stepi
continue
)");
    expect_parts(output, {"is executing new program: ",
                          "/signals",
                          "Catchpoint 1 (exec'd",
                          "_start ()",
                          "Detaching after fork from child",
                          "Breakpoint 2, count_call (by=2)",
                          "in fork_and_wait ()",
                          "back\n",
                          "is executing new program: ",
                          "/dash",
                          "No more reverse-execution history",
                          "No more reverse-execution history",
                          "again\n",
                          "is executing new program: ",
                          "/signals",
                          "Catchpoint 1 (exec'd",
                          "is executing new program: ",
                          "/dash",
                          "Catchpoint 1 (exec'd",
                          "is executing new program: ",
                          "/signals",
                          "Catchpoint 1 (exec'd"});
}

TEST_F(Debug, StopsLongRunsForCtrlC) {
    // A watch in the page that the program writes to makes the runs take many seconds.
    const std::string output = debugged("signals", R"(handle all nostop noprint pass
python
import os, signal, threading
def interrupt_soon():
    threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
def moment():
    return int(gdb.execute("monitor when", to_string=True).split()[0][1:])
end
break run_long
continue
watch calls
python begin = moment()
python interrupt_soon()
continue
bt
python first = moment()
delete
break end
continue
python end = moment()
delete
watch calls
python interrupt_soon()
reverse-continue
bt
python second = moment()
delete
break fork_and_wait
reverse-continue
python print("in order:", begin < first < end and begin < second < end)
)");
    expect_parts(output,
                 {"Breakpoint 1, run_long (", "received signal SIGINT", "#0  ", "run_long (",
                  "in main (", "Breakpoint 3, end ()", "received signal SIGINT", "#0  ",
                  "run_long (", "in main (", "Breakpoint 5, fork_and_wait ()", "in order: True"});
}

// --- What the guest's kernel has in its memory may be anything. ---

// Structures of the kernel in which a look begins, and somewhere in user memory.
std::vector<u64> places_to_damage(debug::Debuggee& debuggee) {
    debug::GuestTasks& tasks = *debuggee.tasks();
    std::vector<u64> places = {*tasks.kernel().address_of("init_task"),
                               *tasks.kernel().address_of("modules"),
                               *tasks.kernel().address_of("vmemmap_base")};
    for (const debug::ThreadView& thread : debuggee.threads()) {
        const u64 task = thread.task != 0 ? thread.task : tasks.current(*thread.vcpu);
        const u64 memory = tasks.memory_of(task);
        places.push_back(task);
        if (memory != 0)
            places.push_back(memory);
        // What these point to.
        for (u64 offset = 0; offset < 4096; offset += 8) {
            const u64 pointer = tasks.view().number(task + offset);
            if (pointer >> 47 == ~u64{0} >> 47 && pointer % 8 == 0 && offset % 7 == 0)
                places.push_back(pointer);
        }
    }
    return places;
}

void damage(debug::Debuggee& debuggee, machine::Machine& machine, const std::vector<u64>& places,
            u64 round) {
    u64 drawn = 0;
    const auto below = [&](u64 limit) { return random_word(7, round, drawn++) % limit; };
    for (u64 count = 1 + below(30); count != 0; --count) {
        const u64 place = places[below(places.size())];
        u64 address = place + 8 * below(below(2) == 0 ? 32 : 640), physical = 0;
        const u64 values[] = {0,
                              1,
                              ~u64{0},
                              place,
                              places[below(places.size())],
                              address,
                              address + 8,
                              place + 8 * below(512),
                              below(~u64{0})};
        const u64 value = values[below(std::size(values))];
        if (debuggee.tasks()->view().translate(address, physical))
            machine.ram().store(PhysicalAddress(physical), value);
    }
    // Page tables too.
    const u64 root = machine.vcpu(machine.turn()).state.cr3 & ~kPageMask;
    if (below(4) == 0)
        machine.ram().store(PhysicalAddress(root + 8 * below(512)), below(~u64{0}));
    machine.drop_caches();
}

void look_at_everything(debug::Debuggee& debuggee) {
    debug::GuestTasks& tasks = *debuggee.tasks();
    const std::vector<debug::ThreadView> threads = debuggee.threads();
    for (std::size_t i = 0; i < std::min<std::size_t>(threads.size(), 5); ++i) {
        const debug::RegisterValues values = debuggee.registers(threads[i]);
        EXPECT_FALSE(debug::register_bytes(values).empty());
        for (const u64 address : {values.rip, values.gpr[cpu::kRSP], u64{0x40'0000}})
            (void)debuggee.read(address, 9000);
        (void)debuggee.is_in_user_mode(threads[i]);
        (void)tasks.program_of(tasks.memory_of(threads[i].task));
    }
    (void)debuggee.thread(debuggee.present_thread());
    (void)debuggee.is_there();
    EXPECT_LE(debuggee.auxiliary_vector().size(), 4096u);
    (void)tasks.find_process(12345);
    (void)tasks.kernel().function_at(*tasks.kernel().address_of("modules"));
    (void)tasks.kernel().function_at(0xffff'ffff'c010'0000);
}

TEST_F(Debug, TakesWhateverTheKernelsMemoryHolds) {
    Result<std::unique_ptr<cli::OpenedHistory>> opened =
        cli::OpenedHistory::open(history_of("detours"), machine::Engine::kTranslator);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    machine::Machine& machine = (*opened)->timeline().machine();
    debug::Traveller traveller((*opened)->timeline());
    const auto no_files = [](const std::string&) -> Result<std::vector<u8>> { return Error{""}; };
    const auto debuggee = debug::Debuggee::find(traveller, {}, no_files);
    ASSERT_TRUE(debuggee.ok()) << debuggee.error().message;
    const machine::Checkpoint checkpoint = machine.checkpoint();
    const Digest before = machine.state_digest();
    const std::vector<u64> places = places_to_damage(**debuggee);
    for (u64 round = 0; round < 200; ++round) {
        damage(**debuggee, machine, places, round);
        look_at_everything(**debuggee);
        ASSERT_TRUE(machine.restore(checkpoint).ok());
    }
    EXPECT_EQ(machine.state_digest(), before);
}

// --- Looking changes nothing. ---

std::vector<Digest> digests(machine::Engine engine, bool with_stops) {
    constexpr u64 kInterval = 1'234'567;
    Result<std::unique_ptr<cli::OpenedHistory>> opened =
        cli::OpenedHistory::open(history_of("detours"), engine);
    EXPECT_TRUE(opened.ok()) << opened.error().message;
    history::Timeline& timeline = (*opened)->timeline();
    debug::Traveller traveller(timeline);
    const auto no_files = [](const std::string&) -> Result<std::vector<u8>> { return Error{""}; };
    u64 hits = 0;
    debug::Hunt hunt;
    if (with_stops) {
        const auto debuggee = debug::Debuggee::find(traveller, {}, no_files);
        EXPECT_TRUE(debuggee.ok()) << debuggee.error().message;
        const auto thread = (*debuggee)->thread((*debuggee)->present_thread());
        const u64 stack = (*debuggee)->registers(*thread).gpr[cpu::kRSP];
        profile::LinuxKernel& kernel = (*debuggee)->tasks()->kernel();
        hunt.places.breakpoints = {*kernel.address_of("schedule"),
                                   *kernel.address_of("do_syscall_64")};
        std::sort(hunt.places.breakpoints.begin(), hunt.places.breakpoints.end());
        hunt.places.watches = {
            {.address = stack - 4096, .size = 4096, .reads = true, .writes = true},
            {.address = *kernel.address_of("jiffies"), .size = 8, .reads = false, .writes = true}};
        hunt.accepts = [&](const cpu::DebugHit&) {
            ++hits;
            return false;
        };
        EXPECT_TRUE(traveller.seek(Ticks(0)).ok());
    }
    std::vector<Digest> result;
    while (!timeline.end()) {
        (void)traveller.run(timeline.ticks() + Ticks(kInterval), hunt);
        result.push_back(timeline.machine().state_digest());
    }
    EXPECT_EQ(with_stops, hits > 100) << hits;
    return result;
}

TEST_F(Debug, ChangesNothingInEitherEngine) {
    const std::vector<Digest> plain = digests(machine::Engine::kTranslator, false);
    ASSERT_GT(plain.size(), 3u);
    EXPECT_EQ(plain, digests(machine::Engine::kTranslator, true));
    EXPECT_EQ(plain, digests(machine::Engine::kInterpreter, true));
}

TEST_F(Debug, ChangesNothingByStoppingAtSignalsAndForks) {
    const auto open = [] {
        auto opened = cli::OpenedHistory::open(history_of("signals"), machine::Engine::kTranslator);
        EXPECT_TRUE(opened.ok()) << opened.error().message;
        return std::move(*opened);
    };
    const auto no_files = [](const std::string&) -> Result<std::vector<u8>> { return Error{""}; };
    std::vector<std::pair<Ticks, Digest>> seen;
    std::vector<int> signals;
    {
        const auto opened = open();
        debug::Traveller traveller(opened->timeline());
        const auto debuggee = debug::Debuggee::find(traveller, {}, no_files);
        ASSERT_TRUE(debuggee.ok()) << debuggee.error().message;
        debug::Control control(traveller, **debuggee);
        control.set_stops(/*at_forks=*/true, /*at_execs=*/true);
        debug::Event event;
        do {
            event = control.go_on();
            seen.emplace_back(traveller.ticks(), traveller.machine().state_digest());
            signals.push_back(event.signal);
        } while (event.kind == debug::Event::Kind::kSignal ||
                 event.kind == debug::Event::Kind::kFork);
        event = control.go_back();
        EXPECT_EQ(event.signal, SIGUSR2);
        const auto last = seen.end() - 3;
        EXPECT_EQ(traveller.ticks(), last->first);
        EXPECT_EQ(traveller.machine().state_digest(), last->second);
    }
    EXPECT_EQ(signals, std::vector<int>({SIGALRM, SIGUSR1, 0, SIGUSR2, SIGTERM, 0}));
    const auto plain = open();
    for (const auto& [tick, digest] : seen) {
        ASSERT_TRUE(plain->timeline().seek(history::Moment::at(tick)).ok());
        EXPECT_EQ(plain->timeline().machine().state_digest(), digest) << tick.value;
    }
}

}  // namespace
}  // namespace uchronia::tests
