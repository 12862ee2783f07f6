// FLD, FILD, FBLD, the constants, FXCH, FFREE and the stack pointer (APM vol. 5).
#include "cpu/interp/handlers.h"
#include "cpu/interp/x87/arithmetic.h"
#include "cpu/interp/x87/convert.h"
#include "cpu/interp/x87/operand.h"
#include "cpu/interp/x87/unit.h"
#include "cpu/interp/x87/wide.h"

namespace uchronia::cpu::interp {
namespace x87 {
namespace {

// Pushes unless an unmasked #I prevents it: an unmasked #D of a load comes with its result. The
// caller has checked for overflow.
void push_result(X87State& x, const Context& c, const Extended& value) {
    report(x, c);
    if (!c.unmasked(exception::kInvalid))
        push(x, value);
}

// True if the push would overflow; then it is all done.
bool push_overflows(X87State& x) {
    if (is_empty(x, 7))
        return false;
    Context c{x.control};
    const Extended value = stack_fault(c, StackFault::kOverflow);
    push_result(x, c, value);
    return true;
}

Extended loaded(Context& c, const Number& number) {
    if (const auto special = special_value(c, number))
        return *special;
    note_denormals(c, number);
    // Exact: the other formats are subsets of the register format.
    return {number.significand,
            static_cast<u16>((number.exponent + kExtendedBias) | (number.sign ? 0x8000 : 0))};
}

template <class Format>
[[gnu::noinline]] bool load(VCPU& cpu, const Op* op) {
    Number number;
    if (!waiting(cpu, op) || !read_operand<Format>(cpu, op, number))
        return false;
    note_memory(cpu, op);
    X87State& x = cpu.state.x87;
    if (push_overflows(x))
        return true;
    Context c{x.control};
    const Extended value = loaded(c, number);
    push_result(x, c, value);
    return true;
}

// What ten bytes in memory stand for.
Extended register_of(const Bytes10& bytes) {
    return {bytes.mantissa, bytes.exponent};
}
Extended decimal_of(const Bytes10& bytes) {
    return from_decimal({bytes.mantissa, bytes.exponent});
}

template <Extended (*value_of)(const Bytes10& bytes)>
[[gnu::noinline]] bool load_ten_bytes(VCPU& cpu, const Op* op) {
    Bytes10 bytes{};
    if (!waiting(cpu, op) || !read_bytes(cpu, op, linear_address(cpu, op), &bytes, 10))
        return false;
    note_memory(cpu, op);
    X87State& x = cpu.state.x87;
    if (!push_overflows(x))
        push_result(x, Context{x.control}, value_of(bytes));
    return true;
}

[[gnu::noinline]] bool load_register(VCPU& cpu, const Op* op) {
    if (!waiting(cpu, op))
        return false;
    note_instruction(cpu, op);
    X87State& x = cpu.state.x87;
    const unsigned source = st_operand(op);
    if (is_empty(x, source)) {
        Context c{x.control};
        const Extended value = stack_fault(c, StackFault::kUnderflow);
        push_result(x, c, value);
    } else if (!push_overflows(x)) {
        push_result(x, Context{x.control}, st(x, source));
    }
    return true;
}

bool load_constant(VCPU& cpu, const Op* op, const Wide& constant) {
    if (!waiting(cpu, op))
        return false;
    note_instruction(cpu, op);
    X87State& x = cpu.state.x87;
    if (push_overflows(x))
        return true;
    // Rounded as rounding control says, but without #P and C1.
    Context rounding{static_cast<u16>(x.control | exception::kAll)};
    const Extended value = constant.significand == 0
                               ? zero(false)
                               : pack(rounding, false, constant.exponent, constant.significand, 64);
    push_result(x, Context{x.control}, value);
    return true;
}

template <const Wide& constant>
[[gnu::noinline]] bool load_wide(VCPU& cpu, const Op* op) {
    return load_constant(cpu, op, constant);
}

constexpr Wide kWideZero{};

[[gnu::noinline]] bool exchange(VCPU& cpu, const Op* op) {
    if (!waiting(cpu, op))
        return false;
    note_instruction(cpu, op);
    X87State& x = cpu.state.x87;
    Context c{x.control};
    const unsigned other = st_operand(op);
    Extended a = st(x, 0), b = st(x, other);
    if (is_empty(x, 0))
        a = stack_fault(c, StackFault::kUnderflow);
    if (is_empty(x, other))
        b = stack_fault(c, StackFault::kUnderflow);
    if (finish(x, c, 0, b))
        set_st(x, other, a);
    return true;
}

enum class Pop : u8 { kNo, kYes };

template <Pop pop_after>
[[gnu::noinline]] bool free_register(VCPU& cpu, const Op* op) {
    if (!waiting(cpu, op))
        return false;
    note_instruction(cpu, op);
    X87State& x = cpu.state.x87;
    set_conditions(x, status::kC1, 0);
    set_empty(x, st_operand(op));
    if (pop_after == Pop::kYes)
        pop(x);
    return true;
}

template <unsigned step>
[[gnu::noinline]] bool move_top(VCPU& cpu, const Op* op) {
    if (!waiting(cpu, op))
        return false;
    note_instruction(cpu, op);
    X87State& x = cpu.state.x87;
    set_top(x, x.top() + step);
    set_conditions(x, status::kC1, 0);
    return true;
}

template <bool (*work)(VCPU&, const Op*)>
constexpr HandlerSet kRun = always(run<work>);

}  // namespace
}  // namespace x87

namespace handler {

using namespace x87;

const HandlerSet FLD_m32 = kRun<load<Single>>;
const HandlerSet FLD_m64 = kRun<load<Double>>;
const HandlerSet FLD_m80 = kRun<load_ten_bytes<register_of>>;
const HandlerSet FLD_STi = kRun<load_register>;
const HandlerSet FILD_m16 = kRun<load<Integer16>>;
const HandlerSet FILD_m32 = kRun<load<Integer32>>;
const HandlerSet FILD_m64 = kRun<load<Integer64>>;
const HandlerSet FBLD_m80 = kRun<load_ten_bytes<decimal_of>>;

const HandlerSet FLD1 = kRun<load_wide<kWideOne>>;
const HandlerSet FLDL2T = kRun<load_wide<kLog2Of10>>;
const HandlerSet FLDL2E = kRun<load_wide<kLog2E>>;
const HandlerSet FLDPI = kRun<load_wide<kPi>>;
const HandlerSet FLDLG2 = kRun<load_wide<kLog10Of2>>;
const HandlerSet FLDLN2 = kRun<load_wide<kLn2>>;
const HandlerSet FLDZ = kRun<load_wide<kWideZero>>;

const HandlerSet FXCH_STi = kRun<exchange>;
const HandlerSet FXCH4_STi = kRun<exchange>;
const HandlerSet FXCH7_STi = kRun<exchange>;
const HandlerSet FFREE_STi = kRun<free_register<Pop::kNo>>;
const HandlerSet FFREEP_STi = kRun<free_register<Pop::kYes>>;
const HandlerSet FINCSTP = kRun<move_top<1>>;
const HandlerSet FDECSTP = kRun<move_top<7>>;

}  // namespace handler
}  // namespace uchronia::cpu::interp
