#include "profile/kallsyms.h"

#include <array>
#include <optional>

namespace uchronia::profile {
namespace {

constexpr unsigned kTokenCount = 256;
constexpr u64 kSymbolsPerMarker = 256;
constexpr u64 kFewestSymbols = 1000, kMostSymbols = 2'000'000;
constexpr u64 kLongestToken = 512;
// What a search may look at, in bytes or symbols: so much memory looks like nothing of the kind, if
// nobody has made it so.
constexpr u64 kMostSteps = 500'000'000;
// The kernel's image lies above this address.
constexpr u64 kLowestBase = 0xffff'ffff'8000'0000;

// Names are strings of tokens. A character that occurs in names is its own token.
struct Tokens {
    std::array<std::string_view, kTokenCount> texts;
    u64 begin = 0, end = 0;  // of the table; end: of the index behind it
};

struct Names {
    u64 begin = 0;
    u64 count = 0;
    u64 end = 0;
};

bool is_printable(u8 byte) {
    return byte > 0x20 && byte < 0x7f;
}

// The start of token 0, if the token for '0' starts at `digits`. Nothing marks it, but what is
// before the table ends with a zero.
std::optional<u64> start_of_tokens(Bytes image, u64 digits, u64& steps) {
    u64 at = digits;
    for (unsigned token = '0'; token > 0; --token) {
        if (at == 0 || image[at - 1] != 0)
            return std::nullopt;
        u64 start = at - 1;
        while (start > 0 && is_printable(image[start - 1]) && at - start < kLongestToken)
            --start;
        if (start == at - 1)
            return std::nullopt;
        steps += at - start;
        at = start;
    }
    return at;
}

std::optional<Tokens> tokens_at(Bytes image, u64 begin) {
    Tokens tokens;
    tokens.begin = begin;
    std::array<u64, kTokenCount> starts{};
    u64 at = begin;
    for (unsigned i = 0; i < kTokenCount; ++i) {
        starts[i] = at - begin;
        tokens.texts[i] =
            text_at(part_of(image, at, std::min<u64>(kLongestToken, image.size() - at)), 0);
        if (tokens.texts[i].empty())
            return std::nullopt;
        at += tokens.texts[i].size() + 1;
    }
    at = align_up(at, 8);
    for (unsigned i = 0; i < kTokenCount; ++i) {
        u16 start = 0;
        if (!load(image, at + i * sizeof start, start) || start != starts[i])
            return std::nullopt;
    }
    tokens.end = at + kTokenCount * sizeof(u16);
    return tokens;
}

std::optional<Tokens> find_tokens(Bytes image, u64& steps) {
    static constexpr char kDigits[] = "0\0001\0002\0003\0004\0005\0006\0007\0008\0009";
    const u8* const pattern = reinterpret_cast<const u8*>(kDigits);
    auto from = image.begin();
    while (true) {
        const auto found = std::search(from, image.end(), pattern, pattern + sizeof kDigits);
        if (found == image.end() || steps > kMostSteps)
            return std::nullopt;
        const u64 digits = static_cast<u64>(found - image.begin());
        if (const std::optional<u64> begin = start_of_tokens(image, digits, steps)) {
            if (std::optional<Tokens> tokens = tokens_at(image, *begin))
                return tokens;
        }
        from = found + 1;
    }
}

// The tokens of the name at `at`, which is moved behind it; empty if there is no name.
Bytes next_name(Bytes image, u64& at) {
    u8 byte = 0;
    if (!load(image, at, byte))
        return {};
    ++at;
    u64 size = byte & 0x7f;
    if ((byte & 0x80) != 0) {  // long names, since 6.1
        if (!load(image, at, byte))
            return {};
        ++at;
        size |= u64{byte} << 7;
    }
    const Bytes tokens = part_of(image, at, size);
    at += size;
    return tokens;
}

// Whether `count` names begin there, followed by markers that say the same.
std::optional<Names> names_at(Bytes image, u64 begin, u64 count, u64 limit, u64& steps) {
    u64 at = begin, second_marker = 0;
    for (u64 i = 0; i < count; ++i) {
        if (i == kSymbolsPerMarker)
            second_marker = at - begin;
        if (++steps > kMostSteps || at >= limit || next_name(image, at).empty())
            return std::nullopt;
    }
    u32 markers[2];
    if (!load(image, align_up(at, 8), markers) || markers[0] != 0 || markers[1] != second_marker)
        return std::nullopt;
    return Names{.begin = begin, .count = count, .end = at};
}

// They lie before the tokens, and their count before them.
std::optional<Names> find_names(Bytes image, u64 limit, u64& steps) {
    for (u64 begin = limit / 8 * 8; begin >= 16 && steps <= kMostSteps; begin -= 8) {
        u64 count = 0;  // 32 bits, and padding
        if (load(image, begin - 8, count) && count >= kFewestSymbols && count <= kMostSymbols) {
            if (std::optional<Names> names = names_at(image, begin, count, limit, steps))
                return names;
        }
    }
    return std::nullopt;
}

struct Addresses {
    u64 offsets = 0;  // where they begin
    u64 base = 0;
};

std::optional<Addresses> addresses_at(Bytes image, u64 offsets, u64 base_offset) {
    u64 base = 0;
    if (!load(image, base_offset, base) || base < kLowestBase)
        return std::nullopt;
    return Addresses{offsets, base};
}

std::optional<Addresses> find_addresses(Bytes image, const Names& names, const Tokens& tokens) {
    const u64 size = align_up(names.count * sizeof(u32), 8);
    if (names.begin >= 16 + size) {
        const u64 base = names.begin - 16;
        if (std::optional<Addresses> found = addresses_at(image, base - size, base))
            return found;
    }
    const u64 offsets = align_up(tokens.end, 8);
    return addresses_at(image, offsets, offsets + size);
}

}  // namespace

Result<std::vector<KernelSymbol>> find_kernel_symbols(Bytes image) {
    u64 steps = 0;
    const std::optional<Tokens> tokens = find_tokens(image, steps);
    if (!tokens)
        return Error{"the kernel has no list of symbols (CONFIG_KALLSYMS)"};
    const std::optional<Names> names = find_names(image, tokens->begin, steps);
    if (!names)
        return Error{"the kernel's list of symbols is not in a form that is known"};
    const std::optional<Addresses> addresses = find_addresses(image, *names, *tokens);
    if (!addresses)
        return Error{"the addresses of the kernel's symbols are not in a form that is known"};
    std::vector<KernelSymbol> symbols;
    u64 at = names->begin;
    for (u64 i = 0; i < names->count; ++i) {
        std::string name;
        for (const u8 token : next_name(image, at))
            name += tokens->texts[token];
        i32 offset = 0;
        load(image, addresses->offsets + i * sizeof offset, offset);
        // Not negative: an absolute number, of a per-CPU variable.
        const u64 address = offset >= 0 ? static_cast<u64>(offset)
                                        : addresses->base - 1 - static_cast<u64>(i64{offset});
        symbols.push_back({address, name[0], name.substr(1)});
    }
    return symbols;
}

}  // namespace uchronia::profile
