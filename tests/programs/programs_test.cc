// Real programs in a Debian guest: they give the host's answers, and every way of running one
// history gives the same state.

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <set>

#include "cli/cache.h"
#include "tests/programs/guest_run.h"
#include "tests/programs/host_run.h"
#include "tests/programs/thirty_two_bits.h"

namespace uchronia::tests {
namespace {

// Booted (or found in the cache) once for all tests.
const machine::BaseImage& base_image() {
    static const std::unique_ptr<machine::BaseImage> image = [] {
        history::BaseReference reference;
        reference.memory_size = machine::MachineConfig{}.memory_size;
        auto made = cli::obtain_base_image(reference, machine::Engine::kTranslator, nullptr);
        if (!made) {
            std::fprintf(stderr, "%s\n", made.error().message.c_str());
            std::abort();
        }
        return std::move(*made);
    }();
    return *image;
}

// What the guest sees must not change while a test runs: a folder that nobody writes to.
const std::string kFolder = UCHRONIA_SOURCE "/examples";

struct Program {
    const char* name;
    const char* script;
};

std::ostream& operator<<(std::ostream& out, const Program& program) {
    return out << program.name;
}

// Each prints something that only correct execution gives, in well under a second on the host.
constexpr Program kPrograms[] = {
    {"shell_and_coreutils",
     "seq 1 3000 | sort -r | awk '{s+=$1*NR} END {print s}'; printf '%s\\n' b a c | sort | tr a-z "
     "A-Z; expr 6 \\* 7; ls /usr/bin | head -50 | sha256sum; exit 3"},
    {"bash",
     "exec bash -c 'declare -A m; for i in {1..300}; do m[$((i%7))]+=$i; done; for k in 0 3 6; do "
     "echo ${#m[$k]}; done; echo $(( (1<<40) / 7 )) ${BASH_VERSION}'"},
    {"python3",
     "exec python3 -c 'import math, hashlib, json, struct, random; random.seed(5); "
     "print([random.random() for _ in range(3)], math.sin(1e6), math.gamma(4.5), 2**200 // 3**50); "
     "print(hashlib.sha256(b\"x\"*1000).hexdigest(), json.dumps({\"a\": [1.5, None]})); "
     "print(struct.pack(\"<dfe\", 1.1, 2.2, 3.3).hex(), float(\"1e-310\"), 0.1+0.2)'"},
    {"perl",
     "exec perl -e 'my %h; $h{$_ % 97} += sqrt($_) for 1..5000; printf \"%.12f\\n\", $h{13}; my $t "
     "= \"abc\" x 200; $t =~ s/b(c)/$1$1/g; print length($t), \" \", unpack(\"%32C*\", $t), "
     "\"\\n\"'"},
    {"sqlite3",
     "exec sqlite3 :memory: 'create table t(a integer primary key, b real, c text); with recursive "
     "n(x) as (select 1 union all select x+1 from n where x<2000) insert into t select x, x/3.0, "
     "printf(\"%05d\",x) from n; create index i on t(c desc); select count(*), sum(b), max(c) from "
     "t where c like \"%7\"; select group_concat(a) from (select a from t order by c limit 5);'"},
    {"openssl",
     "printf 'The quick brown fox' | openssl sha512; printf abc | openssl sha3-256; printf secret "
     "| openssl enc -aes-256-ctr -K "
     "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff "
     "-iv 000102030405060708090a0b0c0d0e0f | base64; openssl prime 1000003"},
    {"gcc",
     "d=$(mktemp -d); printf '#include <stdio.h>\\nint main(void) { double s = 0; for (int i = 1; "
     "i < 1000; ++i) s += 1.0 / i; printf(\"%%.15f\\\\n\", s); return 7; }\\n' > $d/a.c; gcc -O2 "
     "-o "
     "$d/a $d/a.c && $d/a"},
    {"thirty_two_bits", kThirtyTwoBits},
    {"xz", "head -c 300000 /usr/bin/bash | xz -2 | xz -d | sha256sum"},
    {"git",
     "d=$(mktemp -d); cd $d; git init -q -b main .; git config user.email a@b.c; git config "
     "user.name n; for i in 1 2 3; do echo $i > f; git add f; "
     "GIT_AUTHOR_DATE='2020-01-01T00:00:00Z' "
     "GIT_COMMITTER_DATE='2020-01-01T00:00:00Z' git commit -q -m c$i; done; git log --format='%H "
     "%s'; git diff HEAD~2 | tail -3; git fsck"},
};

class Programs : public testing::TestWithParam<Program> {};

TEST_P(Programs, GivesTheHostsAnswer) {
    const HostResult host = run_on_host(GetParam().script, kFolder);
    const GuestResult guest =
        run_in_guest(base_image(), GetParam().script, kFolder, 1, Way::kPlain);
    EXPECT_EQ(guest.output, host.output) << guest.errors;
    EXPECT_TRUE(guest.ended) << guest.stop;
    EXPECT_EQ(guest.exit_status, static_cast<u64>(host.exit_status));
}

TEST_P(Programs, EveryWayGivesTheSameState) {
    const auto run = [](Way way) {
        return run_in_guest(base_image(), GetParam().script, kFolder, 2, way);
    };
    const GuestResult plain = run(Way::kPlain);
    EXPECT_TRUE(plain.ended) << plain.stop;
    EXPECT_EQ(plain.summary(), run(Way::kOddBudgets).summary());
    EXPECT_EQ(plain.summary(), run(Way::kInterpreter).summary());
    EXPECT_EQ(plain.summary(), run(Way::kBothEngines).summary());
    const GuestResult restored = run(Way::kThroughCheckpoint);
    EXPECT_EQ(plain.ticks, restored.ticks);
    EXPECT_EQ(to_hex(plain.state), to_hex(restored.state));
}

INSTANTIATE_TEST_SUITE_P(, Programs, testing::ValuesIn(kPrograms),
                         [](const auto& instance) { return std::string(instance.param.name); });

GuestResult plain_run(const std::string& script, u64 seed = 1) {
    return run_in_guest(base_image(), script, kFolder, seed, Way::kPlain);
}

TEST(Guest, TheKernelLogIsClean) {
    // Warnings and worse, and what the kernel says of things that it does not expect.
    const GuestResult log = plain_run(
        "dmesg --level=emerg,alert,crit,err,warn; dmesg | grep -iE "
        "'unchecked|stall|call trace|bug:|unhandled|fixme|lockup'");
    EXPECT_EQ(log.output, "");
    EXPECT_EQ(log.errors, "");
}

TEST(Guest, StartsAtAFixedDate) {
    const GuestResult result = plain_run("date -u +%F; cat /proc/sys/kernel/hostname");
    EXPECT_EQ(result.output, "2026-01-01\nuchronia\n");
}

TEST(Guest, ReportsItsOwnProcessor) {
    const GuestResult result = plain_run(
        "grep -E 'vendor_id|model name|cpu MHz|siblings' "
        "/proc/cpuinfo; nproc");
    EXPECT_EQ(result.output,
              "vendor_id\t: AuthenticAMD\nmodel name\t: Uchronia virtual CPU v3\n"
              "cpu MHz\t\t: 1000.000\nsiblings\t: 1\n1\n");
}

TEST(Guest, SleepingCostsNothing) {
    const GuestResult result = plain_run("date +%s; sleep 3600; date +%s");
    EXPECT_LT(result.ticks, 200'000'000u);
    const long before = std::strtol(result.output.c_str(), nullptr, 10);
    const long after = std::strtol(result.output.c_str() + 11, nullptr, 10);
    EXPECT_GE(after - before, 3600);
    EXPECT_LE(after - before, 3602);
}

TEST(Guest, AnotherSeedIsAnotherHistory) {
    const char* script = "od -An -tx1 -N16 /dev/urandom";
    const GuestResult one = plain_run(script, 1);
    const GuestResult two = plain_run(script, 2);
    EXPECT_NE(one.output, two.output);
    EXPECT_NE(to_hex(one.state), to_hex(two.state));
    EXPECT_EQ(one.output, plain_run(script, 1).output);
}

TEST(Guest, WritesVanish) {
    const GuestResult result =
        plain_run("f=racy_counter.c; echo changed > $f && cat $f && rm $f && ls $f");
    EXPECT_EQ(result.output, "changed\n");
    const HostResult host = run_on_host("grep -c changed racy_counter.c", kFolder);
    EXPECT_EQ(host.output, "0\n");
}

TEST(Guest, WritesToADiskStayInTheMachine) {
    const HostResult made = run_on_host(
        "f=$(mktemp) && printf 'on the disk' > $f && truncate -s 1M $f && echo $f", kFolder);
    ASSERT_EQ(made.exit_status, 0);
    history::BaseReference reference;
    reference.memory_size = machine::MachineConfig{}.memory_size;
    reference.disk_path = made.output.substr(0, made.output.size() - 1);
    const auto base = cli::obtain_base_image(reference, machine::Engine::kTranslator, nullptr);
    ASSERT_TRUE(base.ok()) << base.error().message;
    const char* script =
        "head -c 11 /dev/vda; echo; printf changed | dd of=/dev/vda conv=notrunc 2>/dev/null; "
        "sync; head -c 11 /dev/vda; stat -c %t /dev/vda; blockdev --getsize64 /dev/vda";
    const GuestResult guest = run_in_guest(**base, script, kFolder, 1, Way::kThroughCheckpoint);
    EXPECT_EQ(guest.exit_status, 0u);
    const GuestResult plain = run_in_guest(**base, script, kFolder, 1, Way::kPlain);
    EXPECT_EQ(plain.output, "on the disk\nchangeddiskfe\n1048576\n");
    EXPECT_EQ(to_hex(plain.state), to_hex(guest.state));
    EXPECT_EQ(run_on_host("head -c 11 " + reference.disk_path, "/").output, "on the disk");
    run_on_host("rm " + reference.disk_path, "/");
}

TEST(Guest, ARaceShowsUnderSomeSeeds) {
    const HostResult compiled = run_on_host(
        "d=$(mktemp -d) && cc -O1 -pthread -o $d/racy racy_counter.c && echo $d", kFolder);
    ASSERT_EQ(compiled.exit_status, 0);
    const std::string folder = compiled.output.substr(0, compiled.output.size() - 1);
    std::set<u64> statuses;
    for (u64 seed = 1; seed <= 60 && statuses.size() < 2; ++seed) {
        const GuestResult result =
            run_in_guest(base_image(), "exec ./racy", folder, seed, Way::kPlain);
        ASSERT_TRUE(result.ended) << result.stop << result.errors;
        statuses.insert(result.exit_status);
    }
    EXPECT_EQ(statuses, (std::set<u64>{0, 1}));
    run_on_host("rm -r " + folder, "/");
}

}  // namespace
}  // namespace uchronia::tests
