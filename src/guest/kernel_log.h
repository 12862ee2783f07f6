// Reads the records of /dev/kmsg and finds the kernel's reports about itself in them: warnings,
// oopses and stalls, each collected with the lines that follow it.
//
// Freestanding: no allocation, one fixed buffer for each report. Only the kernel's own records
// count (facility 0), as a program may write to /dev/kmsg too. The format of a record is in the
// kernel's Documentation/ABI/testing/dev-kmsg; that of reports is arch/x86/kernel/dumpstack.c and
// lib/bug.c.
#pragma once

#include <cstddef>
#include <string_view>

#include "guest/hypercall.h"

namespace uchronia::guest {

struct KernelLogRecord {
    unsigned level = 0;              // 0 (emergency) to 7 (debug)
    unsigned facility = 0;           // 0 = the kernel
    unsigned long microseconds = 0;  // of the kernel's clock
    std::string_view text;           // first line of the message, without continuation fields
};

// False if `record` does not have the form "priority,sequence,time,flags;text\n".
bool parse_kernel_log_record(std::string_view record, KernelLogRecord& parsed);

// The kind of report that a line begins, or 0.
int report_kind_of(std::string_view line);

// Collects lines into reports. Feed it every line; `add` answers true when a report is complete
// (then read it and call `clear`). A report ends with its end mark, at the beginning of the next
// one, when its buffer is full, or with `finish` (the log is quiet).
class KernelReports {
  public:
    // A complete report is available through kind() and text() afterwards; the line that began the
    // next one, if any, is kept for after clear().
    bool add(std::string_view line);
    bool finish();
    void clear();

    UchroniaReportKind kind() const { return static_cast<UchroniaReportKind>(kind_); }
    std::string_view text() const { return {text_, size_}; }

  private:
    void begin(int kind, std::string_view line);
    void append(std::string_view line);

    static constexpr std::size_t kCapacity = 16384;
    static constexpr std::size_t kLineCapacity = 1024;

    int kind_ = 0;
    bool cut_here_ = false;  // the last line was "cut here": a report begins
    bool guessed_ = false;   // kind_ is not known for sure yet
    std::size_t size_ = 0;
    char text_[kCapacity];
    int next_kind_ = 0;
    std::size_t next_size_ = 0;
    char next_line_[kLineCapacity];
};

}  // namespace uchronia::guest
