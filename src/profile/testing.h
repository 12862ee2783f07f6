// For tests: bytes that are built up, and bytes that are damaged.
#pragma once

#include <string_view>
#include <vector>

#include "base/prng.h"
#include "profile/bytes.h"
#include "profile/guest_view.h"

namespace uchronia::profile::testing {

class Builder {
  public:
    std::vector<u8> bytes;

    u64 size() const { return bytes.size(); }
    template <class T>
    Builder& add(T value) {
        const u8* const first = reinterpret_cast<const u8*>(&value);
        bytes.insert(bytes.end(), first, first + sizeof value);
        return *this;
    }
    Builder& text(std::string_view value) {
        bytes.insert(bytes.end(), value.begin(), value.end());
        return add(u8{0});
    }
    Builder& append(const std::vector<u8>& more) {
        bytes.insert(bytes.end(), more.begin(), more.end());
        return *this;
    }
    Builder& align(u64 alignment) {
        bytes.resize(align_up(bytes.size(), alignment));
        return *this;
    }
};

// Calls `use` with the bytes cut off everywhere (up to some hundreds of places), and with some of
// them replaced: it must come back.
template <class Use>
void damage(const std::vector<u8>& bytes, Use use) {
    constexpr u64 kCuts = 300, kRounds = 2000;
    for (u64 cut = 0; cut < kCuts; ++cut)
        use(std::vector<u8>(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(
                                                               bytes.size() * cut / kCuts)));
    for (u64 round = 0; round < kRounds; ++round) {
        std::vector<u8> copy = bytes;
        const u64 count = 1 + random_word(round, 0, 0) % 8;
        for (u64 i = 0; i < count; ++i) {
            const u64 word = random_word(round, 0, i + 1);
            static constexpr u8 kNasty[] = {0, 0x7f, 0x80, 0xff};
            const u8 value = (word & 1) != 0 ? kNasty[(word >> 1) % 4] : static_cast<u8>(word >> 8);
            copy[(word >> 16) % copy.size()] = value;
        }
        use(std::move(copy));
    }
}

// Memory that is one range of bytes.
class FlatView final : public GuestView {
  public:
    FlatView(u64 address, std::vector<u8> bytes) : address_(address), bytes_(std::move(bytes)) {}

    bool translate(u64 address, u64& physical) override {
        physical = address - address_;
        return physical < bytes_.size();
    }
    bool read_physical(u64 physical, std::span<u8> bytes) override {
        const Bytes found = part_of(bytes_, physical, bytes.size());
        std::copy(found.begin(), found.end(), bytes.begin());
        return found.size() == bytes.size();
    }

  private:
    u64 address_;
    std::vector<u8> bytes_;
};

}  // namespace uchronia::profile::testing
