#include "cpu/decode/decode_table.h"

#include <algorithm>
#include <cstdio>

#include "base/check.h"

namespace uchronia::cpu {

namespace {

constexpr bool is_legacy_only(u16 attributes) {
    return (attributes & attribute::kInvalid64) != 0;
}

// All rows that exist in a mode, most particular first, so that the first match is the right one.
std::vector<Form> forms_of(CodeMode mode) {
    std::vector<Form> forms;
    for (u16 i = 1; i < static_cast<u16>(Instruction::kCount); ++i) {
        const InstructionRow& row = row_of(Instruction{i});
        if (mode == CodeMode::k64 && is_legacy_only(row.attributes))
            continue;
        const Result<Encoding> encoding = parse_encoding(row);
        if (!encoding)
            std::fprintf(stderr, "%s\n", encoding.error().message.c_str());
        CHECK(encoding.ok());
        forms.push_back({encoding.value(), Instruction{i}, row.attributes, false});
    }
    const auto particularity = [](const Form& form) {
        const Encoding& e = form.encoding;
        return (e.prefix != MandatoryPrefix::kAny ? 16 : 0) + (e.rex_w != RexW::kAny ? 8 : 0) +
               (e.modrm == ModRMUse::kWhole ? 4 : 0) + (is_legacy_only(form.attributes) ? 2 : 0) +
               (e.opcode_register ? 0 : 1);
    };
    std::stable_sort(forms.begin(), forms.end(), [&](const Form& a, const Form& b) {
        return particularity(a) > particularity(b);
    });
    return forms;
}

// Whether the form can be meant by a ModRM byte with this reg field and kind of rm.
bool fits_list(const Encoding& encoding, unsigned list_index) {
    const unsigned reg = list_index & 7;
    const bool memory = list_index < 8;
    if (encoding.modrm == ModRMUse::kDigit && encoding.modrm_value != reg)
        return false;
    if (encoding.modrm == ModRMUse::kWhole && ((encoding.modrm_value >> 3) & 7) != reg)
        return false;
    if (encoding.mod_ignored || encoding.form == RMForm::kAny)
        return true;
    return (encoding.form == RMForm::kMemory) == memory;
}

bool fits_prefix(MandatoryPrefix wanted, MandatoryPrefix given) {
    if (wanted == MandatoryPrefix::kNoRepeat)
        return given == MandatoryPrefix::kNone || given == MandatoryPrefix::k66;
    return wanted == MandatoryPrefix::kAny || wanted == given;
}

bool matches(const Form& form, Selector selector) {
    const Encoding& e = form.encoding;
    if (!fits_prefix(e.prefix, selector.prefix))
        return false;
    if (e.rex_w != RexW::kAny && (e.rex_w == RexW::k1) != ((selector.rex & 8) != 0))
        return false;
    if (e.length != VectorLength::kAny && (e.length == VectorLength::k256) != selector.vex_l)
        return false;
    if (e.modrm == ModRMUse::kWhole && e.modrm_value != selector.modrm)
        return false;
    return !form.without_rex_b || (selector.rex & 1) == 0;
}

}  // namespace

DecodeTable::DecodeTable(CodeMode mode) {
    std::vector<std::vector<Form>> by_opcode(kOpcodeMapCount * 256);
    for (const Form& form : forms_of(mode)) {
        const unsigned map = static_cast<unsigned>(form.encoding.map);
        const unsigned byte_count = form.encoding.opcode_register ? 8 : 1;
        for (unsigned i = 0; i < byte_count; ++i)
            by_opcode[map * 256 + form.encoding.opcode + i].push_back(form);
    }
    for (unsigned i = 0; i < by_opcode.size(); ++i)
        if (!by_opcode[i].empty())
            add_opcode(OpcodeMap(i / 256), static_cast<u8>(i), by_opcode[i]);
}

void DecodeTable::add_opcode(OpcodeMap map, u8 byte, std::span<const Form> forms) {
    std::vector<Form> here(forms.begin(), forms.end());
    const bool any_opcode_register = std::any_of(
        here.begin(), here.end(), [](const Form& f) { return f.encoding.opcode_register; });
    Opcode& opcode = opcodes_[static_cast<std::size_t>(map)][byte];
    opcode.first_list = static_cast<u16>(lists_.size());
    opcode.defined = true;
    opcode.has_modrm = here[0].encoding.modrm != ModRMUse::kAbsent;
    for (Form& form : here) {
        // Whether there is a ModRM byte must be known before the row is.
        CHECK((form.encoding.modrm != ModRMUse::kAbsent) == opcode.has_modrm);
        form.without_rex_b = any_opcode_register && !form.encoding.opcode_register;
    }
    const unsigned list_count = opcode.has_modrm ? kListsPerOpcode : 1;
    for (unsigned i = 0; i < list_count; ++i)
        add_list(here, i);
}

void DecodeTable::add_list(std::span<const Form> forms, unsigned list_index) {
    List list;
    list.begin = static_cast<u16>(forms_.size());
    for (const Form& form : forms)
        if (form.encoding.modrm == ModRMUse::kAbsent || fits_list(form.encoding, list_index))
            forms_.push_back(form);
    list.count = static_cast<u16>(forms_.size() - list.begin);
    lists_.push_back(list);
    CHECK(forms_.size() < 0xffff);
}

const Form* DecodeTable::find(const Opcode& opcode, Selector selector) const {
    unsigned list_index = opcode.first_list;
    if (opcode.has_modrm)
        list_index += ((selector.modrm >> 3) & 7u) + (selector.modrm >= 0xc0 ? 8 : 0);
    const List list = lists_[list_index];
    for (unsigned i = 0; i < list.count; ++i)
        if (matches(forms_[list.begin + i], selector))
            return &forms_[list.begin + i];
    return nullptr;
}

const DecodeTable& decode_table(CodeMode mode) {
    static const DecodeTable long_mode(CodeMode::k64);
    static const DecodeTable legacy(CodeMode::k32);
    return mode == CodeMode::k64 ? long_mode : legacy;
}

}  // namespace uchronia::cpu
