// Address translation of a machine: the page walk of the AMD64 and the caches over it.
//
// There is no architectural TLB: every access behaves as a fresh page walk (docs/memory.md). What
// is cached (FSPT entries, code lookups) is kept coherent by tracing stores to pages that the
// walker has read as page tables. So INVLPG and CR3 loads flush nothing, and nothing cached is
// visible.
//
// Invariants:
//   - a read entry exists only if a walk would succeed without changing memory (accessed bits set);
//   - a write entry exists only if moreover the mapping is writable, its dirty bit is set, the page
//     may be written without notice (PhysicalMemory::write_page was called since it was last
//     protected), is no page table, has no decoded code and no watchpoint;
//   - a debugger's watchpoint in a page keeps entries out as one of the guest does;
//   - every entry is on the reverse list of its page;
//   - every page that a cached entry was read through is traced;
//   - what the tables cost the host is bounded, whatever the guest touches.
//
// Source: APM vol. 2, 5 (page translation and protection).
#pragma once

#include <array>
#include <map>
#include <memory>
#include <vector>

#include "base/hash.h"
#include "cpu/bus.h"
#include "cpu/debug_stops.h"
#include "cpu/fault.h"
#include "cpu/mmu/combined_tables.h"
#include "cpu/mmu/page_table_cache.h"
#include "cpu/mmu/page_walk.h"
#include "cpu/op.h"
#include "host/memory.h"

namespace uchronia::cpu {

// A build for tests, in which every use of something cached is compared with a page walk.
#ifdef UCHRONIA_CHECK_WALKS
inline constexpr bool kCheckWalks = true;
#else
inline constexpr bool kCheckWalks = false;
#endif

struct SlowRead {
    u64 value;
    bool ok;  // false: the exit is recorded in the VCPU
};

// Told when code that was decoded from a page is no longer there (the engines' block caches).
class CodeObserver {
  public:
    virtual ~CodeObserver() = default;
    virtual void code_changed(u64 page_number) = 0;
};

// A code fetch: the physical page, or a fault.
struct FetchedPage {
    bool ok = false;
    u64 page_number = 0;
    const u8* bytes = nullptr;  // null: not RAM
    // Whether what is found there may be kept under VCPU::fetch_keys.
    bool cacheable = false;
    // Whether a store that makes the address lead elsewhere waits for a block of its own. If not,
    // the instructions of the page are to be fetched one by one.
    bool is_traced = false;
    Fault fault;
};

class MMU final : public PageObserver {
  public:
    explicit MMU(PhysicalMemory& memory);
    ~MMU() override;

    void add_vcpu(VCPU& cpu);
    void add_code_observer(CodeObserver& observer) { code_observers_.push_back(&observer); }
    // Where a debugger watches accesses, or null. What is cached has to be dropped when it changes.
    void set_debug_stops(DebugStops* stops) { stops_ = stops; }

    // Slow paths of cpu/access.h. On false the exit (fault, or Exit::kAlone) is recorded.
    // `size` is 1, 2, 4 or 8.
    SlowRead read_slow(VCPU& cpu, const Op* op, u64 address, u32 size);
    bool write_slow(VCPU& cpu, const Op* op, u64 address, u32 size, u64 value);
    SlowRead read_for_write_slow(VCPU& cpu, const Op* op, u64 address, u32 size);
    // Any size up to a page.
    bool read_bytes_slow(VCPU& cpu, const Op* op, u64 address, void* data, u32 size);
    bool write_bytes_slow(VCPU& cpu, const Op* op, u64 address, const void* data, u32 size);
    bool check_writable_slow(VCPU& cpu, const Op* op, u64 address, u32 size);

    // Implicit accesses of the CPU itself with supervisor privilege: descriptor tables, TSS,
    // frames.
    bool read_system(VCPU& cpu, const Op* op, u64 address, void* data, u32 size);
    bool write_system(VCPU& cpu, const Op* op, u64 address, const void* data, u32 size);

    // The hypercall's view of the guest: copies bytes at the present privilege without side effects
    // on a failure. False if some page is not accessible now.
    bool copy_from_guest(VCPU& cpu, u64 address, void* data, u64 size);
    bool copy_to_guest(VCPU& cpu, u64 address, const void* data, u64 size);

    // Translates without changing anything (debuggers, symbolisers).
    bool probe(const VCPU& cpu, u64 address, u64& physical);
    // The bytes of the page of an address, also without changing anything; null if it is not mapped
    // or not RAM.
    const u8* probe_page(const VCPU& cpu, u64 address);

    // Fetches the page of `address` for execution at the present privilege.
    FetchedPage fetch(VCPU& cpu, u64 address);
    // What a page of RAM holds.
    const u8* page_bytes(u64 page_number) { return memory_.read_page(page_number); }
    // `lines`: bit n = bytes [64n, 64n+64) of the page now have decoded code.
    void mark_code(u64 page_number, u64 lines);

    // Follows a change of CR0, CR3, CR4, EFER, CPL, RFLAGS.AC or DR7.
    void update_context(VCPU& cpu);

    // Forgets all translations and tells the code observers that all code has changed.
    void drop_caches_and_code();

    // PageObserver.
    void page_moved(u64 page_number) override;
    void page_replaced(u64 page_number, const u8* before) override;
    void page_protected(u64 page_number) override;
    void page_written(u64 page_number, u64 offset, u64 size) override;

    // Forgets everything cached (tests: must not change any result).
    void drop_caches();
    // CHECKs that an entry gives what a page walk would, and no more.
    void verify_entry(const VCPU& cpu, u64 address, const TableEntry& entry);

    struct Counters {
        u64 slow_reads = 0, slow_writes = 0, fills = 0, table_stores = 0, invalidations = 0,
            full_flushes = 0, fetch_walks = 0, code_drops = 0;
    };
    const Counters& counters() const { return counters_; }

  private:
    enum class Privilege : u8 { kUser, kSupervisor, kSupervisorWithAC };

    // What is cached about one guest-physical page.
    struct PageState {
        u64 code_lines = 0;
        TableEntry* reverse[2] = {nullptr, nullptr};
        u32 reverse_overflow = 0;  // index + 1 into overflow_
        u32 trace = 0;             // index + 1 into traces_
    };
    PageState& changeable(u64 page_number) {
        pages_are_zero_ = false;
        return pages_[page_number];
    }
    // One way in which a page serves as a page table: the table that entries were filled into, and
    // the first address that it maps.
    struct Trace {
        HalfTable* table;
        u64 base;
        u32 level;  // 1 = page table ... 3 = page directory pointer table
    };
    struct TracedPage {
        std::vector<Trace> uses;
        bool root = false;
        u32 useless_stores = 0;
    };
    // A root as vCPUs with certain control bits see it: those of CR0, CR4, EFER and DR7 that
    // translation depends on.
    struct AddressSpace {
        u64 root = 0;
        u64 control = 0;
        HalfTable* user_low = nullptr;
        HalfTable* supervisor_low = nullptr;
        HalfTable* high = nullptr;
        u64 last_use = 0;
    };
    // A page that may be written but for a debugger's watchpoint in it: it has no write entry, so
    // that accesses come to the slow path, which is then short. Holds while nothing is cleared.
    struct WatchedPage {
        const TableEntry* entry = nullptr;  // the one that it does not have
        const HalfTable* table = nullptr;
        u64 table_clearings = 0, page_clearings = 0;
        u64 page = 0;  // linear
        u64 addend = 0;
    };
    // What a vCPU translates with at present.
    struct Context {
        AddressSpace* space = nullptr;
    };

    // mmu_access.cc: data accesses.
    Permissions permissions_of(const VCPU& cpu, Privilege privilege) const;
    static Privilege privilege_of(const VCPU& cpu);
    Walk walk(VCPU& cpu, u64 address, Access access, Privilege privilege,
              Bits bits = Bits::kMaySet);
    void follow_walk(u64 address, const Walk& walk);
    bool is_running_code(const VCPU& cpu, u64 page_number);
    bool may_change_translation(const Walk& walk) const;
    bool translate(VCPU& cpu, const Op* op, u64 address, Access access, Privilege privilege,
                   Walk& result);
    bool check_address(VCPU& cpu, const Op* op, u64 address, u32 size, Privilege privilege);
    void note_watchpoints(VCPU& cpu, u64 address, u32 size, Access access);
    bool note_debug_stops(VCPU& cpu, const Op* op, u64 address, u64 size, Access access);
    bool read_piece(VCPU& cpu, const Op* op, u64 physical, void* data, u32 size);
    bool may_move_running_code(const VCPU& cpu, u64 page_number, u64 offset, u32 size);
    bool ready_to_write(VCPU& cpu, const Op* op, u64 physical, u32 size);
    void write_piece(VCPU& cpu, u64 physical, const void* data, u32 size);
    bool read_common(VCPU& cpu, const Op* op, u64 address, void* data, u32 size, Access access,
                     Privilege privilege);
    bool write_common(VCPU& cpu, const Op* op, u64 address, const void* data, u32 size,
                      Privilege privilege);
    // The bytes of an operand that crosses into another page, if both pages have entries: what they
    // allow needs no walk. Else null.
    struct CrossingOperand {
        u8* first = nullptr;
        u8* rest = nullptr;
        u32 size_of_first = 0;
    };
    static CrossingOperand crossing_operand(const VCPU& cpu, u64 address, u32 size, Access access);
    static bool read_crossing(const VCPU& cpu, u64 address, void* data, u32 size, Access access);
    static bool write_crossing(const VCPU& cpu, u64 address, const void* data, u32 size);
    u8* watched_pointer(const VCPU& cpu, u64 address, u32 size, Access access) const;
    void note_watched_page(const VCPU& cpu, u64 address, u64 addend, const HalfTable& table);
    const TableEntry* system_entry(const VCPU& cpu, u64 address, u32 size) const;
    void fill(VCPU& cpu, u64 address, const Walk& walk, Access access, Privilege privilege);

    // mmu_trace.cc: what is cached about pages, and forgetting it.
    void add_reverse(u64 page_number, TableEntry* entry);
    enum class Forget : u8 { kAll, kWrites };
    void clear_entries(u64 page_number, Forget what);
    void trace_walk(u64 address, const Walk& walk, HalfTable* table);
    TracedPage& traced(u64 page_number);
    void forget_other_uses(TracedPage& page, u64 address, const HalfTable* table);
    void store_to_table(u64 page_number, u64 offset, const void* data, u32 size);
    void table_replaced(u64 page_number, const u8* before, const u8* now);
    void entry_changed(u64 page_number, unsigned index, u64 before);
    void lower_root_entry_changed(u64 page_number, unsigned index);
    void upper_root_entry_changed(u64 page_number);
    bool is_root(u64 page_number) const;
    bool leads_to_code(u64 entry) const;
    void forget_table(u64 page_number);
    void invalidate_code(u64 page_number);
    void code_mapping_changed(HalfTable* table);

    // mmu_context.cc: address spaces and their tables.
    AddressSpace& space_of(u64 root, u64 control);
    AddressSpace& space_of(const VCPU& cpu);
    std::vector<AddressSpace*> spaces_with_root(u64 root) const;
    void attach_high_table(AddressSpace& space);
    void detach_high_table(AddressSpace& space);
    void drop_space(AddressSpace& space);
    HalfTable* new_table(Half half);
    void recycle_a_space();
    void release_table(HalfTable*& table);
    HalfTable* table_for(VCPU& cpu, u64 address, const Walk& walk, Privilege privilege);
    const HalfTable* fetch_table(const VCPU& cpu) const;
    void select_tables(VCPU& cpu);
    void refresh_contexts();
    void give_memory_back();
    void note_wild_access();
    bool is_current(const AddressSpace& space) const;

    PhysicalMemory& memory_;
    DebugStops* stops_ = nullptr;
    std::array<WatchedPage, 16> watched_pages_{};  // by page
    u64 page_clearings_ = 0;                       // calls of clear_entries
    std::vector<CodeObserver*> code_observers_;
    std::vector<VCPU*> vcpus_;
    std::vector<Context> contexts_;
    host::ZeroedArray<PageState> pages_;  // changed by changeable() first
    bool pages_are_zero_ = true;
    std::vector<std::vector<TableEntry*>> overflow_;
    std::vector<TracedPage> traces_;
    std::vector<u32> free_traces_;
    std::map<std::pair<u64, u64>, std::unique_ptr<AddressSpace>> spaces_;  // by root and control
    std::vector<std::unique_ptr<HalfTable>> tables_;
    std::vector<HalfTable*> free_tables_;
    std::map<std::pair<Digest, u64>, HalfTable*> high_tables_;  // by contents and control
    std::unique_ptr<HalfTable> empty_low_, empty_high_;
    CombinedTables combined_;
    u32 next_id_ = 1;
    u64 clock_ = 0;
    u32 wild_accesses_ = 0;  // to what has no entries, since memory was given back
    Counters counters_;
};

}  // namespace uchronia::cpu
