// Operations on ST(0), alone or with ST(1): FCHS, FABS, FSQRT, FRNDINT, FSCALE, FXTRACT, FPREM,
// FPREM1 and the transcendental functions (APM vol. 5).
#include "cpu/interp/handlers.h"
#include "cpu/interp/x87/arithmetic.h"
#include "cpu/interp/x87/remainder.h"
#include "cpu/interp/x87/transcendental.h"
#include "cpu/interp/x87/unit.h"

namespace uchronia::cpu::interp {
namespace x87 {
namespace {

// ST(0) = function(ST(0)), for functions of one Number.
template <Extended (*function)(Context&, const Number&)>
[[gnu::noinline]] bool unary(VCPU& cpu, const Op* op) {
    if (!waiting(cpu, op))
        return false;
    note_instruction(cpu, op);
    X87State& x = cpu.state.x87;
    Context c{x.control};
    const Extended result =
        is_empty(x, 0) ? stack_fault(c, StackFault::kUnderflow) : function(c, unpack(st(x, 0)));
    finish(x, c, 0, result);
    return true;
}

// FCHS and FABS take any encoding and raise nothing.
template <u16 keep, u16 flip>
[[gnu::noinline]] bool change_sign(VCPU& cpu, const Op* op) {
    if (!waiting(cpu, op))
        return false;
    note_instruction(cpu, op);
    X87State& x = cpu.state.x87;
    Context c{x.control};
    Extended result = st(x, 0);
    result.exponent = static_cast<u16>((result.exponent & keep) ^ flip);
    if (is_empty(x, 0))
        result = stack_fault(c, StackFault::kUnderflow);
    finish(x, c, 0, result);
    return true;
}

bool either_empty(const X87State& x) {
    return is_empty(x, 0) || is_empty(x, 1);
}

// ST(1) = function(ST(1), ST(0)), then pop.
template <Extended (*function)(Context&, const Number&, const Number&)>
[[gnu::noinline]] bool binary_pop(VCPU& cpu, const Op* op) {
    if (!waiting(cpu, op))
        return false;
    note_instruction(cpu, op);
    X87State& x = cpu.state.x87;
    Context c{x.control};
    const Extended result = either_empty(x) ? stack_fault(c, StackFault::kUnderflow)
                                            : function(c, unpack(st(x, 1)), unpack(st(x, 0)));
    if (finish(x, c, 1, result))
        pop(x);
    return true;
}

[[gnu::noinline]] bool scale_st0(VCPU& cpu, const Op* op) {
    if (!waiting(cpu, op))
        return false;
    note_instruction(cpu, op);
    X87State& x = cpu.state.x87;
    Context c{x.control};
    const Extended result = either_empty(x) ? stack_fault(c, StackFault::kUnderflow)
                                            : scale(c, unpack(st(x, 0)), unpack(st(x, 1)));
    finish(x, c, 0, result);
    return true;
}

template <Quotient quotient>
[[gnu::noinline]] bool remainder_st0(VCPU& cpu, const Op* op) {
    if (!waiting(cpu, op))
        return false;
    note_instruction(cpu, op);
    X87State& x = cpu.state.x87;
    Context c{x.control};
    if (either_empty(x)) {
        finish(x, c, 0, stack_fault(c, StackFault::kUnderflow));
        set_conditions(x, status::kC2, 0);
        return true;
    }
    const Remainder r = remainder(c, unpack(st(x, 0)), unpack(st(x, 1)), quotient);
    if (!finish(x, c, 0, r.value) || !r.has_quotient) {
        set_conditions(x, status::kC2, 0);
        return true;
    }
    const auto bit = [&r](unsigned index, u16 flag) -> u16 {
        return ((r.quotient >> index) & 1) != 0 ? flag : 0;
    };
    const u16 conditions = bit(2, status::kC0) | bit(1, status::kC3) | bit(0, status::kC1);
    set_conditions(x, status::kConditions, conditions | (r.incomplete ? status::kC2 : 0));
    return true;
}

// Replaces ST(0) by one result and pushes another. True if the stack does not allow it: then its
// fault is in the Context.
bool cannot_replace_and_push(const X87State& x, Context& c) {
    if (is_empty(x, 0))
        stack_fault(c, StackFault::kUnderflow);
    else if (!is_empty(x, 7))
        stack_fault(c, StackFault::kOverflow);
    return c.stack_fault;
}

void replace_and_push(X87State& x, const Context& c, const Extended& replaced,
                      const Extended& pushed) {
    if (finish(x, c, 0, replaced))
        push(x, pushed);
}

[[gnu::noinline]] bool extract_st0(VCPU& cpu, const Op* op) {
    if (!waiting(cpu, op))
        return false;
    note_instruction(cpu, op);
    X87State& x = cpu.state.x87;
    Context c{x.control};
    Extracted result{kIndefinite, kIndefinite};
    if (!cannot_replace_and_push(x, c))
        result = extract(c, unpack(st(x, 0)));
    replace_and_push(x, c, result.exponent, result.significand);
    return true;
}

// C2 tells that a trigonometric operand was out of range, and nothing was done.
void set_out_of_range(X87State& x, bool out_of_range) {
    set_conditions(x, status::kC2 | status::kC1, out_of_range ? status::kC2 : 0);
}

template <Wanted wanted>
[[gnu::noinline]] bool sine_or_cosine(VCPU& cpu, const Op* op) {
    if (!waiting(cpu, op))
        return false;
    note_instruction(cpu, op);
    X87State& x = cpu.state.x87;
    Context c{x.control};
    SineCosine r{kIndefinite, kIndefinite, false};
    if (is_empty(x, 0))
        stack_fault(c, StackFault::kUnderflow);
    else
        r = sine_cosine(c, unpack(st(x, 0)), wanted);
    set_out_of_range(x, r.out_of_range);
    if (!r.out_of_range)
        finish(x, c, 0, wanted == Wanted::kSine ? r.sine : r.cosine);
    return true;
}

[[gnu::noinline]] bool sine_and_cosine(VCPU& cpu, const Op* op) {
    if (!waiting(cpu, op))
        return false;
    note_instruction(cpu, op);
    X87State& x = cpu.state.x87;
    Context c{x.control};
    SineCosine r{kIndefinite, kIndefinite, false};
    if (!cannot_replace_and_push(x, c))
        r = sine_cosine(c, unpack(st(x, 0)), Wanted::kBoth);
    set_out_of_range(x, r.out_of_range);
    if (!r.out_of_range)
        replace_and_push(x, c, r.sine, r.cosine);
    return true;
}

[[gnu::noinline]] bool tangent(VCPU& cpu, const Op* op) {
    if (!waiting(cpu, op))
        return false;
    note_instruction(cpu, op);
    X87State& x = cpu.state.x87;
    Context c{x.control};
    Tangent r{kIndefinite, kIndefinite, false};
    if (!cannot_replace_and_push(x, c))
        r = partial_tangent(c, unpack(st(x, 0)));
    set_out_of_range(x, r.out_of_range);
    if (!r.out_of_range)
        replace_and_push(x, c, r.tangent, r.one);
    return true;
}

}  // namespace
}  // namespace x87

namespace handler {

using namespace x87;

const HandlerSet FCHS = always(run<change_sign<0xffff, 0x8000>>);
const HandlerSet FABS = always(run<change_sign<0x7fff, 0>>);
const HandlerSet FSQRT = always(run<unary<square_root>>);
const HandlerSet FRNDINT = always(run<unary<round_to_integral>>);
const HandlerSet FSCALE = always(run<scale_st0>);
const HandlerSet FXTRACT = always(run<extract_st0>);
const HandlerSet FPREM = always(run<remainder_st0<Quotient::kTruncated>>);
const HandlerSet FPREM1 = always(run<remainder_st0<Quotient::kNearest>>);

const HandlerSet F2XM1 = always(run<unary<two_to_x_minus_1>>);
const HandlerSet FYL2X = always(run<binary_pop<y_log2_x>>);
const HandlerSet FYL2XP1 = always(run<binary_pop<y_log2_x_plus_1>>);
const HandlerSet FPATAN = always(run<binary_pop<partial_arctangent>>);
const HandlerSet FPTAN = always(run<tangent>);
const HandlerSet FSIN = always(run<sine_or_cosine<Wanted::kSine>>);
const HandlerSet FCOS = always(run<sine_or_cosine<Wanted::kCosine>>);
const HandlerSet FSINCOS = always(run<sine_and_cosine>);

}  // namespace handler
}  // namespace uchronia::cpu::interp
