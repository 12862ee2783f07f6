#include "cli/units.h"

#include <array>
#include <cstdio>
#include <ctime>
#include <optional>
#include <string_view>

namespace uchronia::cli {
namespace {

struct Unit {
    std::string_view name;
    u64 factor;
};

constexpr u64 kKiB = 1024;
// clang-format off
constexpr std::array<Unit, 11> kSizes{{
    {"", 1}, {"B", 1},
    {"K", kKiB}, {"KiB", kKiB}, {"k", kKiB},
    {"M", kKiB * kKiB}, {"MiB", kKiB * kKiB}, {"m", kKiB * kKiB},
    {"G", kKiB * kKiB * kKiB}, {"GiB", kKiB * kKiB * kKiB}, {"g", kKiB * kKiB * kKiB},
}};
constexpr std::array<Unit, 8> kDurations{{
    {"", 1'000'000'000}, {"s", 1'000'000'000},
    {"ns", 1}, {"us", 1'000}, {"ms", 1'000'000},
    {"m", 60'000'000'000}, {"min", 60'000'000'000}, {"h", 3'600'000'000'000},
}};
// clang-format on

// A decimal number with at most nine decimals, times its unit, rounded down; nothing if it is not
// one or does not fit.
template <std::size_t N>
std::optional<u64> parse(std::string_view text, const std::array<Unit, N>& units) {
    constexpr u64 kDecimals = 1'000'000'000;
    u128 number = 0;
    u64 scale = 0;  // 0 before the point, then the value of the next decimal
    std::size_t i = 0;
    for (; i < text.size(); ++i) {
        if (text[i] == '.' && scale == 0 && i > 0) {
            scale = kDecimals / 10;
        } else if (text[i] >= '0' && text[i] <= '9') {
            const u64 digit = static_cast<u64>(text[i] - '0');
            const bool is_decimal = i > 0 && text.substr(0, i).find('.') != std::string_view::npos;
            number = is_decimal ? number + digit * scale : number * 10 + digit * kDecimals;
            if (is_decimal)
                scale /= 10;
            if (number / kDecimals > ~u64{0})
                return std::nullopt;
        } else {
            break;
        }
    }
    if (i == 0 || text[i - 1] == '.')
        return std::nullopt;
    for (const Unit& unit : units) {
        if (unit.name != text.substr(i))
            continue;
        // The number is below 2^94 here: split the product so that it cannot overflow.
        const u128 whole = number / kDecimals * unit.factor;
        const u128 value = whole + number % kDecimals * unit.factor / kDecimals;
        if (value > ~u64{0})
            return std::nullopt;
        return static_cast<u64>(value);
    }
    return std::nullopt;
}

}  // namespace

Result<u64> parse_size(const std::string& text) {
    const std::optional<u64> size = parse(text, kSizes);
    if (!size)
        return Error{"'" + text + "' is not a size; write it like 512M or 2G"};
    return *size;
}

Result<VirtualTime> parse_duration(const std::string& text) {
    const std::optional<u64> nanoseconds = parse(text, kDurations);
    if (!nanoseconds)
        return Error{"'" + text + "' is not a duration; write it like 90s, 1.5s, 250ms or 2m"};
    return VirtualTime(*nanoseconds);
}

Result<VirtualTime> parse_timeout(const std::string& text) {
    if (text.empty())
        return kNever;
    const Result<VirtualTime> timeout = parse_duration(text);
    if (!timeout)
        return Error{"--timeout: " + timeout.error().message};
    return *timeout;
}

Result<Ticks> parse_tick(const std::string& text) {
    const std::string digits = text.empty() ? "" : text.substr(1);
    if (digits.empty() || text[0] != '#' || digits.size() > 18 ||
        digits.find_first_not_of("0123456789") != std::string::npos)
        return Error{"'" + text + "' is no tick; write it like #250000"};
    return Ticks(std::stoull(digits));
}

std::string format_seconds(u64 nanoseconds) {
    char text[48];
    std::snprintf(text, sizeof text, "%llu.%09llu s",
                  static_cast<unsigned long long>(nanoseconds / 1'000'000'000),
                  static_cast<unsigned long long>(nanoseconds % 1'000'000'000));
    return text;
}

std::string format_size(u64 bytes) {
    static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    std::size_t unit = 0;
    double size = static_cast<double>(bytes);
    for (; size >= 1024 && unit + 1 < std::size(kUnits); ++unit)
        size /= 1024;
    char text[48];
    std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", size, kUnits[unit]);
    return text;
}

std::string format_count(u64 count) {
    const std::string digits = std::to_string(count);
    std::string text;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (i > 0 && (digits.size() - i) % 3 == 0)
            text += ',';
        text += digits[i];
    }
    return text;
}

std::string format_rough_duration(u64 nanoseconds) {
    const u64 seconds = (nanoseconds + 500'000'000) / 1'000'000'000;
    if (seconds < 60)
        return std::to_string(seconds) + " s";
    if (seconds < 3600)
        return std::to_string(seconds / 60) + " min " + std::to_string(seconds % 60) + " s";
    return std::to_string(seconds / 3600) + " h " + std::to_string(seconds / 60 % 60) + " min";
}

std::string format_date(i64 seconds) {
    const std::time_t time = static_cast<std::time_t>(seconds);
    std::tm local{};
    char text[32] = "";
    if (::localtime_r(&time, &local) != nullptr)
        std::strftime(text, sizeof text, "%Y-%m-%d %H:%M", &local);
    return text;
}

}  // namespace uchronia::cli
