// Guests with several CPUs: they see them, use them, and one history gives the same state however
// it is run.

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <set>

#include "cli/cache.h"
#include "tests/programs/guest_run.h"
#include "tests/programs/host_run.h"

namespace uchronia::tests {
namespace {

// What the guest sees must not change while a test runs: a folder that nobody writes to.
const std::string kFolder = UCHRONIA_SOURCE "/examples";

class SeveralCPUs : public testing::TestWithParam<unsigned> {
  protected:
    void SetUp() override {
        history::BaseReference reference;
        reference.memory_size = machine::MachineConfig{}.memory_size;
        reference.vcpu_count = GetParam();
        auto made = cli::obtain_base_image(reference, machine::Engine::kTranslator, nullptr);
        ASSERT_TRUE(made.ok()) << made.error().message;
        base_ = std::move(*made);
    }

    GuestResult run(const std::string& script, u64 seed = 1, Way way = Way::kPlain,
                    const std::string& folder = kFolder) {
        return run_in_guest(*base_, script, folder, seed, way);
    }
    std::string count() const { return std::to_string(GetParam()); }

    std::unique_ptr<machine::BaseImage> base_;
};

TEST_P(SeveralCPUs, AreThere) {
    const GuestResult result =
        run("nproc; grep -c ^processor /proc/cpuinfo; taskset -c " +
            std::to_string(GetParam() - 1) + " nproc; cat /sys/devices/system/cpu/online");
    EXPECT_EQ(result.output,
              count() + "\n" + count() + "\n1\n0-" + std::to_string(GetParam() - 1) + "\n");
    EXPECT_EQ(result.exit_status, 0u);
}

TEST_P(SeveralCPUs, TheKernelLogIsClean) {
    const GuestResult log =
        run("dmesg --level=emerg,alert,crit,err,warn; dmesg | grep -iE "
            "'unchecked|stall|call trace|bug:|unhandled|fixme|lockup|unstable'");
    EXPECT_EQ(log.output, "");
    EXPECT_EQ(log.errors, "");
}

TEST_P(SeveralCPUs, EveryWayGivesTheSameState) {
    static constexpr const char* kScripts[] = {
        "for i in 1 2 3 4; do (seq 1 $((i * 2000)) | sort -r | sha256sum) & done; wait",
        "exec python3 -c 'import threading, queue\n"
        "q = queue.Queue(3)\n"
        "done = []\n"
        "def take():\n"
        "    while (n := q.get()) is not None: done.append(n * n)\n"
        "threads = [threading.Thread(target=take) for _ in range(4)]\n"
        "[t.start() for t in threads]\n"
        "[q.put(i) for i in range(500)]\n"
        "[q.put(None) for _ in threads]\n"
        "[t.join() for t in threads]\n"
        "print(sum(done), done[:20])'",
    };
    for (const char* script : kScripts) {
        const GuestResult plain = run(script, 3);
        EXPECT_TRUE(plain.ended) << plain.stop;
        EXPECT_EQ(plain.exit_status, 0u) << plain.errors;
        EXPECT_EQ(plain.summary(), run(script, 3, Way::kOddBudgets).summary());
        EXPECT_EQ(plain.summary(), run(script, 3, Way::kInterpreter).summary());
        EXPECT_EQ(plain.summary(), run(script, 3, Way::kBothEngines).summary());
        const GuestResult restored = run(script, 3, Way::kThroughCheckpoint);
        EXPECT_EQ(plain.ticks, restored.ticks);
        EXPECT_EQ(to_hex(plain.state), to_hex(restored.state));
    }
}

TEST_P(SeveralCPUs, ComputeAtOnce) {
    const char* script =
        "work() { i=0; while [ $i -lt 3000 ]; do i=$((i+1)); done; }; work; date +%s%N; work; date "
        "+%s%N; work & work & wait; date +%s%N";
    const GuestResult result = run(script);
    char* at = nullptr;
    const double start = std::strtod(result.output.c_str(), &at);
    const double middle = std::strtod(at, &at);
    const double end = std::strtod(at, &at);
    // Two at once take much less than twice the time of one; stalls and forks are in both.
    EXPECT_GT(middle, start);
    EXPECT_GT(end, middle);
    EXPECT_LT(end - middle, 20 * (middle - start));
}

INSTANTIATE_TEST_SUITE_P(, SeveralCPUs, testing::Values(2u, 4u));

// Compiles a C program on the host: the folder that it is in.
std::string compiled(const std::string& source) {
    const HostResult result = run_on_host(
        "d=$(mktemp -d) && cat > $d/a.c <<'END' && cc -O1 -pthread -o $d/a $d/a.c && echo $d\n" +
            source + "\nEND",
        kFolder);
    EXPECT_EQ(result.exit_status, 0);
    return result.output.empty() ? "" : result.output.substr(0, result.output.size() - 1);
}

class TwoCPUs : public SeveralCPUs {};

// Increments that are lost depend on who is where: many different sums, each the same again.
TEST_P(TwoCPUs, ARacyCounterHasManyResults) {
    const std::string folder = compiled(R"(
#include <pthread.h>
#include <stdio.h>
static volatile long counter;
static void* count(void* unused) {
    for (int i = 0; i < 100000; ++i)
        ++counter;
    return unused;
}
int main(void) {
    pthread_t a, b;
    pthread_create(&a, NULL, count, NULL);
    pthread_create(&b, NULL, count, NULL);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    printf("%ld\n", counter);
})");
    std::set<std::string> results;
    for (u64 seed = 1; seed <= 100 && results.size() < 20; ++seed) {
        const GuestResult result = run("exec ./a", seed, Way::kPlain, folder);
        ASSERT_TRUE(result.ended) << result.stop << result.errors;
        results.insert(result.output);
        if (seed % 10 == 0) {
            EXPECT_EQ(result.summary(), run("exec ./a", seed, Way::kPlain, folder).summary());
        }
    }
    EXPECT_GE(results.size(), 20u);
    run_on_host("rm -r " + folder, "/");
}

// The store-buffer litmus: under sequential consistency one of the two sees the other's store.
TEST_P(TwoCPUs, StoresAreSeenInOrder) {
    const std::string folder = compiled(R"(
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
enum { kRounds = 20000 };
static volatile int x[kRounds], y[kRounds], r[2][kRounds];
static volatile int ready;
static void* side(void* argument) {
    const long me = (long)argument;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(me, &set);
    sched_setaffinity(0, sizeof set, &set);
    __atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
    while (ready < 2)
        __builtin_ia32_pause();
    for (int i = 0; i < kRounds; ++i) {
        if (me == 0) {
            x[i] = 1;
            r[0][i] = y[i];
        } else {
            y[i] = 1;
            r[1][i] = x[i];
        }
    }
    return NULL;
}
int main(void) {
    pthread_t threads[2];
    for (long i = 0; i < 2; ++i)
        pthread_create(&threads[i], NULL, side, (void*)i);
    for (int i = 0; i < 2; ++i)
        pthread_join(threads[i], NULL);
    int forbidden = 0;
    for (int i = 0; i < kRounds; ++i)
        forbidden += r[0][i] == 0 && r[1][i] == 0;
    printf("%d\n", forbidden);
})");
    for (u64 seed = 1; seed <= 20; ++seed)
        EXPECT_EQ(run("exec ./a", seed, Way::kPlain, folder).output, "0\n");
    run_on_host("rm -r " + folder, "/");
}

INSTANTIATE_TEST_SUITE_P(, TwoCPUs, testing::Values(2u));

}  // namespace
}  // namespace uchronia::tests
