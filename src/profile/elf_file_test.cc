#include "profile/elf_file.h"

#include <elf.h>
#include <gtest/gtest.h>

#include "profile/frame_table.h"
#include "profile/testing.h"

namespace uchronia::profile {
namespace {

using testing::Builder;

constexpr u64 kCodeOffset = 0x1000, kCodeAddress = 0x401000, kCodeSize = 0x200;

struct Names {
    Builder bytes;
    u32 add(std::string_view name) {
        const u32 offset = static_cast<u32>(bytes.size());
        bytes.text(name);
        return offset;
    }
};

Elf64_Sym symbol(u32 name, unsigned binding, unsigned type, u64 address, u64 size) {
    Elf64_Sym result{};
    result.st_name = name;
    result.st_info = static_cast<u8>(ELF64_ST_INFO(binding, type));
    result.st_shndx = 1;
    result.st_value = address;
    result.st_size = size;
    return result;
}

Elf64_Shdr section(u32 name, u32 type, u64 offset, u64 size, u32 link) {
    Elf64_Shdr result{};
    result.sh_name = name;
    result.sh_type = type;
    result.sh_offset = offset;
    result.sh_size = size;
    result.sh_link = link;
    return result;
}

// One segment of code, and three symbols: two names of one function, and a label.
std::vector<u8> sample() {
    Names texts;
    texts.bytes.text("");
    Builder symbols;
    symbols.add(symbol(texts.add("__write"), STB_GLOBAL, STT_FUNC, kCodeAddress, 0x40));
    symbols.add(symbol(texts.add("write"), STB_GLOBAL, STT_FUNC, kCodeAddress, 0x40));
    symbols.add(symbol(texts.add("label"), STB_LOCAL, STT_NOTYPE, kCodeAddress + 0x100, 0));
    Builder note;
    note.add(u32{4}).add(u32{4}).add(u32{NT_GNU_BUILD_ID}).text("GNU").add(u32{0x78563412});

    Elf64_Ehdr header{};
    std::copy_n(ELFMAG, SELFMAG, header.e_ident);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_machine = EM_X86_64;
    header.e_phoff = sizeof header;
    header.e_phnum = 1;
    Elf64_Phdr segment{};
    segment.p_type = PT_LOAD;
    segment.p_flags = PF_R | PF_X;
    segment.p_offset = kCodeOffset;
    segment.p_vaddr = kCodeAddress;
    segment.p_filesz = kCodeSize;

    const u32 text_name = texts.add(".text");
    const u64 symbols_at = kCodeOffset + kCodeSize, texts_at = symbols_at + symbols.size(),
              note_at = align_up(texts_at + texts.bytes.size(), 8);
    const Elf64_Shdr sections[] = {
        section(0, SHT_NULL, 0, 0, 0),
        section(text_name, SHT_PROGBITS, kCodeOffset, kCodeSize, 0),
        section(0, SHT_SYMTAB, symbols_at, symbols.size(), 3),
        section(0, SHT_STRTAB, texts_at, texts.bytes.size(), 0),
        section(0, SHT_NOTE, note_at, note.size(), 0),
    };
    header.e_shoff = note_at + align_up(note.size(), 8);
    header.e_shnum = std::size(sections);
    header.e_shstrndx = 3;

    Builder file;
    file.add(header).add(segment);
    file.bytes.resize(kCodeOffset + kCodeSize);
    file.append(symbols.bytes).append(texts.bytes.bytes).align(8).append(note.bytes).align(8);
    for (const Elf64_Shdr& one : sections)
        file.add(one);
    return file.bytes;
}

TEST(ELFFile, NamesFunctionsByFileOffset) {
    const Result<ELFFile> file = ELFFile::parse(sample());
    ASSERT_TRUE(file.ok()) << file.error().message;
    const std::optional<u64> address = file->address_of(kCodeOffset + 0x10);
    ASSERT_EQ(address, kCodeAddress + 0x10);
    ASSERT_NE(file->symbols().find(*address), nullptr);
    EXPECT_EQ(file->symbols().find(*address)->name, "write");
    EXPECT_EQ(file->symbols().find(kCodeAddress + 0x40), nullptr);
    ASSERT_NE(file->symbols().find(kCodeAddress + 0x108), nullptr);
    EXPECT_EQ(file->symbols().find(kCodeAddress + 0x108)->name, "label");
    EXPECT_EQ(file->symbols().find(kCodeAddress - 1), nullptr);
    EXPECT_EQ(file->address_of(kCodeOffset + kCodeSize), std::nullopt);
    EXPECT_EQ(file->build_id(), "12345678");
    EXPECT_NE(file->section(".text"), nullptr);
}

TEST(ELFFile, SaysWhatIsNoSuchFile) {
    EXPECT_FALSE(ELFFile::parse({}).ok());
    std::vector<u8> bytes = sample();
    bytes[EI_CLASS] = ELFCLASS32;
    const Result<ELFFile> file = ELFFile::parse(bytes);
    ASSERT_FALSE(file.ok());
    EXPECT_EQ(file.error().message, "not a 64-bit x86 ELF file");
}

TEST(ELFFile, TakesAnyBytes) {
    testing::damage(sample(), [](std::vector<u8> bytes) {
        const Result<ELFFile> file = ELFFile::parse(std::move(bytes));
        if (!file)
            return;
        (void)file->address_of(kCodeOffset + 0x10);
        (void)file->symbols().find(kCodeAddress);
        (void)file->section(".text");
    });
}

TEST(SymbolTable, DemanglesNamesOfCPlusPlusAlone) {
    EXPECT_EQ(demangled("_ZN3abc3defEi"), "abc::def(int)");
    EXPECT_EQ(demangled("_Z"), "_Z");
    EXPECT_EQ(demangled("main"), "main");
}

}  // namespace
}  // namespace uchronia::profile
