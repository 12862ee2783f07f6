// The rules by which a caller's registers are found, as the instructions of call frame information
// build them up (DWARF 5, 6.4.2), and their application.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "profile/bytes.h"
#include "profile/dwarf_reader.h"
#include "profile/guest_view.h"
#include "profile/registers.h"

namespace uchronia::profile {

class FrameRules {
  public:
    // By DWARF's register numbers: the 16 general registers and the return address.
    static constexpr u64 kRegisterCount = 17;

    FrameRules(Bytes section, u64 address, u64 code_factor, i64 data_factor)
        : section_(section),
          address_(address),
          code_factor_(code_factor),
          data_factor_(data_factor) {}

    // Executes the instructions in [offset, end) of the section, as far as they hold for `target`,
    // in a function that starts at `location`. False if one is not known or is damaged.
    bool run(u64 offset, u64 end, u64 location, u64 target);
    // What the common part gave is what DW_CFA_restore goes back to.
    void keep_as_initial() { initial_ = row_; }

    // Replaces the registers by the caller's. False if the rules do not give all that is needed.
    bool apply(GuestView& view, u64 return_register, Registers& registers) const;

  private:
    enum class How : u8 { kSame, kUndefined, kAt, kValue, kRegister, kAtExpression, kExpression };
    struct Rule {
        How how = How::kSame;
        i64 offset = 0;  // from the frame's address
        u64 from = 0;    // register
        Bytes expression{};
    };
    struct Row {
        // The frame's address (CFA): a register and an offset, or an expression.
        u64 base = 7;
        i64 offset = 8;
        Bytes expression{};
        std::array<Rule, kRegisterCount> rules{};
    };

    bool execute(u8 opcode, DWARFReader& reader);
    bool execute_frame_address(u8 opcode, DWARFReader& reader);
    bool execute_register(u8 opcode, DWARFReader& reader);
    void set(u64 number, const Rule& rule);
    i64 factored(u64 offset) const { return static_cast<i64>(offset) * data_factor_; }
    std::optional<u64> value_of(GuestView& view, const Rule& rule, u64 frame, u64 old,
                                const Registers& registers) const;

    Bytes section_;
    u64 address_;
    u64 code_factor_;
    i64 data_factor_;
    u64 location_ = 0;
    Row row_, initial_;
    std::vector<Row> stack_;
};

}  // namespace uchronia::profile
