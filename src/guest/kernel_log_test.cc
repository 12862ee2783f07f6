#include "guest/kernel_log.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace uchronia::guest {
namespace {

using Report = std::pair<int, std::string>;

std::vector<Report> reports_of(const std::vector<std::string_view>& lines) {
    KernelReports reports;
    std::vector<Report> found;
    const auto take = [&] {
        found.emplace_back(reports.kind(), std::string(reports.text()));
        reports.clear();
    };
    for (std::string_view line : lines) {
        if (reports.add(line))
            take();
    }
    while (reports.finish())
        take();
    return found;
}

TEST(KernelLog, ParsesARecord) {
    KernelLogRecord record;
    ASSERT_TRUE(parse_kernel_log_record("4,339,5140900,-;hello; world\n SUBSYSTEM=pci\n", record));
    EXPECT_EQ(record.level, 4u);
    EXPECT_EQ(record.facility, 0u);
    EXPECT_EQ(record.text, "hello; world");
    EXPECT_EQ(record.microseconds, 5140900u);
    ASSERT_TRUE(parse_kernel_log_record("12,1,2,-;from a program", record));
    EXPECT_EQ(record.facility, 1u);
    EXPECT_EQ(record.text, "from a program");
}

TEST(KernelLog, RefusesWhatIsNoRecord) {
    KernelLogRecord record;
    for (std::string_view text : {"", ";", "x,1,2,-;a", "6;a", "6,1,2,-"})
        EXPECT_FALSE(parse_kernel_log_record(text, record)) << text;
}

TEST(KernelLog, CollectsAWarningWithItsMessage) {
    const auto found = reports_of({"quiet", "------------[ cut here ]------------",
                                   "refcount_t: underflow; use-after-free.",
                                   "WARNING: CPU: 0 PID: 1 at lib/refcount.c:28",
                                   "Call Trace:", "---[ end trace 0000000000000000 ]---", "later"});
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].first, UCHRONIA_REPORT_WARNING);
    EXPECT_EQ(found[0].second,
              "refcount_t: underflow; use-after-free.\n"
              "WARNING: CPU: 0 PID: 1 at lib/refcount.c:28\nCall Trace:\n"
              "---[ end trace 0000000000000000 ]---\n");
}

TEST(KernelLog, CollectsBugAndOops) {
    const auto bug = reports_of({"------------[ cut here ]------------", "list_add corruption.",
                                 "kernel BUG at lib/list_debug.c:26!",
                                 "invalid opcode: 0000 [#1] PREEMPT SMP NOPTI", "RIP: 0010:x"});
    ASSERT_EQ(bug.size(), 1u);
    EXPECT_EQ(bug[0].first, UCHRONIA_REPORT_OOPS);
    const auto oops = reports_of({"BUG: kernel NULL pointer dereference, address: 0000000000000000",
                                  "#PF: supervisor write access in kernel mode",
                                  "Oops: 0002 [#1] PREEMPT SMP", "---[ end trace 0 ]---"});
    ASSERT_EQ(oops.size(), 1u);
    EXPECT_EQ(oops[0].first, UCHRONIA_REPORT_OOPS);
}

TEST(KernelLog, SeparatesReportsThatFollowEachOther) {
    const auto found = reports_of(
        {"INFO: task x:1 blocked for more than 120 seconds.", "trace", "WARNING: CPU: 0", "more"});
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0], Report(UCHRONIA_REPORT_STALL,
                               "INFO: task x:1 blocked for more than 120 seconds.\ntrace\n"));
    EXPECT_EQ(found[1], Report(UCHRONIA_REPORT_WARNING, "WARNING: CPU: 0\nmore\n"));
}

TEST(KernelLog, IgnoresFaultsOfPrograms) {
    EXPECT_TRUE(reports_of({"traps: a[12] general protection fault ip:1 sp:2 error:0 in a[1+2]",
                            "a[12]: segfault at 0 ip 0 sp 0 error 4"})
                    .empty());
}

TEST(KernelLog, BoundsAReport) {
    std::vector<std::string_view> lines(2000, "a line of the trace that goes on and on");
    lines.front() = "BUG: x";
    const auto found = reports_of(lines);
    ASSERT_EQ(found.size(), 1u);
    EXPECT_LE(found[0].second.size(), 16384u);
    EXPECT_FALSE(reports_of({"BUG: y", std::string(40000, 'x')}).empty());
}

}  // namespace
}  // namespace uchronia::guest
