#include "tests/witness/vendors.h"

#include <cpuid.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string_view>

#include "cpu/fault.h"
#include "cpu/state.h"

namespace uchronia::witness {

using namespace cpu;

namespace {

bool has_any(std::string_view text, std::initializer_list<std::string_view> parts) {
    return std::any_of(parts.begin(), parts.end(), [&](std::string_view part) {
        return text.find(part) != std::string_view::npos;
    });
}

bool is_fault(const Outcome& outcome, Vector vector) {
    return outcome.faulted && outcome.vector == static_cast<u8>(vector);
}

// The model is an AMD processor, mostly.
bool host_is_amd() {
    static const bool answer = [] {
        constexpr unsigned kHygon = 0x6f677948;  // whose processors are AMD's designs
        unsigned a = 0, b = 0, c = 0, d = 0;
        __get_cpuid(0, &a, &b, &c, &d);
        return b == signature_AMD_ebx || b == kHygon;
    }();
    return answer;
}

// Intel's check operands of 16 and 32 bytes only where they must be aligned.
bool is_unchecked_alignment(std::string_view name, const Outcome& native, const Outcome& guest) {
    return is_fault(guest, Vector::kAC) && !is_fault(native, Vector::kAC) &&
           has_any(name, {"_Wdq", "_Wqq", "_Wx", "_Wps", "_Wpd", "_Mdq", "_Mqq", "_Mx"});
}

// With a repeat prefix, Intel's
//   - zero-extend the registers of a 32-bit address also if nothing was done;
//   - have the flags from before the instruction at a fault between two comparisons.
bool is_repeat_difference(const Case& c, std::string_view name, const Outcome& native) {
    if ((c.decoded.op.flags & (op_flag::kRep | op_flag::kRepne)) == 0)
        return false;
    if ((c.decoded.op.flags & op_flag::kAddress32) != 0 &&
        (native.faulted || static_cast<u32>(c.before.gpr[kRCX]) == 0))
        return true;
    return native.faulted && has_any(name, {"CMPS_", "SCAS_"});
}

// Where a store cannot be done, Intel's have already entered the MMX state, set the flags of the
// conversion in MXCSR, stored the first 8 bytes of 10, or found an unmasked x87
// exception, which keeps it from being tried. A gather has made its mask all ones or zeros. A
// masked store names the first byte that it would have changed.
bool is_difference_at_fault(const Case& c, std::string_view name, const Outcome& native,
                            const Outcome& guest) {
    constexpr u16 kAllMasked = 0x3f;
    if (guest.faulted && !native.faulted)
        return name.starts_with("F") && (c.before.fx.fcw & kAllMasked) != kAllMasked;
    return native.faulted &&
           has_any(name, {"_Ey_Pq", "_Qq_Pq", "_Mq_Pq", "VCVTPS2PH", "_m80", "GATHER", "MASKMOV"});
}

template <class T>
bool differ_in_nans_only(const void* one, const void* other, std::size_t bytes) {
    for (std::size_t at = 0; at < bytes; at += sizeof(T)) {
        T a, b;
        std::memcpy(&a, static_cast<const u8*>(one) + at, sizeof a);
        std::memcpy(&b, static_cast<const u8*>(other) + at, sizeof b);
        if (std::memcmp(&a, &b, sizeof a) != 0 && !(std::isnan(a) && std::isnan(b)))
            return false;
    }
    return true;
}

// Which of several NaNs a dot product is.
bool is_other_nan(const InstructionRow& row, const Outcome& native, const Outcome& guest) {
    if (row.host != HostPolicy::kNaNChoice || native.faulted || guest.faulted)
        return false;
    const auto differs = [&](auto compare) {
        return compare(&native.state.fx.xmm, &guest.state.fx.xmm, sizeof native.state.fx.xmm) &&
               compare(&native.state.upper, &guest.state.upper, sizeof native.state.upper);
    };
    return row.name.find("DPPS") != std::string_view::npos ? differs(differ_in_nans_only<float>)
                                                           : differs(differ_in_nans_only<double>);
}

}  // namespace

bool is_vendor_difference(const Case& c, const Outcome& native, const Outcome& guest) {
    // AMD's misaligned SSE mode: reserved in our model, as on Intel.
    constexpr u32 kMisalignedMode = 1u << 17;
    if ((native.state.fx.mxcsr & kMisalignedMode) != 0)
        return true;
    // MOVSXD of 16 bits reads 4 bytes on AMD, 2 on Intel and here.
    if (native.faulted && c.decoded.instruction == Instruction::MOVSXD_Gv_Ed &&
        c.decoded.operand_size == 2)
        return true;
    if (host_is_amd())
        return false;
    const InstructionRow& row = row_of(c.decoded.instruction);
    const std::string_view name = row.name;
    return is_unchecked_alignment(name, native, guest) || is_repeat_difference(c, name, native) ||
           is_difference_at_fault(c, name, native, guest) || is_other_nan(row, native, guest);
}

}  // namespace uchronia::witness
