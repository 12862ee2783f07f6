#include "base/state_io.h"

#include <gtest/gtest.h>

namespace uchronia {
namespace {

TEST(StateIO, ShowsWhereLongFieldsDiffer) {
    std::vector<u8> long_a(100, 0x11), long_b = long_a;
    long_b[70] = 0x22;
    const std::vector<FieldValue> a{{"number", {1, 0}}, {"long", long_a}};
    const std::vector<FieldValue> b{{"number", {2, 0}}, {"long", long_b}};
    const std::vector<FieldDifference> found = differences_of(a, b);
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0].path, "number");
    EXPECT_EQ(found[0].a, "0001");
    EXPECT_EQ(found[0].b, "0002");
    EXPECT_EQ(found[1].offset, 70u);
    EXPECT_EQ(found[1].a.substr(0, 4), "1111");
    EXPECT_EQ(found[1].b.substr(0, 4), "2211");
    EXPECT_TRUE(differences_of(a, a).empty());
}

TEST(StateIO, SaysThatOtherFieldsFollow) {
    const std::vector<FieldDifference> found = differences_of({{"x", {1}}}, {{"y", {1}}});
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].path, "the list of fields");
    EXPECT_EQ(differences_of({{"x", {1}}}, {})[0].path, "the number of fields");
}

}  // namespace
}  // namespace uchronia
