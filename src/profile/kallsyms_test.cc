#include "profile/kallsyms.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "profile/testing.h"

namespace uchronia::profile {
namespace {

using testing::Builder;

constexpr u64 kBase = 0xffff'ffff'8100'0000;
constexpr u64 kCount = 1500;

enum class Layout { kAddressesFirst, kAddressesLast };

std::string name_of(u64 i) {
    return "function_" + std::to_string(i);
}

// Token 0x80 is "unc"; control characters are tokens of no use, as the kernel has them.
std::string token(unsigned i) {
    if (i > 0x20 && i < 0x7f)
        return std::string(1, static_cast<char>(i));
    return i == 0x80 ? "unc" : "x" + std::to_string(i);
}

Builder names_and_tokens(u64& names_begin, Builder image) {
    std::vector<u32> markers;
    image.align(8).add(u64{kCount});
    names_begin = image.size();
    for (u64 i = 0; i < kCount; ++i) {
        if (i % 256 == 0)
            markers.push_back(static_cast<u32>(image.size() - names_begin));
        std::string text = "T" + name_of(i);
        text.replace(text.find("unc"), 3, "\x80");
        image.add(static_cast<u8>(text.size()));
        for (const char c : text)
            image.add(static_cast<u8>(c));
    }
    image.align(8);
    for (const u32 marker : markers)
        image.add(marker);
    image.align(8);
    const u64 table = image.size();
    std::vector<u16> index;
    for (unsigned i = 0; i < 256; ++i) {
        index.push_back(static_cast<u16>(image.size() - table));
        image.text(token(i));
    }
    image.align(8);
    for (const u16 start : index)
        image.add(start);
    return image;
}

// Symbol 3 is a per-CPU variable, at 0x1000.
void add_addresses(Builder& image) {
    image.align(8);
    for (u64 i = 0; i < kCount; ++i)
        image.add(i == 3 ? i32{0x1000} : static_cast<i32>(-1 - static_cast<i64>(16 * i)));
    image.align(8).add(kBase);
}

std::vector<u8> sample(Layout layout) {
    Builder image;
    image.bytes.resize(1000, 0xcc);
    image.add(u64{0});
    u64 names_begin = 0;
    if (layout == Layout::kAddressesFirst)
        add_addresses(image);
    image = names_and_tokens(names_begin, std::move(image));
    if (layout == Layout::kAddressesLast)
        add_addresses(image);
    image.bytes.resize(image.size() + 100, 0xcc);
    return image.bytes;
}

TEST(Kallsyms, FindsTheSymbolsOfBothLayouts) {
    for (const Layout layout : {Layout::kAddressesFirst, Layout::kAddressesLast}) {
        const std::vector<u8> image = sample(layout);
        const Result<std::vector<KernelSymbol>> symbols = find_kernel_symbols(image);
        ASSERT_TRUE(symbols.ok()) << symbols.error().message;
        ASSERT_EQ(symbols->size(), kCount);
        EXPECT_EQ((*symbols)[3].address, 0x1000u);
        EXPECT_EQ((*symbols)[1400].address, kBase + 16 * 1400);
        EXPECT_EQ((*symbols)[1400].name, "function_1400");
        EXPECT_EQ((*symbols)[1400].type, 'T');
    }
}

TEST(Kallsyms, SaysWhatIsMissing) {
    const std::vector<u8> nothing(100'000);
    const Result<std::vector<KernelSymbol>> symbols = find_kernel_symbols(nothing);
    ASSERT_FALSE(symbols.ok());
    EXPECT_NE(symbols.error().message.find("CONFIG_KALLSYMS"), std::string::npos);
}

TEST(Kallsyms, TakesAnyBytes) {
    for (const Layout layout : {Layout::kAddressesFirst, Layout::kAddressesLast})
        testing::damage(sample(layout),
                        [](std::vector<u8> image) { (void)find_kernel_symbols(image); });
}

}  // namespace
}  // namespace uchronia::profile
