// FST, FSTP, FIST, FISTP, FISTTP, FBSTP (APM vol. 5).
//
// A memory destination is written before the unit changes, so that a page fault leaves no trace; an
// unmasked exception other than #P leaves memory and stack as they were, but the faults of the
// destination come before it, as on hardware.
#include "cpu/interp/handlers.h"
#include "cpu/interp/x87/convert.h"
#include "cpu/interp/x87/unit.h"

namespace uchronia::cpu::interp {
namespace x87 {
namespace {

enum class Pop : u8 { kNo, kYes };

constexpr u16 kPreventsStore = exception::kAll & ~exception::kPrecision;

struct ToSingle {
    using Bits = u32;
    static constexpr Bits kIndefiniteBits = 0xffc00000;
    static Bits convert(Context& c, const Number& n) { return to_single(c, n); }
};
struct ToDouble {
    using Bits = u64;
    static constexpr Bits kIndefiniteBits = 0xfff8000000000000;
    static Bits convert(Context& c, const Number& n) { return to_double(c, n); }
};
template <class Unsigned>
struct ToInteger {
    using Bits = Unsigned;
    static constexpr unsigned kBits = 8 * sizeof(Bits);
    static constexpr Bits kIndefiniteBits = static_cast<Bits>(u64{1} << (kBits - 1));
    static Bits convert(Context& c, const Number& n) {
        return static_cast<Bits>(to_integer(c, n, kBits, c.rounding()));
    }
};
template <class Unsigned>
struct ToTruncated : ToInteger<Unsigned> {
    static Unsigned convert(Context& c, const Number& n) {
        return static_cast<Unsigned>(to_integer(c, n, ToInteger<Unsigned>::kBits, Rounding::kZero));
    }
};

// Ends a store that has written what it had to.
void finish_store(VCPU& cpu, const Op* op, Context& c, Pop pop_after) {
    X87State& x = cpu.state.x87;
    note_memory(cpu, op);
    const bool stored = !c.unmasked(kPreventsStore);
    report(x, c, kPreventsStore);
    if (stored && pop_after == Pop::kYes)
        pop(x);
}

template <class Target, Pop pop_after>
[[gnu::noinline]] bool store(VCPU& cpu, const Op* op) {
    if (!waiting(cpu, op))
        return false;
    const X87State& x = cpu.state.x87;
    Context c{x.control};
    typename Target::Bits bits = Target::kIndefiniteBits;
    if (is_empty(x, 0))
        stack_fault(c, StackFault::kUnderflow);
    else
        bits = Target::convert(c, unpack(st(x, 0)));
    const u64 address = linear_address(cpu, op, Access::kWrite);
    const bool possible = c.unmasked(kPreventsStore) ? check_writable(cpu, op, address, sizeof bits)
                                                     : write_memory(cpu, op, address, bits);
    if (!possible)
        return false;
    finish_store(cpu, op, c, pop_after);
    return true;
}

bool store_ten_bytes(VCPU& cpu, const Op* op, Context& c, const Bytes10& bytes) {
    const u64 address = linear_address(cpu, op, Access::kWrite);
    const bool possible = c.unmasked(kPreventsStore) ? check_writable(cpu, op, address, 10)
                                                     : write_bytes(cpu, op, address, &bytes, 10);
    if (!possible)
        return false;
    finish_store(cpu, op, c, Pop::kYes);
    return true;
}

[[gnu::noinline]] bool store_extended(VCPU& cpu, const Op* op) {
    if (!waiting(cpu, op))
        return false;
    const X87State& x = cpu.state.x87;
    Context c{x.control};
    const Extended value = is_empty(x, 0) ? stack_fault(c, StackFault::kUnderflow) : st(x, 0);
    return store_ten_bytes(cpu, op, c, {value.mantissa, value.exponent});
}

[[gnu::noinline]] bool store_decimal(VCPU& cpu, const Op* op) {
    if (!waiting(cpu, op))
        return false;
    const X87State& x = cpu.state.x87;
    Context c{x.control};
    Decimal value = kIndefiniteDecimal;
    if (is_empty(x, 0))
        stack_fault(c, StackFault::kUnderflow);
    else
        value = to_decimal(c, unpack(st(x, 0)));
    return store_ten_bytes(cpu, op, c, {value.low, value.high});
}

template <Pop pop_after>
[[gnu::noinline]] bool store_register(VCPU& cpu, const Op* op) {
    if (!waiting(cpu, op))
        return false;
    note_instruction(cpu, op);
    X87State& x = cpu.state.x87;
    Context c{x.control};
    const Extended value = is_empty(x, 0) ? stack_fault(c, StackFault::kUnderflow) : st(x, 0);
    if (finish(x, c, st_operand(op), value) && pop_after == Pop::kYes)
        pop(x);
    return true;
}

// D9 D8+i: an empty ST(0) is no stack fault, and only pops.
[[gnu::noinline]] bool store_register_quietly(VCPU& cpu, const Op* op) {
    X87State& x = cpu.state.x87;
    if (!is_empty(x, 0))
        return store_register<Pop::kYes>(cpu, op);
    if (!waiting(cpu, op))
        return false;
    note_instruction(cpu, op);
    report(x, Context{x.control});
    pop(x);
    return true;
}

template <class Target, Pop pop_after>
constexpr HandlerSet kStore = always(run<store<Target, pop_after>>);

}  // namespace
}  // namespace x87

namespace handler {

using namespace x87;

const HandlerSet FST_m32 = kStore<ToSingle, Pop::kNo>;
const HandlerSet FSTP_m32 = kStore<ToSingle, Pop::kYes>;
const HandlerSet FST_m64 = kStore<ToDouble, Pop::kNo>;
const HandlerSet FSTP_m64 = kStore<ToDouble, Pop::kYes>;
const HandlerSet FSTP_m80 = always(run<store_extended>);
const HandlerSet FST_STi = always(run<store_register<Pop::kNo>>);
const HandlerSet FSTP_STi = always(run<store_register<Pop::kYes>>);
const HandlerSet FSTP1_STi = always(run<store_register_quietly>);
const HandlerSet FSTP8_STi = always(run<store_register<Pop::kYes>>);
const HandlerSet FSTP9_STi = always(run<store_register<Pop::kYes>>);

const HandlerSet FIST_m16 = kStore<ToInteger<u16>, Pop::kNo>;
const HandlerSet FIST_m32 = kStore<ToInteger<u32>, Pop::kNo>;
const HandlerSet FISTP_m16 = kStore<ToInteger<u16>, Pop::kYes>;
const HandlerSet FISTP_m32 = kStore<ToInteger<u32>, Pop::kYes>;
const HandlerSet FISTP_m64 = kStore<ToInteger<u64>, Pop::kYes>;
const HandlerSet FISTTP_m16 = kStore<ToTruncated<u16>, Pop::kYes>;
const HandlerSet FISTTP_m32 = kStore<ToTruncated<u32>, Pop::kYes>;
const HandlerSet FISTTP_m64 = kStore<ToTruncated<u64>, Pop::kYes>;
const HandlerSet FBSTP_m80 = always(run<store_decimal>);

}  // namespace handler
}  // namespace uchronia::cpu::interp
