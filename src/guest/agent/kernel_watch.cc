#include "guest/agent/kernel_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "guest/agent/guest_host.h"

namespace uchronia::agent {

namespace {

constexpr unsigned long kMicroseconds = 1'000'000;

void pass_on_line(const guest::KernelLogRecord& record) {
    static char line[8192 + 64];
    const int head =
        snprintf(line, 64, "<%u>[%5lu.%06lu] ", record.level, record.microseconds / kMicroseconds,
                 record.microseconds % kMicroseconds);
    memcpy(line + head, record.text.data(), record.text.size());
    log_line(UCHRONIA_LOG_KERNEL, {line, static_cast<std::size_t>(head) + record.text.size()});
}

}  // namespace

void KernelWatch::open() {
    descriptor_ = static_cast<int>(
        require(::open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC), "open", "/dev/kmsg"));
}

void KernelWatch::drain() {
    char record[8192];
    for (;;) {
        const ssize_t size = read(descriptor_, record, sizeof record);
        if (size < 0 && (errno == EPIPE || errno == EINTR))
            continue;  // EPIPE: old records were overwritten; the next read goes on after them
        if (size <= 0)
            break;
        guest::KernelLogRecord parsed;
        if (!guest::parse_kernel_log_record({record, static_cast<std::size_t>(size)}, parsed))
            continue;
        if (passes_lines_)
            pass_on_line(parsed);
        if (parsed.facility != 0)
            continue;
        if (reports_.add(parsed.text))
            pass_on();
    }
    while (reports_.finish())
        pass_on();
}

void KernelWatch::pass_on() {
    report(reports_.kind(), reports_.text());
    reports_.clear();
}

}  // namespace uchronia::agent
