#include "profile/place_names.h"

#include "profile/machine_view.h"

namespace uchronia::profile {
namespace {

// A guest may have made tables that point to each other; an honest process has some thousands.
constexpr unsigned kMostTables = 1 << 16;
constexpr unsigned kTopLevel = 4;
constexpr u64 kEntries = 512;
constexpr u64 kPresent = 1, kLarge = 1 << 7;
constexpr u64 kAddressMask = 0x000f'ffff'ffff'f000;
// Where Linux maps its image and modules (Documentation/arch/x86/x86_64/mm.rst); what is between
// this and user space sees all of memory, which says nothing about a page.
constexpr u64 kImageArea = 0xffff'ffff'8000'0000;
constexpr u64 kUserEnd = u64{1} << 47;

u64 size_of_entry(unsigned level) {
    return kPageSize << (9 * (level - 1));
}

u64 canonical(u64 address) {
    return (address & kUserEnd) != 0 ? address | ~(2 * kUserEnd - 1) : address;
}

}  // namespace

PlaceNames::PlaceNames(machine::Machine& machine, const std::set<u64>& pages)
    : view_(std::make_unique<MachineView>(machine)), tables_left_(kMostTables) {
    Result<std::unique_ptr<LinuxKernel>> kernel = LinuxKernel::find(*view_, view_->state().lstar);
    if (kernel)
        kernel_ = std::move(*kernel);
    find_mappings(pages);
}

PlaceNames::~PlaceNames() = default;

// Intel SDM Vol. 3A, 4.5: 4-level paging.
void PlaceNames::find_mappings(const std::set<u64>& pages) {
    const cpu::CPUState& state = view_->state();
    static constexpr u64 kLongModeActive = 1 << 10;
    if (!pages.empty() && (state.efer & kLongModeActive) != 0)
        walk(state.cr3 & kAddressMask, kTopLevel, 0, pages);
}

void PlaceNames::walk(u64 table, unsigned level, u64 address, const std::set<u64>& pages) {
    if (tables_left_ == 0)
        return;
    --tables_left_;
    u64 entries[kEntries] = {};
    if (!view_->read_physical(table, {reinterpret_cast<u8*>(entries), sizeof entries}))
        return;
    for (u64 i = 0; i < kEntries; ++i) {
        const u64 entry = entries[i], size = size_of_entry(level);
        const u64 begin = canonical(address + i * size);
        const bool says_nothing = begin >= kUserEnd && begin + (size - 1) < kImageArea;
        if ((entry & kPresent) == 0 || says_nothing)
            continue;
        if (level > 1 && (entry & kLarge) == 0) {
            walk(entry & kAddressMask, level - 1, address + i * size, pages);
            continue;
        }
        const u64 first = (entry & kAddressMask & ~(size - 1)) >> kPageBits;
        for (auto page = pages.lower_bound(first);
             page != pages.end() && *page < first + (size >> kPageBits); ++page)
            addresses_.emplace(*page, begin + ((*page - first) << kPageBits));
    }
}

std::string PlaceNames::process() {
    return view_->process_name(kernel_.get());
}

std::string PlaceNames::symbol_at(u64 address) {
    if (kernel_ == nullptr)
        return {};
    const KernelFunction function = kernel_->function_at(address);
    if (function.symbol == nullptr)
        return kernel_->symbol_at(address);
    return function.symbol->name + "+" +
           machine::to_hex_number(address - function.symbol->address) + " " + function.object;
}

std::string PlaceNames::next_instruction() {
    const cpu::CPUState& state = view_->state();
    if (state.cpl() == 3)
        return machine::to_hex_number(state.rip) + " in " + process();
    const std::string symbol = symbol_at(state.rip);
    return (symbol.empty() ? machine::to_hex_number(state.rip) : symbol) + ", as " + process();
}

std::string PlaceNames::page_name(u64 page_number, unsigned offset) {
    const auto found = addresses_.find(page_number);
    const u64 address = found == addresses_.end() ? 0 : found->second + offset;
    if (address >= kImageArea) {
        const std::string symbol = symbol_at(address);
        return symbol.empty() ? "kernel at " + machine::to_hex_number(address) : symbol;
    }
    std::string name;
    if (kernel_ != nullptr) {
        if (const std::optional<FilePage> file = kernel_->file_page(page_number << kPageBits)) {
            const std::string path = kernel_->path_of(*file);
            name = (path.empty() ? "a file" : path) + " (" + kernel_->file_system_of(*file) +
                   ") +" + machine::to_hex_number((file->index << kPageBits) + offset);
        }
    }
    if (address != 0)
        name += (name.empty() ? "" : ", ") + process() + " at " + machine::to_hex_number(address);
    return name;
}

}  // namespace uchronia::profile
