// Sizes, durations and counts as people write them.
#pragma once

#include <string>

#include "base/result.h"
#include "base/types.h"

namespace uchronia::cli {

// Bytes: "512M", "2G", "2GiB", "4096K", "1073741824". K, M and G are powers of 1024.
Result<u64> parse_size(const std::string& text);

// Nanoseconds: "10s", "1.5s", "250ms", "20us", "7ns", "2m", "1h"; a bare number is seconds.
Result<VirtualTime> parse_duration(const std::string& text);

// The option --timeout; kNever if there is none.
Result<VirtualTime> parse_timeout(const std::string& text);

// A tick: "#123456".
Result<Ticks> parse_tick(const std::string& text);

// "1.234567890 s".
std::string format_seconds(u64 nanoseconds);
// "74.0 MiB", "512 B".
std::string format_size(u64 bytes);
// "1,234,567".
std::string format_count(u64 count);
// "2026-11-23 12:40", in the host's time zone, like ls(1). Of seconds since 1970.
std::string format_date(i64 seconds);
// "3 min 20 s", for progress.
std::string format_rough_duration(u64 nanoseconds);

}  // namespace uchronia::cli
