#include "cpu/jit/jump_tables.h"

#include <algorithm>

namespace uchronia::cpu::jit {

JumpTables::JumpTables() : memory_(static_cast<JumpEntry*>(host::reserve_huge(kSize))) {
    for (std::size_t i = 0; i < tables_.size(); ++i)
        tables_[i].entries = memory_ + i * kCount;
}

JumpTables::~JumpTables() {
    host::release(memory_, kSize);
}

void JumpTables::Table::clear() {
    for (const u32 index : used)
        entries[index] = empty(index);
    used.clear();
}

JumpEntry* JumpTables::select(u32 key) {
    const auto has_key = [key](const Table& table) { return table.taken && table.key == key; };
    auto table = std::find_if(tables_.begin(), tables_.end(), has_key);
    if (table == tables_.end()) {
        table = std::min_element(
            tables_.begin(), tables_.end(),
            [](const Table& a, const Table& b) { return a.last_use < b.last_use; });
        takeovers_ += table->taken ? 1 : 0;
        table->clear();
        table->key = key;
        table->taken = true;
        table->entries[0] = empty(0);
    }
    table->last_use = ++uses_;
    return table->entries;
}

void JumpTables::add(JumpEntry* table, const JumpEntry& entry, u32 block) {
    const u32 index = index_of(entry.rip);
    Table& known = table_of(table);
    if (table[index].code == nullptr)
        known.used.push_back(index);
    table[index] = entry;
    known.blocks[index] = block;
}

void JumpTables::forget(JumpEntry* table, u64 rip) {
    table[index_of(rip)].rip = empty(index_of(rip)).rip;  // its place stays a used one
}

void JumpTables::clear() {
    for (Table& table : tables_)
        table.clear();
}

}  // namespace uchronia::cpu::jit
