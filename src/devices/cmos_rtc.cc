#include "devices/cmos_rtc.h"

namespace uchronia::devices {
namespace {

// clang-format off
enum : unsigned { kSeconds = 0, kMinutes = 2, kHours = 4, kDayOfWeek = 6, kDayOfMonth = 7,
                  kMonth = 8, kYear = 9, kA = 0x0a, kB = 0x0b, kC = 0x0c, kD = 0x0d,
                  kCentury = 0x32 };
// clang-format on

constexpr u8 kAReset = 0x26;  // 32.768 kHz, 1024 Hz; update in progress reads as 0
constexpr u8 kUpdateInProgress = 0x80;
constexpr u8 kSet = 0x80, kBinary = 0x04, k24Hours = 0x02;
constexpr u8 kBStored = kSet | kBinary | k24Hours | 0x09;  // no interrupt enables
constexpr u8 kDValid = 0x80;
constexpr u8 kAfternoon = 0x80;

constexpr u64 kSecondsPerDay = 86400;
constexpr u64 kNanosecondsPerSecond = 1'000'000'000;

bool is_time(unsigned index) {
    return index == kSeconds || index == kMinutes || index == kHours ||
           (index >= kDayOfWeek && index <= kYear) || index == kCentury;
}

// Days from 0001-01-01 to the first day of a year (at least 1) of the Gregorian calendar.
u64 days_before_year(u64 year) {
    const u64 y = year - 1;
    return y * 365 + y / 4 - y / 100 + y / 400;
}

bool is_leap(u64 year) {
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

// Days from the first of January to the first day of a month (1-12; 13 gives the year's length).
u64 days_before_month(u64 year, unsigned month) {
    constexpr u16 kDays[14] = {0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
    return kDays[month] + (month > 2 && is_leap(year) ? 1u : 0u);
}

}  // namespace

CMOSRTC::CMOSRTC(u64 start_date) : date_at_zero_(start_date) {
    memory_[kA] = kAReset;
    memory_[kB] = k24Hours;
}

void CMOSRTC::fields(FieldVisitor& v) {
    v("date_at_zero", date_at_zero_);
    v("index", index_);
    index_ &= kSize - 1;  // a damaged file could say anything
    v("memory", memory_);
}

u8 CMOSRTC::encode(unsigned value) const {
    if ((memory_[kB] & kBinary) != 0)
        return static_cast<u8>(value);
    return static_cast<u8>(value / 10 % 10 << 4 | value % 10);
}

unsigned CMOSRTC::decode(u8 value) const {
    return (memory_[kB] & kBinary) != 0 ? value : (value >> 4) * 10u + (value & 15u);
}

u8 CMOSRTC::encode_hour(unsigned hour) const {
    if ((memory_[kB] & k24Hours) != 0)
        return encode(hour);
    const u8 shown = encode(hour % 12 == 0 ? 12 : hour % 12);
    return hour >= 12 ? shown | kAfternoon : shown;
}

unsigned CMOSRTC::decode_hour(u8 value) const {
    if ((memory_[kB] & k24Hours) != 0)
        return decode(value);
    const unsigned hour = decode(value & 0x7f) % 12;
    return (value & kAfternoon) != 0 ? hour + 12 : hour;
}

void CMOSRTC::show_date(u64 seconds) {
    constexpr u64 kDaysPerCycle = 146097, kYearsPerCycle = 400;
    const u64 days = seconds / kSecondsPerDay + days_before_year(1970);
    const unsigned in_day = static_cast<unsigned>(seconds % kSecondsPerDay);
    u64 year = days * kYearsPerCycle / kDaysPerCycle + 1;  // off by one at most
    while (days_before_year(year) > days)
        --year;
    while (days_before_year(year + 1) <= days)
        ++year;
    const u64 in_year = days - days_before_year(year);
    unsigned month = 1;
    while (days_before_month(year, month + 1) <= in_year)
        ++month;
    memory_[kSeconds] = encode(in_day % 60);
    memory_[kMinutes] = encode(in_day / 60 % 60);
    memory_[kHours] = encode_hour(in_day / 3600);
    memory_[kDayOfWeek] = encode(static_cast<unsigned>((days + 1) % 7 + 1));  // Sunday is 1
    memory_[kDayOfMonth] =
        encode(static_cast<unsigned>(in_year - days_before_month(year, month)) + 1);
    memory_[kMonth] = encode(month);
    memory_[kYear] = encode(static_cast<unsigned>(year % 100));
    memory_[kCentury] = encode(static_cast<unsigned>(year / 100 % 100));
}

// Registers may hold anything that the guest wrote: impossible dates give some date.
u64 CMOSRTC::shown_date() const {
    const u64 written_year = decode(memory_[kCentury]) * u64{100} + decode(memory_[kYear]);
    const u64 year = written_year < 1970 ? 1970 : written_year;
    const unsigned month = decode(memory_[kMonth]);
    const unsigned valid_month = month < 1 || month > 12 ? 1 : month;
    const u64 days = days_before_year(year) - days_before_year(1970) +
                     days_before_month(year, valid_month) + decode(memory_[kDayOfMonth]) - 1;
    return days * kSecondsPerDay + decode_hour(memory_[kHours]) * u64{3600} +
           decode(memory_[kMinutes]) * u64{60} + decode(memory_[kSeconds]);
}

u8 CMOSRTC::read_byte(u16 port, VirtualTime now) {
    if (port != 1)
        return 0xff;  // the index register is write-only
    if (index_ == kC)
        return 0;
    if (index_ == kD)
        return kDValid;
    if (!is_time(index_) || (memory_[kB] & kSet) != 0)
        return memory_[index_];
    // A running clock leaves no trace of being read.
    CMOSRTC reading = *this;
    reading.show_date(date_at_zero_ + now.value / kNanosecondsPerSecond);
    return reading.memory_[index_];
}

// Bit 7 of the index port masks NMIs on a PC; there are none to mask.
void CMOSRTC::write_byte(u16 port, u8 value, VirtualTime now) {
    if (port == 0)
        index_ = value & (kSize - 1);
    else if (port == 1)
        write_register(index_, value, now);
}

void CMOSRTC::write_register(unsigned index, u8 value, VirtualTime now) {
    const u64 running = now.value / kNanosecondsPerSecond;
    if (index == kA) {
        memory_[kA] = static_cast<u8>(value & ~kUpdateInProgress);
        return;
    }
    if (index == kC || index == kD)
        return;
    const bool stopped = (memory_[kB] & kSet) != 0;
    if (index == kB) {
        if (!stopped && (value & kSet) != 0) {
            memory_[kB] = value & kBStored;
            show_date(date_at_zero_ + running);
        } else {
            if (stopped && (value & kSet) == 0)
                date_at_zero_ = shown_date() - running;
            memory_[kB] = value & kBStored;
        }
        return;
    }
    if (is_time(index) && !stopped) {
        // A write to the running clock moves it.
        show_date(date_at_zero_ + running);
        memory_[index] = value;
        date_at_zero_ = shown_date() - running;
        return;
    }
    memory_[index] = value;
}

}  // namespace uchronia::devices
