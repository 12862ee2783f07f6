#include "debug/kernel_symbols.h"

#include <elf.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>

namespace uchronia::debug {
namespace {

// Where the kernel's image and its modules are.
constexpr u64 kImageBegin = 0xffff'ffff'8000'0000, kImageEnd = 0xffff'ffff'ff00'0000;

enum SectionIndex : u16 { kNone, kText, kData, kSymbols, kTexts, kSectionCount };

template <class T>
void append(std::vector<u8>& bytes, const T& value) {
    const u8* const begin = reinterpret_cast<const u8*>(&value);
    bytes.insert(bytes.end(), begin, begin + sizeof value);
}

// A table of texts, which begins with the empty one.
class Texts {
  public:
    u32 add(const std::string& text) {
        const u32 offset = static_cast<u32>(bytes_.size());
        bytes_.append(text.c_str(), text.size() + 1);
        return offset;
    }
    const std::string& bytes() const { return bytes_; }

  private:
    std::string bytes_ = std::string(1, '\0');
};

}  // namespace

std::vector<u8> kernel_symbol_file(const profile::LinuxKernel& kernel) {
    std::set<u64> functions;
    for (const profile::Symbol& symbol : kernel.functions().symbols())
        functions.insert(symbol.address);
    Texts texts;
    std::vector<Elf64_Sym> symbols(1);
    u64 first = kImageEnd, last = kImageBegin;
    for (const auto& [name, address] : kernel.addresses()) {
        if (address < kImageBegin || address >= kImageEnd)
            continue;
        const bool is_function = functions.contains(address);
        first = std::min(first, address);
        last = std::max(last, address);
        symbols.push_back({.st_name = texts.add(name),
                           .st_info = static_cast<unsigned char>(
                               ELF64_ST_INFO(STB_GLOBAL, is_function ? STT_FUNC : STT_OBJECT)),
                           .st_other = 0,
                           .st_shndx = is_function ? kText : kData,
                           .st_value = address,
                           .st_size = 0});
    }
    std::array<Elf64_Shdr, kSectionCount> sections{};
    Elf64_Shdr& text = sections[kText];
    text.sh_name = texts.add(".text");
    text.sh_type = SHT_NOBITS;
    text.sh_flags = SHF_ALLOC | SHF_EXECINSTR;
    text.sh_addr = first;
    text.sh_size = last - std::min(first, last) + 1;
    // Functions and data lie between each other: gdb goes by the sections of symbols.
    Elf64_Shdr& data = sections[kData];
    data = text;
    data.sh_name = texts.add(".data");
    data.sh_flags = SHF_ALLOC | SHF_WRITE;
    Elf64_Shdr& table = sections[kSymbols];
    table.sh_name = texts.add(".symtab");
    table.sh_type = SHT_SYMTAB;
    table.sh_offset = sizeof(Elf64_Ehdr) + sizeof sections;
    table.sh_size = symbols.size() * sizeof(Elf64_Sym);
    table.sh_link = kTexts;
    table.sh_info = 1;  // the first global one
    table.sh_addralign = 8;
    table.sh_entsize = sizeof(Elf64_Sym);
    Elf64_Shdr& names = sections[kTexts];
    names.sh_name = texts.add(".strtab");
    names.sh_type = SHT_STRTAB;
    names.sh_offset = table.sh_offset + table.sh_size;
    names.sh_size = texts.bytes().size();
    names.sh_addralign = 1;
    Elf64_Ehdr header{};
    std::copy_n(ELFMAG, SELFMAG, header.e_ident);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    header.e_type = ET_EXEC;
    header.e_machine = EM_X86_64;
    header.e_version = EV_CURRENT;
    header.e_shoff = sizeof header;
    header.e_ehsize = sizeof header;
    header.e_shentsize = sizeof(Elf64_Shdr);
    header.e_shnum = kSectionCount;
    header.e_shstrndx = kTexts;
    std::vector<u8> file;
    append(file, header);
    append(file, sections);
    for (const Elf64_Sym& symbol : symbols)
        append(file, symbol);
    file.insert(file.end(), texts.bytes().begin(), texts.bytes().end());
    return file;
}

}  // namespace uchronia::debug
