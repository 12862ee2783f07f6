// Address spaces and the tables that each privilege uses of them.
//
// User code and kernel code with AC set see the user's lower half; kernel code otherwise sees a
// lower half of its own, which holds supervisor pages only (SMAP for free). The upper half holds
// supervisor pages, is used by the kernel only, and is shared by all roots with the same upper
// entries. vCPUs with different control bits share nothing.

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "cpu/mmu/mmu.h"
#include "cpu/vcpu.h"

namespace uchronia::cpu {
namespace {

// Each table reserves 1 TiB of host addresses, and so does each of the few combined ones; of 128
// TiB some must stay free.
constexpr std::size_t kMostTables = 32;

// The bits that translation depends on, each in a place of its own.
u64 control_bits(const CPUState& s) {
    return (s.cr0 & (cr0::kPG | cr0::kWP | cr0::kAM)) |
           ((s.cr4 & (cr4::kSMEP | cr4::kSMAP)) << 20) | ((s.efer & efer::kNXE) << 32) |
           ((s.dr7 & 0xff) != 0 ? u64{1} << 60 : 0);
}

// Zero, under which nothing is ever kept, if there is no table.
u64 fetch_key(const HalfTable* table) {
    return table == nullptr ? 0 : u64{table->id} << 32 | table->code_epoch;
}

}  // namespace

MMU::MMU(PhysicalMemory& memory)
    : memory_(memory),
      pages_(memory.page_count()),
      empty_low_(std::make_unique<HalfTable>()),
      empty_high_(std::make_unique<HalfTable>()) {
    empty_high_->set_half(Half::kUpper);
}

MMU::~MMU() = default;

void MMU::add_vcpu(VCPU& cpu) {
    CHECK(cpu.index == vcpus_.size());
    vcpus_.push_back(&cpu);
    contexts_.emplace_back();
    cpu.tables[0] = empty_low_->entries();
    cpu.tables[1] = empty_high_->entries();
}

bool MMU::is_current(const AddressSpace& space) const {
    return std::any_of(contexts_.begin(), contexts_.end(),
                       [&](const Context& context) { return context.space == &space; });
}

HalfTable* MMU::new_table(Half half) {
    if (free_tables_.empty() && tables_.size() < kMostTables)
        free_tables_.push_back(tables_.emplace_back(std::make_unique<HalfTable>()).get());
    while (free_tables_.empty())
        recycle_a_space();
    HalfTable* table = free_tables_.back();
    free_tables_.pop_back();
    table->id = next_id_++;
    table->users = 1;
    table->set_half(half);
    return table;
}

// Gives back the tables of the address space that has not been used for longest.
void MMU::recycle_a_space() {
    AddressSpace* oldest = nullptr;
    for (const auto& [key, space] : spaces_) {
        if ((oldest == nullptr || space->last_use < oldest->last_use) && !is_current(*space))
            oldest = space.get();
    }
    CHECK(oldest != nullptr);
    drop_space(*oldest);
}

void MMU::release_table(HalfTable*& table) {
    if (table == nullptr)
        return;
    if (--table->users == 0) {
        table->clear_all();
        for (TracedPage& page : traces_)
            std::erase_if(page.uses, [&](const Trace& use) { return use.table == table; });
        free_tables_.push_back(table);
    }
    table = nullptr;
}

void MMU::drop_space(AddressSpace& space) {
    CHECK(!is_current(space));
    const u64 root = space.root;
    release_table(space.user_low);
    release_table(space.supervisor_low);
    detach_high_table(space);
    spaces_.erase({root, space.control});
    if (root >= pages_.size() || !spaces_with_root(root).empty())
        return;
    const u32 trace = pages_[root].trace;
    TracedPage& page = traces_[trace - 1];
    page.root = false;
    if (page.uses.empty()) {
        page.useless_stores = 0;
        pages_[root].trace = 0;
        free_traces_.push_back(trace - 1);
    }
}

std::vector<MMU::AddressSpace*> MMU::spaces_with_root(u64 root) const {
    std::vector<AddressSpace*> spaces;
    for (auto at = spaces_.lower_bound({root, 0}); at != spaces_.end() && at->first.first == root;
         ++at)
        spaces.push_back(at->second.get());
    return spaces;
}

MMU::AddressSpace& MMU::space_of(const VCPU& cpu) {
    return space_of((cpu.state.cr3 & pte::kAddressMask) >> kPageBits, control_bits(cpu.state));
}

MMU::AddressSpace& MMU::space_of(u64 root, u64 control) {
    std::unique_ptr<AddressSpace>& space = spaces_[{root, control}];
    if (space != nullptr)
        return *space;
    space = std::make_unique<AddressSpace>();
    space->root = root;
    space->control = control;
    space->last_use = ++clock_;
    AddressSpace& result = *space;
    if (root < pages_.size())
        traced(root).root = true;
    attach_high_table(result);
    return result;
}

// Finds or makes the upper table for the root's present upper entries.
void MMU::attach_high_table(AddressSpace& space) {
    const u8* page = memory_.read_page(space.root);
    if (page == nullptr)
        return;
    const Digest contents = digest_of(std::span<const u8>(page + 2048, 2048));
    const auto found = high_tables_.find({contents, space.control});
    if (found != high_tables_.end()) {
        space.high = found->second;
        ++space.high->users;
        return;
    }
    space.high = new_table(Half::kUpper);
    space.high->contents = contents;
    high_tables_.emplace(std::pair(contents, space.control), space.high);
}

void MMU::detach_high_table(AddressSpace& space) {
    if (space.high == nullptr)
        return;
    if (space.high->users == 1)
        high_tables_.erase({space.high->contents, space.control});
    release_table(space.high);
}

// The table in which a translation may be cached, or null.
HalfTable* MMU::table_for(VCPU& cpu, u64 address, const Walk& walk, Privilege privilege) {
    AddressSpace& space = *contexts_[cpu.index].space;
    if (static_cast<i64>(address) < 0) {
        const bool kernel_only = privilege != Privilege::kUser && !walk.user;
        return kernel_only ? space.high : nullptr;
    }
    const bool user_view = privilege != Privilege::kSupervisor;
    if (user_view && !walk.user)
        return nullptr;
    HalfTable*& table = user_view ? space.user_low : space.supervisor_low;
    if (table == nullptr) {
        HalfTable* fresh = new_table(Half::kLower);
        table = fresh;
        refresh_contexts();
    }
    return table;
}

// The table that the present block was fetched through, or null if that cannot be cached.
const HalfTable* MMU::fetch_table(const VCPU& cpu) const {
    const AddressSpace* space = contexts_[cpu.index].space;
    const bool user = cpu.state.cpl() == 3;
    if (space == nullptr)
        return nullptr;
    if (cpu.state.gpr[kPageBaseSlot] >> 63 != 0)
        return user ? nullptr : space->high;
    return user ? space->user_low : space->supervisor_low;
}

void MMU::select_tables(VCPU& cpu) {
    const AddressSpace& space = *contexts_[cpu.index].space;
    const CPUState& state = cpu.state;
    const HalfTable& low_of_user = space.user_low != nullptr ? *space.user_low : *empty_low_;
    const HalfTable& low_of_kernel =
        space.supervisor_low != nullptr ? *space.supervisor_low : *empty_low_;
    const HalfTable& high_of_kernel = space.high != nullptr ? *space.high : *empty_high_;
    const u64 key_of_kernel[2] = {fetch_key(space.supervisor_low), fetch_key(space.high)};
    cpu.views[VCPU::kUserView] = {.tables = {low_of_user.entries(), empty_high_->entries()},
                                  .fetch_keys = {fetch_key(space.user_low), 0},
                                  .both = low_of_user.entries()};
    cpu.views[VCPU::kKernelView] = {.tables = {low_of_kernel.entries(), high_of_kernel.entries()},
                                    .fetch_keys = {key_of_kernel[0], key_of_kernel[1]},
                                    .both = high_of_kernel.entries() - kTableEntryCount};
    cpu.views[VCPU::kKernelViewWithAC] = {
        .tables = {low_of_user.entries(), high_of_kernel.entries()},
        .fetch_keys = {key_of_kernel[0], key_of_kernel[1]},
        .both = combined_.of(low_of_user, high_of_kernel)};
    const bool user = state.cpl() == 3;
    const bool ac = (state.system_flags & rflags::kAC) != 0;
    const VCPU::View& view = cpu.views[user ? VCPU::kUserView
                                       : ac ? VCPU::kKernelViewWithAC
                                            : VCPU::kKernelView];
    for (unsigned half = 0; half < 2; ++half) {
        cpu.tables[half] = view.tables[half];
        cpu.fetch_keys[half] = view.fetch_keys[half];
    }
    if (user && ac && (state.cr0 & cr0::kAM) != 0)
        cpu.tables[0] = empty_low_->entries();  // alignment is checked on the slow path
}

void MMU::refresh_contexts() {
    for (VCPU* cpu : vcpus_) {
        if (contexts_[cpu->index].space != nullptr)
            select_tables(*cpu);
    }
}

void MMU::update_context(VCPU& cpu) {
    Context& context = contexts_[cpu.index];
    const u64 control = control_bits(cpu.state);
    const u64 root = (cpu.state.cr3 & pte::kAddressMask) >> kPageBits;
    if (context.space == nullptr || context.space->root != root ||
        context.space->control != control) {
        context.space = nullptr;
        context.space = &space_of(root, control);
        context.space->last_use = ++clock_;
    }
    select_tables(cpu);
}

void MMU::drop_caches() {
    ++counters_.full_flushes;
    for (Context& context : contexts_)
        context.space = nullptr;
    spaces_.clear();
    high_tables_.clear();
    free_tables_.clear();
    for (const auto& table : tables_) {
        table->clear_all();
        table->users = 0;
        free_tables_.push_back(table.get());
    }
    if (!pages_are_zero_) {
        for (PageState& state : pages_) {
            state.reverse[0] = state.reverse[1] = nullptr;
            state.reverse_overflow = 0;
            state.trace = 0;
        }
    }
    overflow_.clear();
    traces_.clear();
    free_traces_.clear();
    for (VCPU* cpu : vcpus_) {
        Context& context = contexts_[cpu->index];
        context.space = &space_of(*cpu);
        select_tables(*cpu);
    }
}

// A guest may touch addresses all over its space: an entry that is looked at costs a page of the
// host's page tables, and one that is filled a page of memory.
void MMU::give_memory_back() {
    wild_accesses_ = 0;
    for (const auto& table : tables_)
        table->renew();
    empty_low_->renew();
    empty_high_->renew();
    combined_.renew();
    drop_caches();
}

void MMU::note_wild_access() {
    constexpr u32 kMostWildAccesses = 1u << 16;
    if (++wild_accesses_ == kMostWildAccesses)
        give_memory_back();
}

void MMU::drop_caches_and_code() {
    for (u64 page_number = 0; !pages_are_zero_ && page_number < pages_.size(); ++page_number) {
        if (pages_[page_number].code_lines != 0)
            invalidate_code(page_number);
    }
    drop_caches();
}

}  // namespace uchronia::cpu
