#include "cpu/mmu/combined_tables.h"

#include <algorithm>

namespace uchronia::cpu {
namespace {

constexpr u64 kBytes = 2 * kTableEntryCount * sizeof(TableEntry);

}  // namespace

CombinedTables::~CombinedTables() {
    for (const Combined& c : combined_) {
        if (c.base != nullptr)
            host::release(c.base, kBytes);
    }
}

const TableEntry* CombinedTables::of(const HalfTable& lower, const HalfTable& upper) {
    const auto is_pair = [&](const Combined& c) { return c.lower == &lower && c.upper == &upper; };
    if (is_pair(*last_)) [[likely]]
        return last_->base;
    if (!lower.can_be_mapped_again() || !upper.can_be_mapped_again())
        return nullptr;
    auto found = std::find_if(combined_.begin(), combined_.end(), is_pair);
    if (found == combined_.end()) {
        // One that has the lower half only keeps what it costs to look into that.
        found = std::find_if(combined_.begin(), combined_.end(),
                             [&](const Combined& c) { return c.lower == &lower; });
        if (found == combined_.end())
            found = std::min_element(
                combined_.begin(), combined_.end(),
                [](const Combined& a, const Combined& b) { return a.last_use < b.last_use; });
        if (found->base == nullptr)
            found->base = static_cast<TableEntry*>(host::reserve(kBytes));
        lower.map_again(found->base);
        upper.map_again(found->base + kTableEntryCount);
        found->lower = &lower;
        found->upper = &upper;
    }
    last_ = &*found;
    last_->last_use = ++clock_;
    return last_->base;
}

void CombinedTables::renew() {
    for (Combined& c : combined_) {
        if (c.base != nullptr)
            host::renew(c.base, kBytes);
        c.lower = c.upper = nullptr;
    }
}

}  // namespace uchronia::cpu
