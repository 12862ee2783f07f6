// DWARF expressions, as far as call frame information uses them, over a guest's registers and
// memory. An expression may be anything: what is not known or makes no sense has no value.
//
// Sources: DWARF 5, 2.5 and 7.7; AMD64 ABI, figure 3.36 (register numbers).
#pragma once

#include <optional>

#include "profile/bytes.h"
#include "profile/guest_view.h"
#include "profile/registers.h"

namespace uchronia::profile {

// By DWARF's number; 16 is the return address.
std::optional<u64> dwarf_register(const Registers& registers, u64 number);
void set_dwarf_register(Registers& registers, u64 number, u64 value);

// `initial` is on the stack at first, if there is one.
std::optional<u64> evaluate(GuestView& view, Bytes expression, const Registers& registers,
                            std::optional<u64> initial);

}  // namespace uchronia::profile
