#include "cli/units.h"

#include <gtest/gtest.h>

namespace uchronia::cli {
namespace {

TEST(Units, ReadsSizes) {
    EXPECT_EQ(*parse_size("1073741824"), u64{1} << 30);
    EXPECT_EQ(*parse_size("512M"), u64{512} << 20);
    EXPECT_EQ(*parse_size("1.5G"), u64{1536} << 20);
    EXPECT_EQ(*parse_size("2GiB"), u64{2} << 30);
    EXPECT_EQ(*parse_size("4096K"), u64{4} << 20);
    for (const char* bad : {"", "M", "1X", "1 G", "-1", ".5G", "1.", "1..5G", "0x10",
                            "18446744073709551616", "999999999999G"})
        EXPECT_FALSE(parse_size(bad).ok()) << bad;
    EXPECT_NE(parse_size("lots").error().message.find("lots"), std::string::npos);
}

TEST(Units, ReadsDurations) {
    EXPECT_EQ(parse_duration("10").value(), VirtualTime(10'000'000'000));
    EXPECT_EQ(parse_duration("1.5s").value(), VirtualTime(1'500'000'000));
    EXPECT_EQ(parse_duration("0.000000001s").value(), VirtualTime(1));
    EXPECT_EQ(parse_duration("250ms").value(), VirtualTime(250'000'000));
    EXPECT_EQ(parse_duration("7ns").value(), VirtualTime(7));
    EXPECT_EQ(parse_duration("2m").value(), VirtualTime(120'000'000'000));
    EXPECT_EQ(parse_duration("1h").value(), VirtualTime(3'600'000'000'000));
    EXPECT_FALSE(parse_duration("soon").ok());
    EXPECT_FALSE(parse_duration("99999999999999h").ok());
}

TEST(Units, WritesForPeople) {
    EXPECT_EQ(format_seconds(1'234'567'890), "1.234567890 s");
    EXPECT_EQ(format_count(7), "7");
    EXPECT_EQ(format_count(123), "123");
    EXPECT_EQ(format_count(1234567), "1,234,567");
    EXPECT_EQ(format_rough_duration(200'000'000'000), "3 min 20 s");
    EXPECT_EQ(format_rough_duration(7'260'000'000'000), "2 h 1 min");
}

TEST(Units, ShowsSizes) {
    EXPECT_EQ(format_size(0), "0 B");
    EXPECT_EQ(format_size(1023), "1023 B");
    EXPECT_EQ(format_size(1536), "1.5 KiB");
    EXPECT_EQ(format_size(u64{74} << 20), "74.0 MiB");
    EXPECT_EQ(format_size(~u64{0}), "16777216.0 TiB");
}

}  // namespace
}  // namespace uchronia::cli
