// Descriptors and what loads them: segment registers, LDTR, TR, far transfers, the TSS.
//
// Every function returns false with the exit recorded in the VCPU (a fault of `op`), and then has
// changed nothing that an instruction can see. `op` is null when the CPU itself loads (deliveries).
// There are no task switches. In real mode a segment register takes its base from the selector.
//
// Source: APM vol. 2, 4 (segmented virtual memory), 12.2.4 (legacy TSS) and 12.2.5 (64-bit TSS).
#pragma once

#include "cpu/flat_segments.h"
#include "cpu/vcpu.h"

namespace uchronia::cpu::interp {

// Attribute bits of code, data and system descriptors beyond Segment's own (APM vol. 2, 4.7).
namespace descriptor {
inline constexpr u16 kAccessed = 1u << 0;
inline constexpr u16 kWritable = 1u << 1;    // data
inline constexpr u16 kReadable = 1u << 1;    // code
inline constexpr u16 kConforming = 1u << 2;  // code
inline constexpr u16 kCode = 1u << 3;
inline constexpr u16 kNotSystem = 1u << 4;  // the S bit: code or data
inline constexpr u16 kTypeMask = 0xf;

// System types of long mode.
inline constexpr u16 kLDT = 2, kAvailableTSS = 9, kBusyTSS = 11, kCallGate = 12,
                     kInterruptGate = 14, kTrapGate = 15;
// Those that exist outside it only. (12, 14 and 15 are 32-bit gates then, 9 and 11 a 32-bit TSS.)
inline constexpr u16 kAvailableTSS16 = 1, kBusyTSS16 = 3, kCallGate16 = 4, kTaskGate = 5,
                     kInterruptGate16 = 6, kTrapGate16 = 7;

using namespace cpu::descriptor;  // what SYSCALL, SYSRET and resets put into the hidden part
}  // namespace descriptor

// Selector fields.
inline constexpr u16 kSelectorRPL = 3;
inline constexpr u16 kSelectorTI = 4;
constexpr bool is_null(u16 selector) {
    return (selector & ~kSelectorRPL) == 0;
}

// A descriptor as it stands in a table.
struct Descriptor {
    u64 low = 0;
    u64 high = 0;     // upper half of a 16-byte (system) descriptor
    u64 address = 0;  // linear, of the first byte

    u16 attributes() const {
        return static_cast<u16>(((low >> 40) & 0xff) | ((low >> 44) & 0xf00));
    }
    u16 type() const { return attributes() & descriptor::kTypeMask; }
    unsigned dpl() const { return (attributes() >> 5) & 3u; }
    bool present() const { return (attributes() & Segment::kPresent) != 0; }
    bool is_system() const { return (attributes() & descriptor::kNotSystem) == 0; }
    bool is_code() const { return !is_system() && (attributes() & descriptor::kCode) != 0; }
    bool is_data() const { return !is_system() && (attributes() & descriptor::kCode) == 0; }
    bool is_conforming_code() const {
        return is_code() && (attributes() & descriptor::kConforming) != 0;
    }
    u32 base32() const {
        return static_cast<u32>(((low >> 16) & 0xffffff) | ((low >> 32) & 0xff000000));
    }
    u64 base64() const { return base32() | (high << 32); }
    // In bytes: the granularity is applied.
    u32 limit() const {
        const u32 raw = static_cast<u32>((low & 0xffff) | ((low >> 32) & 0xf0000));
        return (attributes() & Segment::kGranular) != 0 ? (raw << 12) | 0xfff : raw;
    }
    Segment segment(u16 selector) const { return {base32(), limit(), selector, attributes()}; }

    // Gates.
    u64 gate_offset() const { return (low & 0xffff) | ((low >> 32) & 0xffff0000) | (high << 32); }
    u16 gate_selector() const { return static_cast<u16>(low >> 16); }
    unsigned gate_stack_index() const { return static_cast<unsigned>((low >> 32) & 7); }
    // Of the 8-byte gates.
    u32 legacy_gate_offset() const {
        const u32 offset = static_cast<u32>((low & 0xffff) | ((low >> 32) & 0xffff0000));
        return is_wide_gate() ? offset : offset & 0xffff;
    }
    unsigned gate_parameter_count() const { return static_cast<unsigned>((low >> 32) & 31); }
    bool is_wide_gate() const { return (type() & 8) != 0; }
};

enum class Lookup : u8 { kFound, kOutside, kExit };
enum class DescriptorSize : u8 { k8 = 8, k16 = 16 };

// Reads the descriptor of a selector that is not null. kOutside: beyond the table's limit (nothing
// is recorded); kExit: the read itself faulted.
Lookup find_descriptor(VCPU& cpu, const Op* op, u16 selector, DescriptorSize size,
                       Descriptor& found);

// As above, with #GP(selector + external) for kOutside.
bool read_descriptor(VCPU& cpu, const Op* op, u16 selector, DescriptorSize size, Descriptor& found,
                     u32 external = 0);

// Sets the accessed bit of a code or data descriptor in its table, if it is clear there.
bool mark_accessed(VCPU& cpu, const Op* op, Descriptor& descriptor);

// MOV and POP to ES, SS, DS, FS, GS, with all checks. SS does not set the interrupt shadow.
bool load_segment(VCPU& cpu, const Op* op, SegmentRegister index, u16 selector);

// How a code segment is entered, which decides what is allowed and what the new CPL is.
enum class Transfer : u8 {
    kDirect,    // far JMP and CALL of a code segment: CPL stays
    kGateJump,  // JMP through a call gate: CPL stays; in long mode, 64-bit code only
    kGate,      // CALL through a call gate, interrupts: may go inwards; the same
    kReturn,    // far RET and IRET: to the selector's RPL, may go outwards
};
// All checks of the code segment; `code` gets it with its selector's RPL equal to the new CPL.
bool check_code_segment(VCPU& cpu, const Op* op, u16 selector, Transfer transfer, Segment& code,
                        u32 external = 0);
// SS of a far return to `new_cpl`; a null selector gives an unusable segment where that is allowed.
bool check_return_stack(VCPU& cpu, const Op* op, u16 selector, unsigned new_cpl, bool code_is_long,
                        Segment& stack);
// After a return to an outer privilege level: nulls the data segments it may not use.
void drop_inner_segments(CPUState& state);

bool load_ldtr(VCPU& cpu, const Op* op, u16 selector);
bool load_tr(VCPU& cpu, const Op* op, u16 selector);

// SS and rSP of a 16-bit or 32-bit TSS.
bool read_legacy_tss_stack(VCPU& cpu, const Op* op, unsigned privilege, u16& selector, u32& pointer,
                           u32 external = 0);
// The stack segment for an inner privilege level: #TS where check_return_stack gives #GP.
bool check_inner_stack(VCPU& cpu, const Op* op, u16 selector, unsigned new_cpl, Segment& stack,
                       u32 external = 0);

// What a segment register becomes by a selector in real mode.
Segment real_mode_segment(const Segment& old, u16 selector);

// RSP0-RSP2 and IST1-IST7 of the 64-bit TSS; #TS(TR selector + external) beyond its limit.
bool read_tss_stack(VCPU& cpu, const Op* op, unsigned privilege, u64& rsp, u32 external = 0);
bool read_tss_ist(VCPU& cpu, const Op* op, unsigned ist, u64& rsp, u32 external = 0);

// IOPL and the I/O permission bitmap (APM vol. 2, 12.2.4); #GP(0) if the ports are not allowed.
bool check_port_permission(VCPU& cpu, const Op* op, u16 port, unsigned size);

}  // namespace uchronia::cpu::interp
