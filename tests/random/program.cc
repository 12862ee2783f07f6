#include "tests/random/program.h"

#include <algorithm>
#include <cstring>

namespace uchronia::random {
namespace {

// Long NOPs (APM vol. 3, NOP).
void put_nops(std::vector<u8>& code, std::size_t size) {
    static constexpr u8 kNops[9][9] = {{0x90},
                                       {0x66, 0x90},
                                       {0x0f, 0x1f, 0x00},
                                       {0x0f, 0x1f, 0x40, 0x00},
                                       {0x0f, 0x1f, 0x44, 0x00, 0x00},
                                       {0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00},
                                       {0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00},
                                       {0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00},
                                       {0x66, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00}};
    while (size != 0) {
        const std::size_t part = std::min<std::size_t>(size, 9);
        code.insert(code.end(), kNops[part - 1], kNops[part - 1] + part);
        size -= part;
    }
}

void fill_hole(std::vector<u8>& bytes, const Hole& hole, u64 address,
               const std::vector<u64>& places) {
    u64 value = 0;
    switch (hole.kind) {
        case Hole::Kind::kRelative:
        case Hole::Kind::kRelativePlace:
            value = places[hole.piece] + hole.value - (address + hole.end);
            break;
        case Hole::Kind::kRelativeData:
            value = hole.value - (address + hole.end);
            break;
        case Hole::Kind::kPlace:
            value = places[hole.piece] + hole.value;
            break;
    }
    // A short branch that does not reach goes to what follows it.
    if (hole.size == 1 && static_cast<u64>(static_cast<i64>(static_cast<i8>(value))) != value)
        value = 0;
    std::memcpy(bytes.data() + hole.at, &value, hole.size);
}

}  // namespace

std::vector<u64> Program::places() const {
    std::vector<u64> result(pieces.size());
    for (const Fragment& fragment : fragments) {
        u64 address = fragment.address;
        for (u32 i = fragment.first; i < fragment.first + fragment.count; ++i) {
            result[i] = address;
            address += pieces[i].bytes.size();
        }
    }
    return result;
}

bool parse_mask(const std::string& text, std::size_t count, Mask& mask) {
    mask.assign(count, text == "all");
    if (text == "all" || text == "none")
        return true;
    const char* at = text.c_str();
    while (*at != 0) {
        char* end = nullptr;
        const u64 first = std::strtoull(at, &end, 10);
        u64 last = first;
        if (end == at)
            return false;
        if (*end == '-')
            last = std::strtoull(end + 1, &end, 10);
        if (last >= count || first > last)
            return false;
        std::fill(mask.begin() + static_cast<i64>(first), mask.begin() + static_cast<i64>(last) + 1,
                  true);
        at = *end == ',' ? end + 1 : end;
    }
    return true;
}

std::string to_text(const Mask& mask) {
    std::string text;
    for (std::size_t i = 0; i < mask.size(); ++i) {
        if (!mask[i])
            continue;
        std::size_t last = i;
        while (last + 1 < mask.size() && mask[last + 1])
            ++last;
        text += (text.empty() ? "" : ",") + std::to_string(i);
        if (last != i)
            text += "-" + std::to_string(last);
        i = last;
    }
    return text.empty() ? "none" : text;
}

Image image_of(const Program& program, const Mask& mask) {
    Image image = program.image;
    const std::vector<u64> places = program.places();
    for (const Fragment& fragment : program.fragments) {
        std::vector<u8> code;
        for (u32 i = fragment.first; i < fragment.first + fragment.count; ++i) {
            const Piece& piece = program.pieces[i];
            if (!mask[i]) {
                put_nops(code, piece.bytes.size());
                continue;
            }
            std::vector<u8> bytes = piece.bytes;
            for (const Hole& hole : piece.holes)
                fill_hole(bytes, hole, places[i], places);
            code.insert(code.end(), bytes.begin(), bytes.end());
        }
        const u64 distance = places[fragment.next] - (fragment.address + code.size() + 5);
        code.push_back(0xe9);
        for (unsigned i = 0; i < 4; ++i)
            code.push_back(static_cast<u8>(distance >> (8 * i)));
        image.parts.push_back({fragment.address, std::move(code)});
    }
    return image;
}

}  // namespace uchronia::random
