// For tests: what every access of a guest does, written a second time and without any cache.
//
// It keeps its own copy of all RAM, walks the page tables in it for every access, and takes none of
// its code from the MMU.
#pragma once

#include <cstring>
#include <optional>
#include <vector>

#include "base/types.h"

namespace uchronia::memory {

// Who accesses, and under which control bits.
struct ReferenceMode {
    u64 cr3 = 0;
    bool user = false, ac = false, wp = false, smap = false, smep = false, nxe = false;
};

enum class ReferenceAccess : u8 { kRead, kWrite, kFetch };

struct ReferenceFault {
    bool page_fault = false;  // else an address that is not canonical
    u32 error_code = 0;
    u64 address = 0;
};

class SlowReference {
  public:
    explicit SlowReference(u64 size) : bytes(size) {}

    struct Translation {
        bool ok = false;
        u64 physical = 0;
        u32 error_code = 0;
        bool changes = false;              // some accessed or dirty bit is not yet set
        std::vector<u64> entry_addresses;  // from the root to the leaf
    };

    // One page's walk; changes nothing.
    Translation translate(const ReferenceMode& mode, u64 address, ReferenceAccess access) const {
        Translation result;
        const bool write = access == ReferenceAccess::kWrite;
        const bool fetch = access == ReferenceAccess::kFetch;
        result.error_code =
            (write ? 2 : 0) | (mode.user ? 4 : 0) | (fetch && (mode.nxe || mode.smep) ? 16 : 0);
        bool writable = true, user = true, executable = true;
        u64 table = mode.cr3 & 0xff'ffff'f000;
        unsigned shift = 39;
        u64 entry = 0;
        for (;; shift -= 9) {
            const u64 at = table + 8 * ((address >> shift) & 511);
            entry = table < bytes.size() ? load(at) : 0;
            if ((entry & 1) == 0)
                return result;
            result.entry_addresses.push_back(at);
            if (is_reserved(entry, shift, mode.nxe)) {
                result.error_code |= 1 | 8;
                return result;
            }
            writable &= (entry & 2) != 0;
            user &= (entry & 4) != 0;
            executable &= entry >> 63 == 0;
            result.changes |= (entry & 0x20) == 0;
            if (shift == 12 || (entry & 0x80) != 0)
                break;
            table = entry & 0xff'ffff'f000;
        }
        result.changes |= write && (entry & 0x40) == 0;
        const bool visible = mode.user ? user
                             : fetch   ? !(user && mode.smep)
                                       : !user || !mode.smap || mode.ac;
        const bool allowed =
            visible && (!fetch || executable) && (!write || writable || (!mode.user && !mode.wp));
        if (!allowed) {
            result.error_code |= 1;
            return result;
        }
        const u64 in_page = (u64{1} << shift) - 1;
        result.physical = (entry & 0xff'ffff'f000 & ~in_page) | (address & in_page);
        result.ok = true;
        return result;
    }

    // As the guest: sets accessed and dirty bits.
    std::optional<u64> walk(const ReferenceMode& mode, u64 address, ReferenceAccess access,
                            ReferenceFault& fault) {
        const Translation found = translate(mode, address, access);
        if (!found.ok) {
            fault = {true, found.error_code, address};
            return std::nullopt;
        }
        for (const u64 at : found.entry_addresses)
            store(at, load(at) | 0x20);
        if (access == ReferenceAccess::kWrite)
            store(found.entry_addresses.back(), load(found.entry_addresses.back()) | 0x40);
        return found.physical;
    }

    // The physical address of each byte, or a fault.
    std::optional<std::vector<u64>> locate(const ReferenceMode& mode, u64 address, u64 size,
                                           ReferenceAccess access, ReferenceFault& fault) {
        if (!is_canonical(address) || !is_canonical(address + size - 1)) {
            fault = {};
            return std::nullopt;
        }
        std::vector<u64> result;
        std::optional<u64> page;
        for (u64 i = 0; i < size; ++i) {
            const u64 at = address + i;
            if (i == 0 || (at & kPageMask) == 0) {
                page = walk(mode, at, access, fault);
                if (!page)
                    return std::nullopt;
                *page &= ~kPageMask;
            }
            result.push_back(*page | (at & kPageMask));
        }
        return result;
    }

    u8 read_byte(u64 physical) const {
        return physical < bytes.size() ? bytes[physical] : device_byte(physical);
    }
    void write_byte(u64 physical, u8 value) {
        if (physical < bytes.size())
            bytes[physical] = value;
        else
            device_writes.emplace_back(physical, value);
    }

    static u8 device_byte(u64 physical) {
        return static_cast<u8>((physical * 0x9e3779b97f4a7c15) >> 56);
    }
    static bool is_canonical(u64 address) {
        const u64 top = address >> 47;
        return top == 0 || top == 0x1ffff;
    }

    u64 load(u64 physical) const {
        u64 value;
        std::memcpy(&value, bytes.data() + physical, sizeof value);
        return value;
    }
    void store(u64 physical, u64 value) {
        std::memcpy(bytes.data() + physical, &value, sizeof value);
    }

    std::vector<u8> bytes;
    std::vector<std::pair<u64, u8>> device_writes;

  private:
    static bool is_reserved(u64 entry, unsigned shift, bool nxe) {
        u64 reserved = 0xf'ff00'0000'0000;
        if (!nxe)
            reserved |= u64{1} << 63;
        if (shift == 39)
            reserved |= 0x80;
        if (shift == 30 && (entry & 0x80) != 0)
            reserved |= 0x3fff'e000;
        if (shift == 21 && (entry & 0x80) != 0)
            reserved |= 0x1f'e000;
        return (entry & reserved) != 0;
    }
};

}  // namespace uchronia::memory
