#include "guest/kernel_log.h"

#include <cstring>

namespace uchronia::guest {
namespace {

constexpr std::string_view kCutHere = "------------[ cut here ]------------";
constexpr std::string_view kEndTrace = "---[ end ";

enum class Where { kStart, kAnywhere };

struct Trigger {
    std::string_view text;
    Where where;
    int kind;
};

// clang-format off
constexpr Trigger kTriggers[] = {
    {"WARNING: ",                     Where::kStart,    UCHRONIA_REPORT_WARNING},
    {"unchecked MSR access error",    Where::kStart,    UCHRONIA_REPORT_WARNING},
    {": nobody cared",                Where::kAnywhere, UCHRONIA_REPORT_WARNING},
    {"watchdog: BUG: ",               Where::kStart,    UCHRONIA_REPORT_STALL},
    {"INFO: task ",                   Where::kStart,    UCHRONIA_REPORT_STALL},
    {"rcu: INFO: ",                   Where::kStart,    UCHRONIA_REPORT_STALL},
    {"BUG: ",                         Where::kStart,    UCHRONIA_REPORT_OOPS},
    {"kernel BUG at ",                Where::kStart,    UCHRONIA_REPORT_OOPS},
    {"Kernel panic",                  Where::kStart,    UCHRONIA_REPORT_OOPS},
    {" [#",                           Where::kAnywhere, UCHRONIA_REPORT_OOPS},  // "Oops: 0002 [#1]"
};
// clang-format on

bool starts_with(std::string_view text, std::string_view prefix) {
    return text.substr(0, prefix.size()) == prefix;
}

// Reads decimal digits off the front; false if there are none.
template <class Number>
bool take_number(std::string_view& text, Number& number) {
    std::size_t length = 0;
    number = 0;
    while (length < text.size() && text[length] >= '0' && text[length] <= '9')
        number = number * 10 + static_cast<Number>(text[length++] - '0');
    text.remove_prefix(length);
    return length != 0;
}

}  // namespace

bool parse_kernel_log_record(std::string_view record, KernelLogRecord& parsed) {
    const std::size_t separator = record.find(';');
    unsigned priority = 0;
    std::string_view prefix = record.substr(0, separator);
    if (separator == std::string_view::npos || !take_number(prefix, priority) ||
        !starts_with(prefix, ","))
        return false;
    // The sequence number, and the time.
    unsigned long sequence = 0;
    parsed.microseconds = 0;
    prefix.remove_prefix(1);
    if (take_number(prefix, sequence) && starts_with(prefix, ",")) {
        prefix.remove_prefix(1);
        take_number(prefix, parsed.microseconds);
    }
    parsed.level = priority & 7u;
    parsed.facility = priority >> 3;
    parsed.text = record.substr(separator + 1);
    parsed.text = parsed.text.substr(0, parsed.text.find('\n'));
    return true;
}

int report_kind_of(std::string_view line) {
    for (const Trigger& trigger : kTriggers) {
        const std::size_t at = line.find(trigger.text);
        if (at == 0 || (at != std::string_view::npos && trigger.where == Where::kAnywhere))
            return trigger.kind;
    }
    return 0;
}

bool KernelReports::add(std::string_view line) {
    if (line == kCutHere) {
        const bool complete = finish();
        cut_here_ = true;
        return complete;
    }
    const int kind = report_kind_of(line);
    if (cut_here_) {
        // A message of its own may stand between "cut here" and the line that tells the kind.
        guessed_ = kind == 0;
        cut_here_ = false;
        begin(guessed_ ? UCHRONIA_REPORT_WARNING : kind, line);
        return false;
    }
    if (kind_ == 0) {
        if (kind != 0)
            begin(kind, line);
        return false;
    }
    if (guessed_ && kind != 0) {
        kind_ = kind;
        guessed_ = false;
    }
    // An oops has several lines that would begin one; a report of another kind is a new one.
    if (kind != 0 && kind != kind_) {
        next_kind_ = kind;
        next_size_ = line.size() < kLineCapacity ? line.size() : kLineCapacity;
        std::memcpy(next_line_, line.data(), next_size_);
        return true;
    }
    append(line);
    return starts_with(line, kEndTrace) || size_ + kLineCapacity > kCapacity;
}

bool KernelReports::finish() {
    return kind_ != 0;
}

void KernelReports::clear() {
    const int kind = next_kind_;
    kind_ = 0;
    guessed_ = false;
    size_ = 0;
    next_kind_ = 0;
    if (kind != 0)
        begin(kind, {next_line_, next_size_});
}

void KernelReports::begin(int kind, std::string_view line) {
    kind_ = kind;
    size_ = 0;
    append(line);
}

void KernelReports::append(std::string_view line) {
    const std::size_t room = kCapacity - size_ - 1;
    const std::size_t size = line.size() < room ? line.size() : room;
    std::memcpy(text_ + size_, line.data(), size);
    size_ += size;
    text_[size_++] = '\n';
}

}  // namespace uchronia::guest
