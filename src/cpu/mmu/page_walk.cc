#include "cpu/mmu/page_walk.h"

#include <cstring>

namespace uchronia::cpu {
namespace {

u64 entry_at(const u8* table, unsigned index) {
    u64 entry;
    std::memcpy(&entry, table + 8 * index, sizeof entry);
    return entry;
}

// Bits that must be zero in an entry of this level.
u64 reserved_bits(u64 entry, unsigned level, bool nxe) {
    u64 reserved = pte::kReservedAddress;
    if (!nxe)
        reserved |= pte::kNoExecute;
    if (level == 4)
        reserved |= pte::kLarge;
    if ((level == 2 || level == 3) && (entry & pte::kLarge) != 0)
        reserved |= ((u64{1} << (kPageBits + 9 * (level - 1))) - 1) & ~u64{0x1fff};
    return entry & reserved;
}

u32 error_of(Access access, const Permissions& permissions) {
    u32 code = permissions.user ? page_fault::kUser : 0;
    if (access == Access::kWrite)
        code |= page_fault::kWrite;
    if (access == Access::kFetch && (permissions.nxe || permissions.smep))
        code |= page_fault::kFetch;
    return code;
}

bool permitted(const Walk& walk, bool no_execute, Access access, const Permissions& p) {
    if (access == Access::kFetch) {
        if (no_execute)
            return false;
        return p.user ? walk.user : !(p.smep && walk.user);
    }
    if (p.user && !walk.user)
        return false;
    if (!p.user && walk.user && p.smap && !p.ac)
        return false;
    return access != Access::kWrite || walk.writable || (!p.user && !p.write_protect);
}

void store_entry(u8* table, unsigned index, u64 entry) {
    std::memcpy(table + 8 * index, &entry, sizeof entry);
}

// The bits that a walk sets in an entry.
u64 bits_of(bool leaf, Access access) {
    return pte::kAccessed | (leaf && access == Access::kWrite ? pte::kDirty : 0);
}

}  // namespace

Walk walk_page_tables(PhysicalMemory& memory, u64 cr3, u64 address, Access access,
                      const Permissions& permissions, Bits bits) {
    Walk walk;
    walk.error_code = error_of(access, permissions);
    walk.writable = walk.user = true;
    bool no_execute = false;
    u64 entries[4];
    u64 page_number = (cr3 & pte::kAddressMask) >> kPageBits;
    unsigned level = 4;
    for (;; --level) {
        const u8* table = memory.read_page(page_number);
        const u64 entry = table == nullptr ? 0 : entry_at(table, table_index(address, level));
        walk.table_pages[walk.table_count] = page_number;
        entries[walk.table_count++] = entry;
        if ((entry & pte::kPresent) == 0)
            return walk;
        if (reserved_bits(entry, level, permissions.nxe) != 0) {
            walk.error_code |= page_fault::kPresent | page_fault::kReserved;
            return walk;
        }
        walk.writable &= (entry & pte::kWritable) != 0;
        walk.user &= (entry & pte::kUser) != 0;
        no_execute |= (entry & pte::kNoExecute) != 0;
        if (level == 1 || (entry & pte::kLarge) != 0)
            break;
        page_number = (entry & pte::kAddressMask) >> kPageBits;
    }
    if (!permitted(walk, no_execute, access, permissions)) {
        walk.error_code |= page_fault::kPresent;
        return walk;
    }
    for (unsigned i = 0; i < walk.table_count; ++i) {
        const bool leaf = i + 1u == walk.table_count;
        const u64 wanted = entries[i] | bits_of(leaf, access);
        if (wanted != entries[i])
            walk.changed |= static_cast<u8>(1u << i);
        entries[i] = wanted;
    }
    if (walk.changed != 0 && bits == Bits::kKeep) {
        walk.waits = true;
        return walk;
    }
    for (unsigned i = 0; i < walk.table_count; ++i) {
        if ((walk.changed >> i & 1) != 0)
            store_entry(memory.write_page(walk.table_pages[i]), table_index(address, 4 - i),
                        entries[i]);
    }
    walk.dirty = (entries[walk.table_count - 1] & pte::kDirty) != 0;
    const u64 offset_mask = (u64{1} << (kPageBits + 9 * (level - 1))) - 1;
    walk.physical = (entries[walk.table_count - 1] & pte::kAddressMask & ~offset_mask) |
                    (address & offset_mask);
    walk.leaf_level = static_cast<u8>(level);
    walk.ok = true;
    return walk;
}

bool probe_page_tables(PhysicalMemory& memory, u64 cr3, u64 address, u64& physical) {
    u64 page_number = (cr3 & pte::kAddressMask) >> kPageBits;
    for (unsigned level = 4;; --level) {
        const u8* table = memory.read_page(page_number);
        const u64 entry = table == nullptr ? 0 : entry_at(table, table_index(address, level));
        if ((entry & pte::kPresent) == 0)
            return false;
        if (level == 1 || (entry & pte::kLarge) != 0) {
            const u64 offset_mask = (u64{1} << (kPageBits + 9 * (level - 1))) - 1;
            physical = (entry & pte::kAddressMask & ~offset_mask) | (address & offset_mask);
            return true;
        }
        page_number = (entry & pte::kAddressMask) >> kPageBits;
    }
}

}  // namespace uchronia::cpu
