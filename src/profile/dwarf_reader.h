// Reads DWARF's numbers from bytes that may be anything: after the end, and after an encoding that
// is not known, everything reads as 0 and ok() is false.
//
// Source: DWARF 5, 7.6 (LEB128); Linux Standard Base Core 5.0, 10.5.1 (pointer encodings).
#pragma once

#include "profile/bytes.h"

namespace uchronia::profile {

class DWARFReader {
  public:
    // The first byte is at `address`; reading starts at `offset`.
    DWARFReader(Bytes bytes, u64 address, u64 offset)
        : bytes_(bytes), address_(address), offset_(offset) {}

    bool ok() const { return ok_; }
    bool at_end() const { return !ok_ || offset_ >= bytes_.size(); }
    u64 offset() const { return offset_; }
    void skip(u64 size) { take(size); }

    template <class T>
    T number() {
        T value{};
        const Bytes found = take(sizeof value);
        if (!found.empty())
            std::memcpy(&value, found.data(), sizeof value);
        return value;
    }
    u64 uleb() { return leb(nullptr); }
    i64 sleb() {
        unsigned bits = 0;
        const u64 value = leb(&bits);
        const bool negative = bits > 0 && bits < 64 && ((value >> (bits - 1)) & 1) != 0;
        return static_cast<i64>(negative ? value | (~u64{0} << bits) : value);
    }
    std::string_view text() {
        const std::string_view found = text_at(bytes_, offset_);
        take(found.size() + 1);
        return found;
    }
    Bytes block(u64 size) { return take(size); }

    u64 pointer(u8 encoding) {
        constexpr u8 kOmitted = 0xff, kRelativeToHere = 0x10;
        if (encoding == kOmitted)
            return 0;
        const u64 here = address_ + offset_;
        const u64 value = pointer_value(encoding & 0xf);
        const u8 relation = encoding & 0x70;
        if (relation == 0 || value == 0)
            return value;
        if (relation == kRelativeToHere)
            return here + value;
        ok_ = false;
        return 0;
    }

  private:
    Bytes take(u64 size) {
        const Bytes found = part_of(bytes_, offset_, size);
        ok_ = ok_ && found.size() == size;
        if (!ok_)
            return {};
        offset_ += size;
        return found;
    }
    u64 leb(unsigned* bits) {
        u64 value = 0;
        for (unsigned shift = 0;; shift += 7) {
            const u8 byte = number<u8>();
            if (shift < 64)
                value |= u64{byte & 0x7fu} << shift;
            if ((byte & 0x80) != 0)
                continue;
            if (bits != nullptr)
                *bits = shift + 7;
            return value;
        }
    }
    u64 pointer_value(u8 format) {
        switch (format) {
            case 0x00:
            case 0x04:
            case 0x0c:
                return number<u64>();
            case 0x01:
                return uleb();
            case 0x02:
                return number<u16>();
            case 0x03:
                return number<u32>();
            case 0x09:
                return static_cast<u64>(sleb());
            case 0x0a:
                return static_cast<u64>(i64{number<i16>()});
            case 0x0b:
                return static_cast<u64>(i64{number<i32>()});
            default:
                ok_ = false;
                return 0;
        }
    }

    Bytes bytes_;
    u64 address_;
    u64 offset_;
    bool ok_ = true;
};

}  // namespace uchronia::profile
