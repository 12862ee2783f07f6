// A translated block as bytes that can be put elsewhere: into another code store, another process.
//
// The image is of the block as the translator wrote it, before anything was linked. It names no
// address: jumps between the block's two parts are relative to the parts, sites are described by
// their place in them. It holds for any page with the same contents.
#pragma once

#include <span>
#include <vector>

#include "cpu/jit/translated_block.h"

namespace uchronia::cpu::jit {

// Begins an image; counts of what follows it, in this order, after the code of both parts.
struct BlockImageHeader {
    u32 size = 0;  // with this header; a multiple of 8
    u32 hot_size = 0, cold_size = 0;
    u32 reserved = 0;
    u64 lines = 0;
    u16 offset = 0, end = 0;
    u8 count = 0, mode = 0;
    u8 alone = 0, flags_in_host = 0;
    u16 direct = 0, indirect = 0;  // places
    u16 far_count = 0;     // u16: places of rel32 fields that lead from one part to the other
    u16 site_count = 0;    // SiteImage
    u16 access_count = 0;  // AccessImage
    u16 link_count = 0;    // LinkImage
};

// Where something stands in a block: the offset in its part, and which part.
namespace place {
inline constexpr u16 kInCold = 0x8000;
inline constexpr u16 kMostOffset = 0x7fff;
}  // namespace place

struct SiteImage {
    u16 field;   // place of the number
    u16 resume;  // in the part that its kind is about
    u16 offset;
    u8 index;
    SiteKind kind;
    i32 target;
};
struct AccessImage {
    u16 at;    // in the hot part
    u16 site;  // in the cold part; kInCold: the flags are in the host's
};
struct LinkImage {
    u16 field;  // place
    u16 target;
    u16 flags;  // EntryFlags
};

// A block's two parts in memory, with the start of the area that each lies in.
struct BlockCode {
    u8* hot = nullptr;
    u8* cold = nullptr;
    u8* hot_area = nullptr;
    u8* cold_area = nullptr;
    u32 hot_size = 0;
    u32 cold_size = 0;
};

// Appends the image of a block that is complete, but not linked yet. False, and nothing appended,
// for one that holds for a pair of pages or is too large.
bool append_image(std::vector<u8>& images, const TranslatedBlock& block, const BlockParts& parts,
                  const BlockCode& code, std::span<const Site> sites,
                  std::span<const Access> accesses);

// A reader of one image.
class BlockImage {
  public:
    // The first of `images`, which must be sound.
    explicit BlockImage(std::span<const u8> images);

    const BlockImageHeader& header() const { return header_; }

    // Writes both parts where `code` says, and tells what the store needs to know of them. Numbers
    // of sites begin with `first_site`.
    TranslatedBlock put(const BlockCode& code, u32 first_site, u64 page_number, u32 block_number,
                        std::vector<Site>& sites, std::vector<Access>& accesses,
                        std::vector<BlockLink>& links) const;

  private:
    template <class T>
    T read(std::size_t at) const;

    const u8* bytes_;
    BlockImageHeader header_;
};

// Whether the bytes are images one after the other whose parts refer to nothing outside them.
bool are_sound(std::span<const u8> images);

}  // namespace uchronia::cpu::jit
