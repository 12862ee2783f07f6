#include "profile/elf_file.h"

#include <elf.h>

namespace uchronia::profile {
namespace {

// More than any real file has, so that a damaged one costs no more than a large one.
constexpr u64 kMostSections = 1 << 20;

bool is_function(const Elf64_Sym& symbol) {
    const unsigned type = ELF64_ST_TYPE(symbol.st_info);
    return symbol.st_shndx != SHN_UNDEF && symbol.st_shndx != SHN_ABS &&
           (type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_NOTYPE);
}

// A function rather than a label, one that is known elsewhere rather than a local one.
u8 rank_of(const Elf64_Sym& symbol) {
    const unsigned type = ELF64_ST_TYPE(symbol.st_info), binding = ELF64_ST_BIND(symbol.st_info);
    const int known = binding == STB_GLOBAL ? 2 : binding == STB_WEAK ? 1 : 0;
    return static_cast<u8>((type == STT_NOTYPE ? 0 : 4) + known);
}

}  // namespace

Result<ELFFile> ELFFile::parse(std::vector<u8> bytes) {
    ELFFile file;
    file.bytes_ = std::move(bytes);
    if (Status status = file.parse_headers(); !status)
        return status.error();
    for (const Section& section : file.sections_) {
        if (section.type == SHT_SYMTAB || section.type == SHT_DYNSYM)
            file.parse_symbols(section);
        if (section.type == SHT_NOTE)
            file.parse_build_id(file.contents(section));
    }
    file.symbols_.finish();
    return file;
}

Status ELFFile::parse_headers() {
    Elf64_Ehdr header;
    if (!load(bytes_, 0, header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
        return Error{"not an ELF file"};
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
        header.e_machine != EM_X86_64)
        return Error{"not a 64-bit x86 ELF file"};
    for (u64 i = 0; i < header.e_phnum; ++i) {
        Elf64_Phdr segment;
        if (!load(bytes_, header.e_phoff + i * sizeof segment, segment))
            return Error{"an ELF file that is cut off in its program headers"};
        if (segment.p_type == PT_LOAD)
            segments_.push_back({segment.p_offset, segment.p_vaddr, segment.p_filesz,
                                 (segment.p_flags & PF_X) != 0});
    }
    // A file without usable section headers still has its segments.
    if (header.e_shoff != 0 && !parse_sections(header.e_shoff, header.e_shnum, header.e_shstrndx))
        sections_.clear();
    return {};
}

bool ELFFile::parse_sections(u64 offset, u64 count, u64 names_index) {
    Elf64_Shdr first;
    if (!profile::load(bytes_, offset, first))
        return false;
    // Numbers that do not fit into the header are in section 0.
    if (count == 0)
        count = first.sh_size;
    if (names_index == SHN_XINDEX)
        names_index = first.sh_link;
    if (count > kMostSections ||
        part_of(bytes_, offset, count * sizeof(Elf64_Shdr)).size() != count * sizeof(Elf64_Shdr))
        return false;
    std::vector<u32> names;
    for (u64 i = 0; i < count; ++i) {
        Elf64_Shdr section;
        profile::load(bytes_, offset + i * sizeof section, section);
        sections_.push_back({.name = {},
                             .type = section.sh_type,
                             .address = section.sh_addr,
                             .offset = section.sh_offset,
                             .size = section.sh_size,
                             .link = section.sh_link});
        names.push_back(section.sh_name);
    }
    const Bytes name_bytes = names_index < count ? contents(sections_[names_index]) : Bytes();
    for (u64 i = 0; i < count; ++i)
        sections_[i].name = text_at(name_bytes, names[i]);
    return true;
}

void ELFFile::parse_symbols(const Section& table) {
    const Bytes entries = contents(table);
    if (table.link >= sections_.size())
        return;
    const Bytes names = contents(sections_[table.link]);
    for (u64 offset = 0; offset + sizeof(Elf64_Sym) <= entries.size();
         offset += sizeof(Elf64_Sym)) {
        Elf64_Sym symbol;
        profile::load(entries, offset, symbol);
        const std::string_view name = text_at(names, symbol.st_name);
        if (!name.empty() && is_function(symbol))
            symbols_.add({.address = symbol.st_value,
                          .size = symbol.st_size,
                          .name = std::string(name),
                          .rank = rank_of(symbol)});
    }
}

void ELFFile::parse_build_id(Bytes notes) {
    static constexpr char kDigits[] = "0123456789abcdef";
    u64 offset = 0;
    Elf64_Nhdr note;
    while (profile::load(notes, offset, note)) {
        offset += sizeof note;
        const u64 description = offset + align_up(note.n_namesz, 4);
        const Bytes id = part_of(notes, description, note.n_descsz);
        if (note.n_type == NT_GNU_BUILD_ID && text_at(notes, offset) == "GNU" && !id.empty()) {
            build_id_.clear();
            for (const u8 byte : id) {
                build_id_ += kDigits[byte >> 4];
                build_id_ += kDigits[byte & 15];
            }
        }
        offset = description + align_up(note.n_descsz, 4);
    }
}

std::optional<u64> ELFFile::address_of(u64 file_offset) const {
    const Segment* found = nullptr;
    for (const Segment& segment : segments_) {
        if (file_offset >= segment.offset && file_offset - segment.offset < segment.size &&
            (found == nullptr || segment.executable))
            found = &segment;
    }
    if (found == nullptr)
        return std::nullopt;
    return found->address + (file_offset - found->offset);
}

const ELFFile::Section* ELFFile::section(std::string_view name) const {
    for (const Section& section : sections_) {
        if (section.name == name)
            return &section;
    }
    return nullptr;
}

Bytes ELFFile::contents(const Section& section) const {
    return section.type == SHT_NOBITS ? Bytes() : part_of(bytes_, section.offset, section.size);
}

void ELFFile::add_symbols_of(const ELFFile& other) {
    for (const Symbol& symbol : other.symbols_.symbols())
        symbols_.add(symbol);
    symbols_.finish();
}

}  // namespace uchronia::profile
