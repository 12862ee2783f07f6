#include "profile/frame_table.h"

#include <algorithm>

#include "profile/dwarf_reader.h"
#include "profile/frame_rules.h"

namespace uchronia::profile {

FrameTable::FrameTable(Bytes section, u64 address) : section_(section), address_(address) {
    constexpr u32 kLongForm = 0xffff'ffff;
    for (u64 offset = 0; offset + 8 <= section.size();) {
        u32 size = 0, id = 0;
        load(section, offset, size);
        load(section, offset + 4, id);
        const u64 end = offset + 4 + size;
        // A zero ends the list; there may be another one behind it.
        if (size == 0) {
            offset += 4;
            continue;
        }
        if (size == kLongForm || size < 4 || end > section.size())
            break;
        if (id != 0 && id <= offset + 4)
            add_function(offset + 8, end, offset + 4 - id);
        offset = end;
    }
    std::stable_sort(functions_.begin(), functions_.end(),
                     [](const Function& a, const Function& b) { return a.begin < b.begin; });
}

bool FrameTable::read_common(u64 offset, Common& common) const {
    u32 size = 0, id = 0;
    if (!load(section_, offset, size) || !load(section_, offset + 4, id) || id != 0 ||
        offset + 4 + size > section_.size())
        return false;
    common.instructions_end = offset + 4 + size;
    DWARFReader reader(section_.first(common.instructions_end), address_, offset + 8);
    const u8 version = reader.number<u8>();
    const std::string_view augmentation = reader.text();
    if (version != 1 && version != 3)
        return false;
    common.code_factor = reader.uleb();
    common.data_factor = reader.sleb();
    common.return_register = version == 1 ? reader.number<u8>() : reader.uleb();
    if (augmentation.starts_with('z')) {
        common.has_augmentation = true;
        const u64 augmentation_size = reader.uleb();
        const u64 data = reader.offset();
        for (const char letter : augmentation.substr(1)) {
            if (letter == 'R')
                common.pointer_encoding = reader.number<u8>();
            else if (letter == 'L')
                reader.number<u8>();
            else if (letter == 'P')
                reader.pointer(reader.number<u8>() & 0xf);
            else if (letter == 'S')
                common.signal = true;
            else
                return false;
        }
        if (reader.offset() - data > augmentation_size)
            return false;
        reader.skip(augmentation_size - (reader.offset() - data));
    } else if (!augmentation.empty()) {
        return false;
    }
    common.instructions = reader.offset();
    return reader.ok();
}

std::optional<u32> FrameTable::common_at(u64 offset) {
    const auto [entry, is_new] = common_indexes_.try_emplace(offset);
    Common common;
    if (is_new && read_common(offset, common)) {
        entry->second = static_cast<u32>(commons_.size());
        commons_.push_back(common);
    }
    return entry->second;
}

void FrameTable::add_function(u64 offset, u64 end, u64 common_offset) {
    const std::optional<u32> index = common_at(common_offset);
    if (!index)
        return;
    const Common& common = commons_[*index];
    DWARFReader reader(section_.first(end), address_, offset);
    Function function{};
    function.begin = reader.pointer(common.pointer_encoding);
    function.size = reader.pointer(common.pointer_encoding & 0xf);
    if (common.has_augmentation)
        reader.skip(reader.uleb());
    function.instructions = reader.offset();
    function.instructions_end = end;
    function.common = *index;
    if (reader.ok() && function.size != 0)
        functions_.push_back(function);
}

const FrameTable::Function* FrameTable::find(u64 address) const {
    const auto after = std::upper_bound(
        functions_.begin(), functions_.end(), address,
        [](u64 wanted, const Function& function) { return wanted < function.begin; });
    if (after == functions_.begin())
        return nullptr;
    const Function& found = *(after - 1);
    return address - found.begin < found.size ? &found : nullptr;
}

std::optional<u64> FrameTable::function_start(u64 address) const {
    const Function* const found = find(address);
    if (found == nullptr)
        return std::nullopt;
    return found->begin;
}

bool FrameTable::step(GuestView& view, u64 address, Registers& registers, Kind& kind) const {
    const Function* const function = find(address);
    if (function == nullptr)
        return false;
    const Common& common = commons_[function->common];
    FrameRules rules(section_, address_, common.code_factor, common.data_factor);
    if (!rules.run(common.instructions, common.instructions_end, function->begin, address))
        return false;
    rules.keep_as_initial();
    if (!rules.run(function->instructions, function->instructions_end, function->begin, address))
        return false;
    kind = common.signal ? Kind::kSignal : Kind::kCall;
    return rules.apply(view, common.return_register, registers);
}

}  // namespace uchronia::profile
