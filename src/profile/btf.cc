#include "profile/btf.h"

namespace uchronia::profile {
namespace {

constexpr u16 kMagic = 0xeb9f;
constexpr u32 kMemberSize = 12;
// Structures inside structures, and types that stand for others.
constexpr unsigned kDeepest = 16;
// Members that a search may look at: types that contain themselves would have it run for ever.
constexpr unsigned kMostSteps = 100'000;

struct Header {
    u16 magic;
    u8 version, flags;
    u32 header_size, type_offset, type_size, text_offset, text_size;
};

enum Kind : u32 {
    kStructure = 4,
    kUnion = 5,
    kTypedef = 8,
    kVolatile = 9,
    kConst = 10,
    kRestrict = 11,
    kTypeTag = 18,
    kKindCount = 20,
};

// What follows a type's common part: bytes, and bytes for each of its elements.
struct Layout {
    u8 fixed, each;
};
constexpr Layout kLayouts[kKindCount] = {
    {0, 0},   // 0 void
    {4, 0},   // 1 integer
    {0, 0},   // 2 pointer
    {12, 0},  // 3 array
    {0, 12},  // 4 structure
    {0, 12},  // 5 union
    {0, 8},   // 6 enumeration
    {0, 0},   // 7 forward declaration
    {0, 0},   // 8 typedef
    {0, 0},   // 9 volatile
    {0, 0},   // 10 const
    {0, 0},   // 11 restrict
    {0, 0},   // 12 function
    {0, 8},   // 13 function prototype
    {4, 0},   // 14 variable
    {0, 12},  // 15 section of variables
    {0, 0},   // 16 floating point
    {4, 0},   // 17 declaration tag
    {0, 0},   // 18 type tag
    {0, 12},  // 19 64-bit enumeration
};

u32 kind_of(u32 info) {
    return (info >> 24) & 31;
}
u32 count_of(u32 info) {
    return info & 0xffff;
}
bool has_bit_fields(u32 info) {
    return (info >> 31) != 0;
}

}  // namespace

Result<BTF> BTF::parse(Bytes bytes) {
    Header header;
    if (!profile::load(bytes, 0, header) || header.magic != kMagic || header.version != 1)
        return Error{"not BTF of version 1"};
    BTF btf;
    btf.type_bytes_ =
        part_of(bytes, u64{header.header_size} + header.type_offset, header.type_size);
    btf.texts_ = part_of(bytes, u64{header.header_size} + header.text_offset, header.text_size);
    if (btf.type_bytes_.empty() || btf.texts_.empty())
        return Error{"BTF that is cut off"};
    btf.types_.push_back({});
    for (u64 offset = 0; offset < btf.type_bytes_.size();) {
        u32 common[3];
        if (!profile::load(btf.type_bytes_, offset, common) || kind_of(common[1]) >= kKindCount)
            return Error{"damaged BTF, or a kind of type that is not known"};
        offset += sizeof common;
        const u32 kind = kind_of(common[1]);
        const u32 id = static_cast<u32>(btf.types_.size());
        btf.types_.push_back({common[0], common[1], common[2], offset});
        offset += kLayouts[kind].fixed + u64{kLayouts[kind].each} * count_of(common[1]);
        if (offset > btf.type_bytes_.size())
            return Error{"BTF that is cut off in a type"};
        if ((kind == kStructure || kind == kUnion) && common[0] != 0)
            btf.structures_.emplace(btf.name_at(common[0]), id);
    }
    return btf;
}

const BTF::Type* BTF::structure_of(u32 id) const {
    for (unsigned depth = 0; depth < kDeepest; ++depth) {
        const Type* const found = type(id);
        if (found == nullptr)
            return nullptr;
        switch (kind_of(found->info)) {
            case kStructure:
            case kUnion:
                return found;
            case kTypedef:
            case kVolatile:
            case kConst:
            case kRestrict:
            case kTypeTag:
                id = found->size_or_type;
                break;
            default:
                return nullptr;
        }
    }
    return nullptr;
}

const BTF::Type* BTF::find_structure(std::string_view name) const {
    const auto found = structures_.find(name);
    return found == structures_.end() ? nullptr : type(found->second);
}

std::optional<BTF::Found> BTF::find_member(const Type& structure, std::string_view name,
                                           unsigned depth, unsigned& steps) const {
    if (depth == kDeepest)
        return std::nullopt;
    for (u32 i = 0; i < count_of(structure.info); ++i) {
        u32 member[3];
        if (++steps > kMostSteps ||
            !profile::load(type_bytes_, structure.more + u64{i} * kMemberSize, member))
            return std::nullopt;
        const bool split = has_bit_fields(structure.info);
        const Member here{split ? member[2] & 0xff'ffff : member[2], split ? member[2] >> 24 : 0};
        if (member[0] != 0) {
            if (name_at(member[0]) == name)
                return Found{here, member[1]};
            continue;
        }
        const Type* const inner = structure_of(member[1]);
        if (inner == nullptr)
            continue;
        if (std::optional<Found> found = find_member(*inner, name, depth + 1, steps)) {
            found->member.bit_offset += here.bit_offset;
            return found;
        }
    }
    return std::nullopt;
}

std::optional<BTF::Member> BTF::member(std::string_view structure, std::string_view path) const {
    const Type* type = find_structure(structure);
    u64 bit_offset = 0;
    unsigned steps = 0;
    while (type != nullptr) {
        const std::size_t dot = path.find('.');
        std::optional<Found> found = find_member(*type, path.substr(0, dot), 0, steps);
        if (!found)
            return std::nullopt;
        found->member.bit_offset += bit_offset;
        if (dot == std::string_view::npos)
            return found->member;
        bit_offset = found->member.bit_offset;
        path.remove_prefix(dot + 1);
        type = structure_of(found->type);
    }
    return std::nullopt;
}

std::optional<u64> BTF::offset_of(std::string_view structure, std::string_view path) const {
    const std::optional<Member> found = member(structure, path);
    if (!found || found->bit_offset % 8 != 0)
        return std::nullopt;
    return found->bit_offset / 8;
}

std::optional<u64> BTF::size_of(std::string_view structure) const {
    const Type* const type = find_structure(structure);
    if (type == nullptr)
        return std::nullopt;
    return type->size_or_type;
}

}  // namespace uchronia::profile
