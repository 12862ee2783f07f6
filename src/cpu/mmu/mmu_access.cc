// Data accesses that the fast path could not do: faults, first touches, page crossings, devices,
// stores to page tables and to code.

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "cpu/access.h"
#include "cpu/execution.h"
#include "cpu/mmu/mmu.h"
#include "cpu/vcpu.h"

namespace uchronia::cpu {
namespace {

constexpr u32 kLargestAccess = kPageSize;

// Addresses through the stack fault with #SS in place of #GP (APM vol. 2, 8.2.13): an explicit
// operand in the stack segment, which in 64-bit mode is one with rSP or rBP as its base, or the
// implicit operand of PUSH, POP, CALL, RET, ...
bool is_stack_access(const Op* op) {
    if (op == nullptr)
        return false;
    if ((op->flags & op_flag::kMemory) == 0)
        return true;
    if (op->segment != kFlatSegment)
        return op->segment == kSS;
    return op->base == kRSP || op->base == kRBP;
}

}  // namespace

MMU::Privilege MMU::privilege_of(const VCPU& cpu) {
    if (cpu.state.cpl() == 3)
        return Privilege::kUser;
    return (cpu.state.system_flags & rflags::kAC) != 0 ? Privilege::kSupervisorWithAC
                                                       : Privilege::kSupervisor;
}

Permissions MMU::permissions_of(const VCPU& cpu, Privilege privilege) const {
    return {.user = privilege == Privilege::kUser,
            .ac = privilege == Privilege::kSupervisorWithAC,
            .write_protect = (cpu.state.cr0 & cr0::kWP) != 0,
            .smap = (cpu.state.cr4 & cr4::kSMAP) != 0,
            .smep = (cpu.state.cr4 & cr4::kSMEP) != 0,
            .nxe = (cpu.state.efer & efer::kNXE) != 0};
}

Walk MMU::walk(VCPU& cpu, u64 address, Access access, Privilege privilege, Bits bits) {
    if ((cpu.state.cr0 & cr0::kPG) == 0) {
        Walk direct;
        direct.ok = direct.writable = direct.user = direct.dirty = true;
        direct.physical = static_cast<u32>(address);
        return direct;
    }
    Walk result = walk_page_tables(memory_, cpu.state.cr3, address, access,
                                   permissions_of(cpu, privilege), bits);
    if (result.ok && result.changed != 0)
        follow_walk(address, result);
    return result;
}

// Accessed and dirty bits are set without store_to_table, as they take nothing away from what is
// cached. But address spaces share tables by all bits of their upper root entries, and a page table
// may have been executed.
void MMU::follow_walk(u64 address, const Walk& walk) {
    for (unsigned i = 0; i < walk.table_count; ++i) {
        if (((walk.changed >> i) & 1) == 0)
            continue;
        const u64 page_number = walk.table_pages[i];
        const unsigned index = table_index(address, 4 - i);
        if (index >= 256 && is_root(page_number))
            upper_root_entry_changed(page_number);
        if ((pages_[page_number].code_lines & lines_of(8 * index, 8)) != 0)
            invalidate_code(page_number);
    }
}

bool MMU::translate(VCPU& cpu, const Op* op, u64 address, Access access, Privilege privilege,
                    Walk& result) {
    // An accessed or dirty bit waits for a block of the instruction's own: the rest of this block
    // may be what changes, and an instruction that begins again, because a later access of it has
    // to wait, must not find the bit where it has looked before.
    result = walk(cpu, address, access, privilege, cpu.alone ? Bits::kMaySet : Bits::kKeep);
    if (result.waits) {
        cpu.leave(op, Exit::kAlone);
        return false;
    }
    if (!result.ok) {
        note_wild_access();
        cpu.raise(op, Fault{Vector::kPF, result.error_code, address});
        return false;
    }
    return true;
}

bool MMU::check_address(VCPU& cpu, const Op* op, u64 address, u32 size, Privilege privilege) {
    if (!is_canonical(address) || !is_canonical(address + size - 1)) {
        note_wild_access();
        cpu.raise(op, is_stack_access(op) ? Vector::kSS : Vector::kGP);
        return false;
    }
    // The CPU's own accesses while CPL is 3 (the TSS has misaligned fields) are not checked.
    const bool checks_alignment = privilege == Privilege::kUser &&
                                  (cpu.state.system_flags & rflags::kAC) != 0 &&
                                  (cpu.state.cr0 & cr0::kAM) != 0;
    // A 10-byte x87 operand is to be aligned as 8 bytes, one of 32 bytes as 16 (on AMD processors);
    // other large areas have their own rules (APM vol. 2, 8.2.17).
    const bool is_operand = size <= 16 || size == 32;
    const u64 alignment = size == 10 ? 8 : size == 32 ? 16 : size;
    if (checks_alignment && is_operand && (address & (alignment - 1)) != 0) {
        cpu.raise(op, Vector::kAC);
        return false;
    }
    return true;
}

void MMU::note_watchpoints(VCPU& cpu, u64 address, u32 size, Access access) {
    if ((cpu.state.dr7 & 0xff) == 0)
        return;
    static constexpr u64 kLengths[4] = {1, 2, 8, 4};
    for (unsigned i = 0; i < 4; ++i) {
        const bool enabled = ((cpu.state.dr7 >> (2 * i)) & 3) != 0;
        const u64 kind = (cpu.state.dr7 >> (16 + 4 * i)) & 3;  // 1: writes, 3: reads and writes
        const bool matches = kind == 3 || (kind == 1 && access == Access::kWrite);
        const u64 length = kLengths[(cpu.state.dr7 >> (18 + 4 * i)) & 3];
        const u64 start = cpu.state.dr[i] & ~(length - 1);
        if (enabled && matches && address < start + length && start < address + size)
            cpu.breakpoint_hits |= static_cast<u8>(1u << i);
    }
}

// A debugger's watchpoints. The access that hits one has a block of its own: false if it has to
// wait for that. The run then ends after its instruction.
bool MMU::note_debug_stops(VCPU& cpu, const Op* op, u64 address, u64 size, Access access) {
    const bool write = access == Access::kWrite;
    const DebugStops::Watch* const watch =
        stops_ == nullptr ? nullptr : stops_->watch_at(address, size, write);
    if (watch == nullptr)
        return true;
    if (cpu.waits_for_own_block(op))
        return false;
    stops_->report({.kind = write ? DebugHit::Kind::kWrite : DebugHit::Kind::kRead,
                    .vcpu = cpu.index,
                    .address = watch->address},
                   cpu);
    cpu.attention = true;
    return true;
}

// Whether a store to the page that was found may change the walk that found it.
bool MMU::may_change_translation(const Walk& walk) const {
    const u64 page_number = walk.physical >> kPageBits;
    if (page_number >= pages_.size() || pages_[page_number].trace != 0)
        return true;
    const u64* tables = walk.table_pages;
    return std::find(tables, tables + walk.table_count, page_number) != tables + walk.table_count;
}

bool MMU::read_piece(VCPU& cpu, const Op* op, u64 physical, void* data, u32 size) {
    const u8* page = memory_.read_page(physical >> kPageBits);
    if (page != nullptr) {
        std::memcpy(data, page + (physical & kPageMask), size);
        return true;
    }
    if (cpu.waits_for_own_block(op))
        return false;
    note_wild_access();
    for (u32 done = 0; done < size;) {
        const u32 rest = size - done;
        const u32 part = rest >= 8 ? 8 : rest >= 4 ? 4 : rest >= 2 ? 2 : 1;
        const u64 value = cpu.platform.mmio_read(cpu.index, physical + done, part);
        std::memcpy(static_cast<u8*>(data) + done, &value, part);
        done += part;
    }
    return true;
}

// Whether the page is the one that the present block runs from.
bool MMU::is_running_code(const VCPU& cpu, u64 page_number) {
    u64 physical;
    return probe(cpu, cpu.state.gpr[kPageBaseSlot], physical) &&
           physical >> kPageBits == page_number;
}

// Whether a store to a page table may change where the running code comes from: what entry_changed
// tells with a new key of the table that the code was fetched through.
bool MMU::may_move_running_code(const VCPU& cpu, u64 page_number, u64 offset, u32 size) {
    const TracedPage& traced_page = traces_[pages_[page_number].trace - 1];
    const HalfTable* running = fetch_table(cpu);
    const u8* page = memory_.read_page(page_number);
    for (u64 at = offset & ~u64{7}; at < offset + size; at += 8) {
        u64 entry;
        std::memcpy(&entry, page + at, sizeof entry);
        if ((entry & pte::kPresent) == 0)
            continue;  // nothing is cached of it
        if (traced_page.root || running == nullptr)
            return true;
        const bool to_code = leads_to_code(entry);
        const auto matters = [&](const Trace& use) {
            return use.table == running && (use.level > 1 || to_code);
        };
        if (std::any_of(traced_page.uses.begin(), traced_page.uses.end(), matters))
            return true;
    }
    return false;
}

// Whether a store may go ahead now: to a device, to decoded code, to the page that is running (the
// scan of live_flags may have seen more of it than is decoded) or to a page table entry through
// which the running code was fetched it may only in a block of its own, so that everything after it
// sees its effect. (Data accesses see every store to a page table at once.)
bool MMU::ready_to_write(VCPU& cpu, const Op* op, u64 physical, u32 size) {
    if (cpu.alone)
        return true;
    const u64 page_number = physical >> kPageBits;
    const u64 offset = physical & kPageMask;
    const u8* page = memory_.read_page(page_number);
    bool needs_alone = page == nullptr;
    if (!needs_alone) {
        const PageState& state = pages_[page_number];
        needs_alone = (state.code_lines & lines_of(offset, size)) != 0 ||
                      (state.code_lines != 0 && is_running_code(cpu, page_number));
        needs_alone |= state.trace != 0 && may_move_running_code(cpu, page_number, offset, size);
    }
    if (needs_alone)
        cpu.leave(op, Exit::kAlone);
    return !needs_alone;
}

void MMU::write_piece(VCPU& cpu, u64 physical, const void* data, u32 size) {
    const u64 page_number = physical >> kPageBits;
    const u64 offset = physical & kPageMask;
    u8* page = memory_.write_page(page_number);
    if (page == nullptr) {
        for (u32 done = 0; done < size;) {
            const u32 rest = size - done;
            const u32 part = rest >= 8 ? 8 : rest >= 4 ? 4 : rest >= 2 ? 2 : 1;
            u64 value = 0;
            std::memcpy(&value, static_cast<const u8*>(data) + done, part);
            cpu.platform.mmio_write(cpu.index, physical + done, part, value);
            done += part;
        }
        return;
    }
    if (pages_[page_number].trace != 0)
        store_to_table(page_number, offset, data, size);
    else
        std::memcpy(page + offset, data, size);
    if ((pages_[page_number].code_lines & lines_of(offset, size)) != 0)
        invalidate_code(page_number);
}

bool MMU::read_common(VCPU& cpu, const Op* op, u64 address, void* data, u32 size, Access access,
                      Privilege privilege) {
    CHECK(size >= 1 && size <= kLargestAccess);
    ++counters_.slow_reads;
    Walk first;
    if (!check_address(cpu, op, address, size, privilege) ||
        !translate(cpu, op, address, access, privilege, first))
        return false;
    const u32 in_first = static_cast<u32>(std::min<u64>(size, kPageSize - (address & kPageMask)));
    Walk second;
    if (in_first < size && !translate(cpu, op, address + in_first, access, privilege, second))
        return false;
    if (!note_debug_stops(cpu, op, address, size, Access::kRead))
        return false;
    note_watchpoints(cpu, address, size, access);
    if (!read_piece(cpu, op, first.physical, data, in_first))
        return false;
    fill(cpu, address, first, Access::kRead, privilege);
    if (in_first == size)
        return true;
    return read_piece(cpu, op, second.physical, static_cast<u8*>(data) + in_first, size - in_first);
}

bool MMU::write_common(VCPU& cpu, const Op* op, u64 address, const void* data, u32 size,
                       Privilege privilege) {
    CHECK(size >= 1 && size <= kLargestAccess);
    ++counters_.slow_writes;
    Walk first;
    if (!check_address(cpu, op, address, size, privilege) ||
        !translate(cpu, op, address, Access::kWrite, privilege, first))
        return false;
    const u32 in_first = static_cast<u32>(std::min<u64>(size, kPageSize - (address & kPageMask)));
    const u32 in_second = size - in_first;
    Walk second;
    if (in_second != 0 &&
        !translate(cpu, op, address + in_first, Access::kWrite, privilege, second))
        return false;
    if (!ready_to_write(cpu, op, first.physical, in_first) ||
        (in_second != 0 && !ready_to_write(cpu, op, second.physical, in_second)))
        return false;
    if (!note_debug_stops(cpu, op, address, size, Access::kWrite))
        return false;
    note_watchpoints(cpu, address, size, Access::kWrite);
    const bool may_fill = in_second == 0 && !may_change_translation(first);
    write_piece(cpu, first.physical, data, in_first);
    if (in_second != 0)
        write_piece(cpu, second.physical, static_cast<const u8*>(data) + in_first, in_second);
    if (may_fill)
        fill(cpu, address, first, Access::kWrite, privilege);
    return true;
}

// Caches the translation that `walk` found, as far as the invariants allow.
void MMU::fill(VCPU& cpu, u64 address, const Walk& walk, Access access, Privilege privilege) {
    const u64 page_number = walk.physical >> kPageBits;
    if (page_number >= pages_.size() || (cpu.state.cr0 & cr0::kPG) == 0)
        return;
    if ((cpu.state.dr7 & 0xff) != 0)
        return;  // watchpoints are found on the slow path
    const bool watches_writes = stops_ != nullptr && stops_->watches_page(address, true);
    if (watches_writes && stops_->watches_page(address, false))
        return;
    HalfTable* table = table_for(cpu, address, walk, privilege);
    if (table == nullptr)
        return;
    if (table->is_large()) {
        give_memory_back();
        return;
    }
    const bool write = access == Access::kWrite && walk.writable && walk.dirty &&
                       pages_[page_number].trace == 0 && pages_[page_number].code_lines == 0;
    u8* writable = write ? memory_.write_page(page_number) : nullptr;
    const u8* page = write ? writable : memory_.read_page(page_number);
    if (page == nullptr)
        return;
    trace_walk(address, walk, table);
    // Tracing may have found that the page is one of its own page tables.
    const bool still_writable = write && pages_[page_number].trace == 0;
    TableEntry& entry = table->entry_for_fill(address);
    const u64 addend = reinterpret_cast<u64>(page) - (address & ~kPageMask);
    entry.read = addend;
    if (still_writable && !watches_writes)
        entry.write = addend;
    add_reverse(page_number, &entry);
    if (still_writable && watches_writes && &entry == &table_entry(cpu, address))
        note_watched_page(cpu, address, addend, *table);
    ++counters_.fills;
}

void MMU::note_watched_page(const VCPU& cpu, u64 address, u64 addend, const HalfTable& table) {
    const u64 page = address >> kPageBits;
    watched_pages_[page % watched_pages_.size()] = {.entry = &table_entry(cpu, address),
                                                    .table = &table,
                                                    .table_clearings = table.clearings,
                                                    .page_clearings = page_clearings_,
                                                    .page = page,
                                                    .addend = addend};
}

// Where an access of a page with a watchpoint may go at once, as it does not hit it; or null.
u8* MMU::watched_pointer(const VCPU& cpu, u64 address, u32 size, Access access) const {
    if (stops_ == nullptr)
        return nullptr;
    const u64 page = address >> kPageBits;
    const WatchedPage& known = watched_pages_[page % watched_pages_.size()];
    if (known.page != page || known.table == nullptr ||
        known.table_clearings != known.table->clearings ||
        known.page_clearings != page_clearings_ || known.entry != &table_entry(cpu, address) ||
        !is_canonical(address) || !fits_in_page(address, size) ||
        stops_->watch_at(address, size, access == Access::kWrite) != nullptr)
        return nullptr;
    return reinterpret_cast<u8*>(address + known.addend);
}

MMU::CrossingOperand MMU::crossing_operand(const VCPU& cpu, u64 address, u32 size, Access access) {
    if (fits_in_page(address, size) || !is_canonical(address) || !is_canonical(address + size - 1))
        return {};
    const u64 next = (address | kPageMask) + 1;
    const u64 TableEntry::*const addend =
        access == Access::kWrite ? &TableEntry::write : &TableEntry::read;
    const u64 in_first = table_entry(cpu, address).*addend;
    const u64 in_next = table_entry(cpu, next).*addend;
    if (in_first == 0 || in_next == 0)
        return {};
    return {.first = reinterpret_cast<u8*>(address + in_first),
            .rest = reinterpret_cast<u8*>(next + in_next),
            .size_of_first = static_cast<u32>(next - address)};
}

bool MMU::read_crossing(const VCPU& cpu, u64 address, void* data, u32 size, Access access) {
    const CrossingOperand operand = crossing_operand(cpu, address, size, access);
    if (operand.first == nullptr)
        return false;
    std::memcpy(data, operand.first, operand.size_of_first);
    std::memcpy(static_cast<u8*>(data) + operand.size_of_first, operand.rest,
                size - operand.size_of_first);
    return true;
}

bool MMU::write_crossing(const VCPU& cpu, u64 address, const void* data, u32 size) {
    const CrossingOperand operand = crossing_operand(cpu, address, size, Access::kWrite);
    if (operand.first == nullptr)
        return false;
    std::memcpy(operand.first, data, operand.size_of_first);
    std::memcpy(operand.rest, static_cast<const u8*>(data) + operand.size_of_first,
                size - operand.size_of_first);
    return true;
}

SlowRead MMU::read_slow(VCPU& cpu, const Op* op, u64 address, u32 size) {
    u64 value = 0;
    const bool ok = read_crossing(cpu, address, &value, size, Access::kRead) ||
                    read_common(cpu, op, address, &value, size, Access::kRead, privilege_of(cpu));
    return {value, ok};
}

SlowRead MMU::read_for_write_slow(VCPU& cpu, const Op* op, u64 address, u32 size) {
    u64 value = 0;
    if (const u8* const bytes = watched_pointer(cpu, address, size, Access::kRead)) {
        std::memcpy(&value, bytes, size);
        return {value, true};
    }
    const bool ok = read_crossing(cpu, address, &value, size, Access::kWrite) ||
                    read_common(cpu, op, address, &value, size, Access::kWrite, privilege_of(cpu));
    return {value, ok};
}

bool MMU::write_slow(VCPU& cpu, const Op* op, u64 address, u32 size, u64 value) {
    if (u8* const bytes = watched_pointer(cpu, address, size, Access::kWrite)) {
        std::memcpy(bytes, &value, size);
        return true;
    }
    return write_crossing(cpu, address, &value, size) ||
           write_common(cpu, op, address, &value, size, privilege_of(cpu));
}

bool MMU::read_bytes_slow(VCPU& cpu, const Op* op, u64 address, void* data, u32 size) {
    return read_crossing(cpu, address, data, size, Access::kRead) ||
           read_common(cpu, op, address, data, size, Access::kRead, privilege_of(cpu));
}

bool MMU::write_bytes_slow(VCPU& cpu, const Op* op, u64 address, const void* data, u32 size) {
    return write_crossing(cpu, address, data, size) ||
           write_common(cpu, op, address, data, size, privilege_of(cpu));
}

bool MMU::check_writable_slow(VCPU& cpu, const Op* op, u64 address, u32 size) {
    const Privilege privilege = privilege_of(cpu);
    if (!check_address(cpu, op, address, size, privilege))
        return false;
    // Nothing may be left to wait for once the instruction has begun to change things.
    if (stops_ != nullptr && stops_->watch_at(address, size, true) != nullptr &&
        cpu.waits_for_own_block(op))
        return false;
    for (u32 done = 0; done < size;) {
        const u64 at = address + done;
        const u32 part = static_cast<u32>(std::min<u64>(size - done, kPageSize - (at & kPageMask)));
        Walk walk;
        if (!translate(cpu, op, at, Access::kWrite, privilege, walk) ||
            !ready_to_write(cpu, op, walk.physical, part))
            return false;
        done += part;
    }
    return true;
}

// The cached entry for an access of the CPU's own, or null.
const TableEntry* MMU::system_entry(const VCPU& cpu, u64 address, u32 size) const {
    const AddressSpace* space = contexts_[cpu.index].space;
    const bool upper = address >> 63 != 0 && is_canonical(address);
    if (!upper || space == nullptr || space->high == nullptr || !fits_in_page(address, size))
        return nullptr;
    return &space->high->entries()[(address >> kPageBits) & kTableIndexMask];
}

bool MMU::read_system(VCPU& cpu, const Op* op, u64 address, void* data, u32 size) {
    const TableEntry* entry = system_entry(cpu, address, size);
    if (entry != nullptr && entry->read != 0) {
        std::memcpy(data, reinterpret_cast<const void*>(address + entry->read), size);
        return true;
    }
    return read_common(cpu, op, address, data, size, Access::kRead, Privilege::kSupervisor);
}

bool MMU::write_system(VCPU& cpu, const Op* op, u64 address, const void* data, u32 size) {
    const TableEntry* entry = system_entry(cpu, address, size);
    if (entry != nullptr && entry->write != 0) {
        std::memcpy(reinterpret_cast<void*>(address + entry->write), data, size);
        return true;
    }
    return write_common(cpu, op, address, data, size, Privilege::kSupervisor);
}

bool MMU::copy_from_guest(VCPU& cpu, u64 address, void* data, u64 size) {
    for (u64 done = 0; done < size;) {
        const u64 at = address + done;
        const u64 part = std::min(size - done, kPageSize - (at & kPageMask));
        const Walk result =
            is_canonical(at) ? walk(cpu, at, Access::kRead, privilege_of(cpu)) : Walk{};
        const u8* page = result.ok ? memory_.read_page(result.physical >> kPageBits) : nullptr;
        if (page == nullptr)
            return false;
        std::memcpy(static_cast<u8*>(data) + done, page + (at & kPageMask), part);
        done += part;
    }
    return true;
}

bool MMU::copy_to_guest(VCPU& cpu, u64 address, const void* data, u64 size) {
    for (u64 done = 0; done < size;) {
        const u64 at = address + done;
        const u64 part = std::min(size - done, kPageSize - (at & kPageMask));
        const Walk result =
            is_canonical(at) ? walk(cpu, at, Access::kWrite, privilege_of(cpu)) : Walk{};
        if (!result.ok || memory_.read_page(result.physical >> kPageBits) == nullptr)
            return false;
        done += part;
    }
    CHECK(cpu.alone || stops_ == nullptr);  // no watchpoint has to wait
    (void)note_debug_stops(cpu, nullptr, address, size, Access::kWrite);
    for (u64 done = 0; done < size;) {
        const u64 at = address + done;
        const u64 part = std::min(size - done, kPageSize - (at & kPageMask));
        // The bytes before may have changed the page tables.
        const Walk result = walk(cpu, at, Access::kWrite, privilege_of(cpu));
        if (!result.ok || memory_.read_page(result.physical >> kPageBits) == nullptr)
            return false;
        write_piece(cpu, result.physical, static_cast<const u8*>(data) + done,
                    static_cast<u32>(part));
        done += part;
    }
    return true;
}

bool MMU::probe(const VCPU& cpu, u64 address, u64& physical) {
    if ((cpu.state.cr0 & cr0::kPG) == 0) {
        physical = static_cast<u32>(address);
        return true;
    }
    return is_canonical(address) && probe_page_tables(memory_, cpu.state.cr3, address, physical);
}

const u8* MMU::probe_page(const VCPU& cpu, u64 address) {
    u64 physical;
    return probe(cpu, address, physical) ? memory_.read_page(physical >> kPageBits) : nullptr;
}

void MMU::verify_entry(const VCPU& cpu, u64 address, const TableEntry& entry) {
    const bool paging = (cpu.state.cr0 & cr0::kPG) != 0;
    if ((entry.read == 0 && entry.write == 0) || !is_canonical(address) || !paging)
        return;
    CHECK((cpu.state.dr7 & 0xff) == 0);
    CHECK(entry.read != 0 && (entry.write == 0 || entry.write == entry.read));
    const Access access = entry.write != 0 ? Access::kWrite : Access::kRead;
    const Walk found = walk_page_tables(memory_, cpu.state.cr3, address, access,
                                        permissions_of(cpu, privilege_of(cpu)));
    CHECK(found.ok && found.changed == 0);
    const u64 page_number = found.physical >> kPageBits;
    const u8* page = memory_.read_page(page_number);
    CHECK(reinterpret_cast<u64>(page) + (address & kPageMask) == address + entry.read);
    const PageState& state = pages_[page_number];
    CHECK(entry.write == 0 || (state.trace == 0 && state.code_lines == 0));
}

FetchedPage MMU::fetch(VCPU& cpu, u64 address) {
    ++counters_.fetch_walks;
    FetchedPage result;
    const Privilege privilege = cpu.state.cpl() == 3 ? Privilege::kUser : Privilege::kSupervisor;
    const Walk found =
        is_canonical(address) ? walk(cpu, address, Access::kFetch, privilege) : Walk{};
    if (!found.ok) {
        result.fault = is_canonical(address) ? Fault{Vector::kPF, found.error_code, address}
                                             : Fault{Vector::kGP, 0, 0};
        return result;
    }
    result.ok = true;
    result.page_number = found.physical >> kPageBits;
    result.bytes = memory_.read_page(result.page_number);
    if (result.bytes == nullptr)
        return result;
    if ((cpu.state.cr0 & cr0::kPG) == 0) {
        result.is_traced = true;  // there is nothing to trace
        return result;
    }
    HalfTable* table = table_for(cpu, address, found, privilege);
    result.cacheable = result.is_traced = table != nullptr;
    if (table != nullptr)
        trace_walk(address, found, table);
    return result;
}

void MMU::mark_code(u64 page_number, u64 lines) {
    PageState& state = changeable(page_number);
    if (state.code_lines == 0)
        clear_entries(page_number, Forget::kWrites);
    state.code_lines |= lines;
}

}  // namespace uchronia::cpu
