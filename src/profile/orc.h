// ORC, the Linux kernel's own tables for walking its stacks: for each code address, where the
// caller's stack pointer, frame pointer and return address are.
//
// Source: the kernel's arch/x86/include/asm/orc_types.h and arch/x86/kernel/unwind_orc.c. Where the
// parts of an entry lie comes from BTF, as it has changed between versions.
#pragma once

#include <optional>
#include <vector>

#include "profile/btf.h"
#include "profile/guest_view.h"
#include "profile/registers.h"

namespace uchronia::profile {

struct ORCLayout {
    u64 entry_size = 0;  // bytes, at most 8
    u64 sp_offset = 0, bp_offset = 0;
    BTF::Member sp_register, bp_register, type;
    std::optional<BTF::Member> end;  // before 6.4; then there is a type for it

    static std::optional<ORCLayout> from(const BTF& types);
};

class ORCTable {
  public:
    ORCTable() = default;
    // `ips` and `entries` are guest addresses of `count` elements each.
    static ORCTable read(GuestView& view, const ORCLayout& layout, u64 ips, u64 entries, u64 count);

    // The raw entry that holds for an address.
    std::optional<u64> find(u64 address) const;

  private:
    struct Entry {
        u64 address;
        u64 raw;
    };
    std::vector<Entry> entries_;  // by address
};

enum class KernelStep : u8 {
    kEnd,     // the stack ends here, or cannot be followed
    kCall,    // `registers` are the caller's, at a return address
    kSignal,  // `registers` are those of what was interrupted
};

// One step outwards from code that the table's entry holds for.
KernelStep step_by_orc(GuestView& view, const ORCLayout& layout, u64 entry, Registers& registers,
                       bool& user);

}  // namespace uchronia::profile
