// The call frame information of an ELF file (.eh_frame): where, at each of its instructions, the
// caller's registers are. The bytes may be anything.
//
// Sources: DWARF 5, 6.4 (call frame information); Linux Standard Base Core 5.0, 10.6 (.eh_frame);
// AMD64 ABI, 3.7.2 (register numbers).
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "profile/bytes.h"
#include "profile/guest_view.h"
#include "profile/registers.h"

namespace uchronia::profile {

class FrameTable {
  public:
    FrameTable() = default;
    // `section` are the bytes of .eh_frame, which is at `address`; they must outlive the result.
    FrameTable(Bytes section, u64 address);

    // Where the function that has the instruction begins.
    std::optional<u64> function_start(u64 address) const;

    enum class Kind : u8 { kCall, kSignal };
    // One step outwards from the instruction at `address`, as the file has it. False if that cannot
    // be found out; then `registers` are as they were. `kind` tells whether the caller called, or
    // was interrupted where it now stands.
    bool step(GuestView& view, u64 address, Registers& registers, Kind& kind) const;

  private:
    struct Function {
        u64 begin, size;
        u64 instructions, instructions_end;  // offsets in the section
        u32 common;
    };
    // What functions share.
    struct Common {
        u64 code_factor = 1;
        i64 data_factor = 1;
        u64 return_register = 16;
        u64 instructions = 0, instructions_end = 0;
        u8 pointer_encoding = 0;
        bool signal = false;
        bool has_augmentation = false;
    };

    bool read_common(u64 offset, Common& common) const;
    void add_function(u64 offset, u64 end, u64 common_offset);
    std::optional<u32> common_at(u64 offset);
    const Function* find(u64 address) const;

    Bytes section_;
    u64 address_ = 0;
    std::vector<Function> functions_;  // by address
    std::vector<Common> commons_;
    std::map<u64, std::optional<u32>> common_indexes_;  // by offset; nothing: damaged
};

}  // namespace uchronia::profile
