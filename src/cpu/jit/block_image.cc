#include "cpu/jit/block_image.h"

#include <cstring>

#include "base/check.h"

namespace uchronia::cpu::jit {
namespace {

enum class Part : u8 { kNone, kHot, kCold };

// The part that Site::resume is an offset in.
Part part_of_resume(SiteKind kind) {
    switch (kind) {
        case SiteKind::kSlow:
        case SiteKind::kVerify:
        case SiteKind::kCross:
            return Part::kHot;
        case SiteKind::kTwin:
            return Part::kCold;
        default:
            return Part::kNone;
    }
}

u16 place_of(const BlockCode& code, const u8* at) {
    const bool cold = at >= code.cold && at <= code.cold + code.cold_size;
    const std::ptrdiff_t offset = at - (cold ? code.cold : code.hot);
    CHECK(offset >= 0 && offset <= place::kMostOffset);
    return static_cast<u16>(static_cast<u16>(offset) | (cold ? place::kInCold : 0));
}

u8* at_place(const BlockCode& code, u16 place) {
    return ((place & place::kInCold) != 0 ? code.cold : code.hot) + (place & place::kMostOffset);
}

template <class T>
void append(std::vector<u8>& to, const T& value) {
    const u8* bytes = reinterpret_cast<const u8*>(&value);
    to.insert(to.end(), bytes, bytes + sizeof value);
}

// How far apart the starts of the parts are, as a rel32 at this place sees it.
i64 distance_of_parts(const BlockCode& code, u16 place) {
    const i64 distance = code.cold - code.hot;
    return (place & place::kInCold) != 0 ? -distance : distance;
}

void move_rel32(u8* field, i64 by) {
    i32 value;
    std::memcpy(&value, field, sizeof value);
    value = static_cast<i32>(value + by);
    std::memcpy(field, &value, sizeof value);
}

std::size_t size_behind_header(const BlockImageHeader& h) {
    return std::size_t{h.hot_size} + h.cold_size + h.far_count * sizeof(u16) +
           h.site_count * sizeof(SiteImage) + h.access_count * sizeof(AccessImage) +
           h.link_count * sizeof(LinkImage);
}

std::size_t padded(std::size_t size) {
    return (size + 7) & ~std::size_t{7};
}

bool has_place(const BlockImageHeader& h, u16 place, std::size_t size) {
    const u32 part = (place & place::kInCold) != 0 ? h.cold_size : h.hot_size;
    return (place & place::kMostOffset) + size <= part;
}

bool is_sound(const BlockImageHeader& h, const u8* bytes) {
    std::size_t at = sizeof h + h.hot_size + h.cold_size;
    const auto next = [&]<class T>(T& value) {
        std::memcpy(&value, bytes + at, sizeof value);
        at += sizeof value;
    };
    bool sound = has_place(h, h.direct, 1) && has_place(h, h.indirect, 1);
    u16 place;
    for (unsigned i = 0; i < h.far_count; ++i) {
        next(place);
        sound = sound && has_place(h, place, sizeof(i32));
    }
    SiteImage site;
    for (unsigned i = 0; i < h.site_count; ++i) {
        next(site);
        sound = sound && has_place(h, site.field, sizeof(u32)) &&
                static_cast<unsigned>(site.kind) < kSiteKinds && site.offset < kPageSize;
    }
    AccessImage access;
    for (unsigned i = 0; i < h.access_count; ++i) {
        next(access);
        sound = sound && access.at < h.hot_size && (access.site & place::kMostOffset) < h.cold_size;
    }
    LinkImage link;
    for (unsigned i = 0; i < h.link_count; ++i) {
        next(link);
        sound = sound && has_place(h, link.field, sizeof(i32)) && link.target < kPageSize &&
                link.flags <= static_cast<u16>(EntryFlags::kInBoth);
    }
    return sound;
}

}  // namespace

bool append_image(std::vector<u8>& images, const TranslatedBlock& block, const BlockParts& parts,
                  const BlockCode& code, std::span<const Site> sites,
                  std::span<const Access> accesses) {
    if (block.next_page_number != kNoPage || code.hot_size > place::kMostOffset ||
        code.cold_size > place::kMostOffset)
        return false;
    CHECK(sites.size() == parts.site_fields.size());
    BlockImageHeader header{.hot_size = code.hot_size,
                            .cold_size = code.cold_size,
                            .lines = block.lines,
                            .offset = block.offset,
                            .end = block.end,
                            .count = block.count,
                            .mode = block.mode,
                            .alone = block.alone,
                            .flags_in_host = block.flags_in_host,
                            .direct = place_of(code, block.direct),
                            .indirect = place_of(code, block.indirect),
                            .far_count = static_cast<u16>(parts.far_fields.size()),
                            .site_count = static_cast<u16>(sites.size()),
                            .access_count = static_cast<u16>(accesses.size()),
                            .link_count = static_cast<u16>(parts.links.size())};
    header.size = static_cast<u32>(padded(sizeof header + size_behind_header(header)));
    const std::size_t start = images.size();
    images.reserve(start + header.size);
    append(images, header);
    const std::size_t hot_at = images.size();
    images.insert(images.end(), code.hot, code.hot + code.hot_size);
    images.insert(images.end(), code.cold, code.cold + code.cold_size);
    u8* hot = images.data() + hot_at;
    const BlockCode copy{.hot = hot, .cold = hot + code.hot_size};
    for (u8* field : parts.far_fields) {
        const u16 place = place_of(code, field);
        move_rel32(at_place(copy, place), -distance_of_parts(code, place));
    }
    for (u8* field : parts.far_fields)
        append(images, place_of(code, field));
    for (std::size_t i = 0; i < sites.size(); ++i) {
        const Site& site = sites[i];
        const Part part = part_of_resume(site.kind);
        const std::ptrdiff_t resume = part == Part::kHot ? code.hot_area + site.resume - code.hot
                                      : part == Part::kCold
                                          ? code.cold_area + site.resume - code.cold
                                          : 0;
        append(images, SiteImage{.field = place_of(code, parts.site_fields[i]),
                                 .resume = static_cast<u16>(resume),
                                 .offset = site.offset,
                                 .index = site.index,
                                 .kind = site.kind,
                                 .target = site.target});
    }
    for (const Access& access : accesses) {
        const std::ptrdiff_t at = code.hot_area + access.at - code.hot;
        const std::ptrdiff_t site = code.cold_area + access.site - code.cold;
        append(images, AccessImage{.at = static_cast<u16>(at),
                                   .site = static_cast<u16>(
                                       site | (access.flags_in_host ? place::kInCold : 0))});
    }
    for (const BlockLink& link : parts.links)
        append(images, LinkImage{.field = place_of(code, link.field),
                                 .target = link.target,
                                 .flags = static_cast<u16>(link.flags)});
    images.resize(start + header.size);
    return true;
}

BlockImage::BlockImage(std::span<const u8> images) : bytes_(images.data()), header_() {
    std::memcpy(&header_, bytes_, sizeof header_);
}

template <class T>
T BlockImage::read(std::size_t at) const {
    T value;
    std::memcpy(&value, bytes_ + at, sizeof value);
    return value;
}

TranslatedBlock BlockImage::put(const BlockCode& code, u32 first_site, u64 page_number,
                                u32 block_number, std::vector<Site>& sites,
                                std::vector<Access>& accesses,
                                std::vector<BlockLink>& links) const {
    std::size_t at = sizeof header_;
    std::memcpy(code.hot, bytes_ + at, header_.hot_size);
    at += header_.hot_size;
    std::memcpy(code.cold, bytes_ + at, header_.cold_size);
    at += header_.cold_size;
    for (unsigned i = 0; i < header_.far_count; ++i, at += sizeof(u16)) {
        const u16 place = read<u16>(at);
        move_rel32(at_place(code, place), distance_of_parts(code, place));
    }
    for (unsigned i = 0; i < header_.site_count; ++i, at += sizeof(SiteImage)) {
        const SiteImage image = read<SiteImage>(at);
        const u32 number = first_site + i;
        std::memcpy(at_place(code, image.field), &number, sizeof number);
        const Part part = part_of_resume(image.kind);
        const std::ptrdiff_t resume = part == Part::kHot ? code.hot + image.resume - code.hot_area
                                      : part == Part::kCold
                                          ? code.cold + image.resume - code.cold_area
                                          : 0;
        sites.push_back({.block = block_number,
                         .resume = static_cast<u32>(resume),
                         .offset = image.offset,
                         .index = image.index,
                         .kind = image.kind,
                         .target = image.target});
    }
    for (unsigned i = 0; i < header_.access_count; ++i, at += sizeof(AccessImage)) {
        const AccessImage image = read<AccessImage>(at);
        const std::ptrdiff_t site = code.cold + (image.site & place::kMostOffset) - code.cold_area;
        accesses.push_back({.at = static_cast<u32>(code.hot + image.at - code.hot_area),
                            .site = static_cast<u32>(site),
                            .flags_in_host = (image.site & place::kInCold) != 0});
    }
    links.clear();
    for (unsigned i = 0; i < header_.link_count; ++i, at += sizeof(LinkImage)) {
        const LinkImage image = read<LinkImage>(at);
        links.push_back({.target = image.target,
                         .flags = static_cast<EntryFlags>(image.flags),
                         .field = at_place(code, image.field)});
    }
    return {.number = block_number,
            .page_number = page_number,
            .offset = header_.offset,
            .end = header_.end,
            .count = header_.count,
            .mode = header_.mode,
            .alone = header_.alone != 0,
            .flags_in_host = header_.flags_in_host != 0,
            .lines = header_.lines,
            .direct = at_place(code, header_.direct),
            .indirect = at_place(code, header_.indirect)};
}

bool are_sound(std::span<const u8> images) {
    while (!images.empty()) {
        if (images.size() < sizeof(BlockImageHeader))
            return false;
        const BlockImageHeader h = BlockImage(images).header();
        if (h.size > images.size() || h.hot_size > place::kMostOffset ||
            h.cold_size > place::kMostOffset ||
            h.size != padded(sizeof h + size_behind_header(h)) || h.offset >= kPageSize ||
            h.end > kPageSize || h.end <= h.offset || h.count == 0 || h.count > kMostInstructions ||
            !is_sound(h, images.data()))
            return false;
        images = images.subspan(h.size);
    }
    return true;
}

}  // namespace uchronia::cpu::jit
