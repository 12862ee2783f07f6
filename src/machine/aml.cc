#include "machine/aml.h"

#include <initializer_list>

#include "base/check.h"

namespace uchronia::machine::aml {
namespace {

// Opcodes (ACPI 6.5, table 20.1).
constexpr u8 kZeroOp = 0x00, kOneOp = 0x01, kNameOp = 0x08, kBytePrefix = 0x0a, kWordPrefix = 0x0b,
             kDWordPrefix = 0x0c, kStringPrefix = 0x0d, kQWordPrefix = 0x0e, kScopeOp = 0x10,
             kBufferOp = 0x11, kPackageOp = 0x12, kExtendedPrefix = 0x5b, kDeviceOp = 0x82;

// Resource descriptor tags (ACPI 6.5, 6.4).
constexpr u8 kIOPortTag = 0x47, kEndTag = 0x79, kMemory32FixedTag = 0x86, kInterruptTag = 0x89;

constexpr std::size_t kSegmentLength = 4;

void append(Bytes& to, const Bytes& bytes) {
    to.insert(to.end(), bytes.begin(), bytes.end());
}

void append_integer(Bytes& to, u64 value, unsigned size) {
    for (unsigned i = 0; i < size; ++i)
        to.push_back(static_cast<u8>(value >> 8 * i));
}

// PkgLength counts itself (ACPI 6.5, 20.2.4): one byte up to 63, else four bits in the first byte
// and eight in each of the one to three that follow.
Bytes with_package_length(const Bytes& content) {
    Bytes result;
    if (content.size() + 1 < 64) {
        result.push_back(static_cast<u8>(content.size() + 1));
    } else {
        unsigned following = 1;
        while (content.size() + 1 + following >= std::size_t{1} << (4 + 8 * following))
            ++following;
        CHECK(following <= 3);
        const u64 length = content.size() + 1 + following;
        result.push_back(static_cast<u8>(following << 6 | (length & 15)));
        append_integer(result, length >> 4, following);
    }
    append(result, content);
    return result;
}

Bytes name_string(std::string_view path) {
    Bytes result;
    if (path.starts_with('\\')) {
        result.push_back('\\');
        path.remove_prefix(1);
    }
    CHECK(!path.empty() && path.size() <= kSegmentLength);
    for (std::size_t i = 0; i < kSegmentLength; ++i)
        result.push_back(i < path.size() ? static_cast<u8>(path[i]) : '_');
    return result;
}

Bytes named_block(std::initializer_list<u8> opcode, std::string_view path,
                  const std::vector<Bytes>& objects) {
    Bytes content = name_string(path);
    append(content, join(objects));
    Bytes result(opcode);
    append(result, with_package_length(content));
    return result;
}

u8 hexadecimal_digit(char c) {
    return static_cast<u8>(c <= '9' ? c - '0' : c - 'A' + 10);
}

}  // namespace

Bytes join(const std::vector<Bytes>& parts) {
    Bytes result;
    for (const Bytes& part : parts)
        append(result, part);
    return result;
}

Bytes integer(u64 value) {
    if (value <= 1)
        return {value == 0 ? kZeroOp : kOneOp};
    Bytes result;
    if (value <= 0xff) {
        result.push_back(kBytePrefix);
        append_integer(result, value, 1);
    } else if (value <= 0xffff) {
        result.push_back(kWordPrefix);
        append_integer(result, value, 2);
    } else if (value <= 0xffffffff) {
        result.push_back(kDWordPrefix);
        append_integer(result, value, 4);
    } else {
        result.push_back(kQWordPrefix);
        append_integer(result, value, 8);
    }
    return result;
}

Bytes string(std::string_view text) {
    Bytes result = {kStringPrefix};
    result.insert(result.end(), text.begin(), text.end());
    result.push_back(0);
    return result;
}

Bytes buffer(const Bytes& content) {
    Bytes sized = integer(content.size());
    append(sized, content);
    Bytes result = {kBufferOp};
    append(result, with_package_length(sized));
    return result;
}

Bytes package(const std::vector<Bytes>& elements) {
    CHECK(elements.size() <= 0xff);
    Bytes content = {static_cast<u8>(elements.size())};
    append(content, join(elements));
    Bytes result = {kPackageOp};
    append(result, with_package_length(content));
    return result;
}

// Three five-bit letters and four digits, the high byte first (ACPI 6.5, 19.3.4).
Bytes eisa_id(std::string_view id) {
    CHECK(id.size() == 7);
    u32 value = 0;
    for (std::size_t i = 0; i < 3; ++i)
        value = value << 5 | static_cast<u32>((id[i] - '@') & 31);
    for (std::size_t i = 3; i < 7; ++i)
        value = value << 4 | hexadecimal_digit(id[i]);
    return integer(__builtin_bswap32(value));
}

Bytes name(std::string_view path, const Bytes& value) {
    Bytes result = {kNameOp};
    append(result, name_string(path));
    append(result, value);
    return result;
}

Bytes scope(std::string_view path, const std::vector<Bytes>& objects) {
    return named_block({kScopeOp}, path, objects);
}

Bytes device(std::string_view segment, const std::vector<Bytes>& objects) {
    return named_block({kExtendedPrefix, kDeviceOp}, segment, objects);
}

Bytes resource_template(const std::vector<Bytes>& descriptors) {
    Bytes content = join(descriptors);
    content.push_back(kEndTag);
    content.push_back(0);  // a checksum of 0 is not checked
    return buffer(content);
}

Bytes io_ports(u16 base, u8 count) {
    constexpr u8 kDecode16 = 1, kAlignment = 1;
    Bytes result = {kIOPortTag, kDecode16};
    append_integer(result, base, 2);  // lowest and
    append_integer(result, base, 2);  // highest base
    result.push_back(kAlignment);
    result.push_back(count);
    return result;
}

Bytes memory32_fixed(u32 base, u32 size) {
    constexpr u8 kReadWrite = 1;
    Bytes result = {kMemory32FixedTag};
    append_integer(result, 9, 2);  // bytes that follow
    result.push_back(kReadWrite);
    append_integer(result, base, 4);
    append_integer(result, size, 4);
    return result;
}

Bytes level_interrupt(u32 number) {
    constexpr u8 kConsumer = 1;  // and level, active high, exclusive
    Bytes result = {kInterruptTag};
    append_integer(result, 6, 2);  // bytes that follow
    result.push_back(kConsumer);
    result.push_back(1);  // one number
    append_integer(result, number, 4);
    return result;
}

}  // namespace uchronia::machine::aml
