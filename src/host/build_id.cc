#include "host/build_id.h"

#include <elf.h>
#include <link.h>

#include <cstring>

namespace uchronia::host {
namespace {

constexpr std::size_t kNoteAlignment = 4;

std::size_t aligned(std::size_t size) {
    return (size + kNoteAlignment - 1) & ~(kNoteAlignment - 1);
}

std::span<const u8> find_in_notes(const u8* notes, std::size_t size) {
    while (size >= sizeof(ElfW(Nhdr))) {
        ElfW(Nhdr) note;
        std::memcpy(&note, notes, sizeof note);
        const std::size_t name = sizeof note, contents = name + aligned(note.n_namesz);
        const std::size_t end = contents + aligned(note.n_descsz);
        if (end > size)
            break;
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
            std::memcmp(notes + name, "GNU", 4) == 0)
            return {notes + contents, note.n_descsz};
        notes += end;
        size -= end;
    }
    return {};
}

// The first object is the program itself.
int find_in_object(dl_phdr_info* object, std::size_t, void* found) {
    for (unsigned i = 0; i < object->dlpi_phnum; ++i) {
        const ElfW(Phdr)& header = object->dlpi_phdr[i];
        if (header.p_type != PT_NOTE)
            continue;
        const auto id = find_in_notes(
            reinterpret_cast<const u8*>(object->dlpi_addr + header.p_vaddr), header.p_memsz);
        if (!id.empty())
            *static_cast<std::span<const u8>*>(found) = id;
    }
    return 1;
}

}  // namespace

std::span<const u8> build_id() {
    std::span<const u8> found;
    ::dl_iterate_phdr(find_in_object, &found);
    return found;
}

}  // namespace uchronia::host
