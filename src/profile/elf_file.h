// An ELF file taken apart as far as a profiler needs it: where its bytes are mapped, its functions,
// and its call frame information. The bytes may be anything.
//
// Source: System V ABI, chapters 4 and 5; AMD64 supplement.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "profile/bytes.h"
#include "profile/symbol_table.h"

namespace uchronia::profile {

class ELFFile {
  public:
    struct Section {
        std::string name;
        u32 type = 0;
        u64 address = 0, offset = 0, size = 0;
        u32 link = 0;
    };

    // A 64-bit x86 ELF file; the error says what else it is.
    static Result<ELFFile> parse(std::vector<u8> bytes);

    Bytes bytes() const { return bytes_; }
    // The address, as the file has it, of a byte of the file that is mapped as code or data.
    std::optional<u64> address_of(u64 file_offset) const;
    const SymbolTable& symbols() const { return symbols_; }
    // The section with the name, or null; its bytes, which are none for one without.
    const Section* section(std::string_view name) const;
    Bytes contents(const Section& section) const;
    // In lower-case hexadecimal; empty if there is none.
    const std::string& build_id() const { return build_id_; }

    // Adds the functions that another file has of the same program (a .debug file).
    void add_symbols_of(const ELFFile& other);

  private:
    struct Segment {
        u64 offset, address, size;
        bool executable;
    };

    ELFFile() = default;
    Status parse_headers();
    bool parse_sections(u64 offset, u64 count, u64 names_index);
    void parse_symbols(const Section& table);
    void parse_build_id(Bytes notes);

    std::vector<u8> bytes_;
    std::vector<Segment> segments_;
    std::vector<Section> sections_;
    SymbolTable symbols_;
    std::string build_id_;
};

}  // namespace uchronia::profile
