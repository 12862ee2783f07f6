// FCOM, FUCOM, FCOMI, FUCOMI and their popping forms, FICOM, FTST, FXAM, FCMOVcc (APM vol. 5).
#include "cpu/interp/handlers.h"
#include "cpu/interp/x87/arithmetic.h"
#include "cpu/interp/x87/operand.h"
#include "cpu/interp/x87/unit.h"

namespace uchronia::cpu::interp {
namespace x87 {
namespace {

// Indexed by Ordering.
constexpr u16 kConditionsOf[] = {0, status::kC0, status::kC3,
                                 status::kC3 | status::kC2 | status::kC0};
constexpr u16 kFlagsOf[] = {0, ArithmeticFlags::kCF, ArithmeticFlags::kZF,
                            ArithmeticFlags::kZF | ArithmeticFlags::kPF | ArithmeticFlags::kCF};

enum class Answer : u8 { kConditions, kFlags };

struct Comparison {
    QuietNaN quiet_nan;
    Answer answer;
    unsigned pops;
};

void answer(VCPU& cpu, const Comparison& how, const Context& c, Ordering ordering) {
    X87State& x = cpu.state.x87;
    const u16 c1 = x.status & status::kC1;
    report(x, c);
    const unsigned index = static_cast<unsigned>(ordering);
    if (how.answer == Answer::kConditions)
        set_conditions(x, status::kC0 | status::kC2 | status::kC3, kConditionsOf[index]);
    else
        cpu.state.flags.bits = static_cast<u16>(ArithmeticFlags::kFixed | kFlagsOf[index]);
    if (how.answer == Answer::kFlags && !c.stack_fault)
        set_conditions(x, status::kC1, c1);
    if (c.prevented())
        return;
    for (unsigned i = 0; i < how.pops; ++i)
        pop(x);
}

void compare_with(VCPU& cpu, const Comparison& how, bool source_empty, const Number& source) {
    const X87State& x = cpu.state.x87;
    Context c{x.control};
    Ordering ordering = Ordering::kUnordered;
    if (source_empty || is_empty(x, 0))
        stack_fault(c, StackFault::kUnderflow);
    else
        ordering = compare(c, unpack(st(x, 0)), source, how.quiet_nan);
    answer(cpu, how, c, ordering);
}

bool compare_register(VCPU& cpu, const Op* op, const Comparison& how, unsigned index) {
    if (!waiting(cpu, op))
        return false;
    note_instruction(cpu, op);
    const X87State& x = cpu.state.x87;
    compare_with(cpu, how, is_empty(x, index), unpack(st(x, index)));
    return true;
}

template <QuietNaN quiet_nan, Answer where, unsigned pops>
[[gnu::noinline]] bool with_sti(VCPU& cpu, const Op* op) {
    return compare_register(cpu, op, {quiet_nan, where, pops}, st_operand(op));
}

template <QuietNaN quiet_nan>
[[gnu::noinline]] bool with_st1_pop_both(VCPU& cpu, const Op* op) {
    return compare_register(cpu, op, {quiet_nan, Answer::kConditions, 2}, 1);
}

template <class Format, unsigned pops>
[[gnu::noinline]] bool with_memory(VCPU& cpu, const Op* op) {
    Number source;
    if (!waiting(cpu, op) || !read_operand<Format>(cpu, op, source))
        return false;
    note_memory(cpu, op);
    compare_with(cpu, {QuietNaN::kInvalid, Answer::kConditions, pops}, false, source);
    return true;
}

[[gnu::noinline]] bool with_zero(VCPU& cpu, const Op* op) {
    if (!waiting(cpu, op))
        return false;
    note_instruction(cpu, op);
    compare_with(cpu, {QuietNaN::kInvalid, Answer::kConditions, 0}, false, Number{});
    return true;
}

u16 class_of(const Extended& value) {
    using namespace status;
    const Number n = unpack(value);
    switch (n.kind) {
        case Kind::kZero:
            return kC3;
        case Kind::kInfinity:
            return kC2 | kC0;
        case Kind::kNaN:
            return kC0;
        case Kind::kUnsupported:
            return 0;
        case Kind::kFinite:
            return n.denormal ? kC3 | kC2 : kC2;
    }
    return 0;
}

[[gnu::noinline]] bool examine(VCPU& cpu, const Op* op) {
    if (!waiting(cpu, op))
        return false;
    note_instruction(cpu, op);
    X87State& x = cpu.state.x87;
    const u16 kind = is_empty(x, 0) ? status::kC3 | status::kC0 : class_of(st(x, 0));
    const u16 sign = (st(x, 0).exponent >> 15) != 0 ? status::kC1 : 0;
    set_conditions(x, status::kConditions, kind | sign);
    return true;
}

enum class When : u8 { kSet, kClear };

template <u16 flags, When when>
[[gnu::noinline]] bool conditional_move(VCPU& cpu, const Op* op) {
    if (!waiting(cpu, op))
        return false;
    note_instruction(cpu, op);
    X87State& x = cpu.state.x87;
    Context c{x.control};
    const unsigned source = st_operand(op);
    if (is_empty(x, 0) || is_empty(x, source)) {
        finish(x, c, 0, stack_fault(c, StackFault::kUnderflow));
        return true;
    }
    const bool set = (cpu.state.flags.bits & flags) != 0;
    if (set == (when == When::kSet))
        set_st(x, 0, st(x, source));
    return true;
}

constexpr u16 kB = ArithmeticFlags::kCF, kE = ArithmeticFlags::kZF, kU = ArithmeticFlags::kPF;

template <QuietNaN quiet_nan, Answer where, unsigned pops>
constexpr HandlerSet kCompare = always(run<with_sti<quiet_nan, where, pops>>);
template <class Format, unsigned pops>
constexpr HandlerSet kCompareMemory = always(run<with_memory<Format, pops>>);
template <u16 flags, When when>
constexpr HandlerSet kMove = always(run<conditional_move<flags, when>>);

}  // namespace
}  // namespace x87

namespace handler {

using namespace x87;

// clang-format off
const HandlerSet FCOM_m32  = kCompareMemory<Single, 0>;
const HandlerSet FCOMP_m32 = kCompareMemory<Single, 1>;
const HandlerSet FCOM_m64  = kCompareMemory<Double, 0>;
const HandlerSet FCOMP_m64 = kCompareMemory<Double, 1>;
const HandlerSet FICOM_m16  = kCompareMemory<Integer16, 0>;
const HandlerSet FICOMP_m16 = kCompareMemory<Integer16, 1>;
const HandlerSet FICOM_m32  = kCompareMemory<Integer32, 0>;
const HandlerSet FICOMP_m32 = kCompareMemory<Integer32, 1>;

const HandlerSet FCOM_ST0_STi   = kCompare<QuietNaN::kInvalid, Answer::kConditions, 0>;
const HandlerSet FCOM2_ST0_STi  = kCompare<QuietNaN::kInvalid, Answer::kConditions, 0>;
const HandlerSet FCOMP_ST0_STi  = kCompare<QuietNaN::kInvalid, Answer::kConditions, 1>;
const HandlerSet FCOMP3_ST0_STi = kCompare<QuietNaN::kInvalid, Answer::kConditions, 1>;
const HandlerSet FCOMP5_ST0_STi = kCompare<QuietNaN::kInvalid, Answer::kConditions, 1>;
const HandlerSet FUCOM_STi      = kCompare<QuietNaN::kAllowed, Answer::kConditions, 0>;
const HandlerSet FUCOMP_STi     = kCompare<QuietNaN::kAllowed, Answer::kConditions, 1>;
const HandlerSet FCOMI_ST0_STi   = kCompare<QuietNaN::kInvalid, Answer::kFlags, 0>;
const HandlerSet FCOMIP_ST0_STi  = kCompare<QuietNaN::kInvalid, Answer::kFlags, 1>;
const HandlerSet FUCOMI_ST0_STi  = kCompare<QuietNaN::kAllowed, Answer::kFlags, 0>;
const HandlerSet FUCOMIP_ST0_STi = kCompare<QuietNaN::kAllowed, Answer::kFlags, 1>;

const HandlerSet FCOMPP  = always(run<with_st1_pop_both<QuietNaN::kInvalid>>);
const HandlerSet FUCOMPP = always(run<with_st1_pop_both<QuietNaN::kAllowed>>);
const HandlerSet FTST = always(run<with_zero>);
const HandlerSet FXAM = always(run<examine>);

const HandlerSet FCMOVB_ST0_STi   = kMove<kB, When::kSet>;
const HandlerSet FCMOVE_ST0_STi   = kMove<kE, When::kSet>;
const HandlerSet FCMOVBE_ST0_STi  = kMove<kB | kE, When::kSet>;
const HandlerSet FCMOVU_ST0_STi   = kMove<kU, When::kSet>;
const HandlerSet FCMOVNB_ST0_STi  = kMove<kB, When::kClear>;
const HandlerSet FCMOVNE_ST0_STi  = kMove<kE, When::kClear>;
const HandlerSet FCMOVNBE_ST0_STi = kMove<kB | kE, When::kClear>;
const HandlerSet FCMOVNU_ST0_STi  = kMove<kU, When::kClear>;
// clang-format on

}  // namespace handler
}  // namespace uchronia::cpu::interp
