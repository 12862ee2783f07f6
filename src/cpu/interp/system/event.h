// What is being delivered: an exception or interrupt on its way to its handler.
#pragma once

#include "cpu/fault.h"

namespace uchronia::cpu::interp {

enum class Source : u8 { kException, kExternal, kSoftware };

// Error code bits beyond a selector (APM vol. 2, 8.4.1).
constexpr u32 kExternalEvent = 1;
constexpr u32 kIDT = 2;

struct Event {
    u8 vector;
    Source source;
    bool check_dpl;
    bool has_error_code;
    u32 error_code;
    u64 return_rip;
    u64 pushed_flags;

    u32 external() const { return source == Source::kSoftware ? 0 : kExternalEvent; }
    u32 gate_error() const { return vector * 8u | kIDT | external(); }
};

}  // namespace uchronia::cpu::interp
