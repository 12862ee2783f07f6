// FADD, FMUL, FSUB, FSUBR, FDIV, FDIVR with all their operand forms (APM vol. 5).
#include "cpu/interp/handlers.h"
#include "cpu/interp/x87/arithmetic.h"
#include "cpu/interp/x87/operand.h"
#include "cpu/interp/x87/unit.h"

namespace uchronia::cpu::interp {
namespace x87 {
namespace {

template <Operation operation, class Format>
[[gnu::noinline]] bool with_memory(VCPU& cpu, const Op* op) {
    Number source;
    if (!waiting(cpu, op) || !read_operand<Format>(cpu, op, source))
        return false;
    X87State& x = cpu.state.x87;
    note_memory(cpu, op);
    Context c{x.control};
    const Extended result = is_empty(x, 0) ? stack_fault(c, StackFault::kUnderflow)
                                           : calculate(operation, c, unpack(st(x, 0)), source);
    finish(x, c, 0, result);
    return true;
}

enum class Pop : u8 { kNo, kYes };

bool with_registers(VCPU& cpu, const Op* op, Operation operation, unsigned destination,
                    unsigned source, Pop pop_after) {
    if (!waiting(cpu, op))
        return false;
    X87State& x = cpu.state.x87;
    note_instruction(cpu, op);
    Context c{x.control};
    const Extended result =
        is_empty(x, destination) || is_empty(x, source)
            ? stack_fault(c, StackFault::kUnderflow)
            : calculate(operation, c, unpack(st(x, destination)), unpack(st(x, source)));
    if (finish(x, c, destination, result) && pop_after == Pop::kYes)
        pop(x);
    return true;
}

template <Operation operation>
[[gnu::noinline]] bool st0_sti(VCPU& cpu, const Op* op) {
    return with_registers(cpu, op, operation, 0, st_operand(op), Pop::kNo);
}

template <Operation operation, Pop pop_after>
[[gnu::noinline]] bool sti_st0(VCPU& cpu, const Op* op) {
    return with_registers(cpu, op, operation, st_operand(op), 0, pop_after);
}

template <Operation operation, class Format>
constexpr HandlerSet kMemory = always(run<with_memory<operation, Format>>);
template <Operation operation>
constexpr HandlerSet kToST0 = always(run<st0_sti<operation>>);
template <Operation operation>
constexpr HandlerSet kToSTi = always(run<sti_st0<operation, Pop::kNo>>);
template <Operation operation>
constexpr HandlerSet kToSTiPop = always(run<sti_st0<operation, Pop::kYes>>);

}  // namespace
}  // namespace x87

namespace handler {

using enum x87::Operation;
using x87::Double, x87::Integer16, x87::Integer32, x87::Single;
using x87::kMemory, x87::kToST0, x87::kToSTi, x87::kToSTiPop;

// clang-format off
const HandlerSet FADD_m32 = kMemory<kAdd, Single>;
const HandlerSet FADD_m64 = kMemory<kAdd, Double>;
const HandlerSet FIADD_m32 = kMemory<kAdd, Integer32>;
const HandlerSet FIADD_m16 = kMemory<kAdd, Integer16>;
const HandlerSet FADD_ST0_STi = kToST0<kAdd>;
const HandlerSet FADD_STi_ST0 = kToSTi<kAdd>;
const HandlerSet FADDP_STi_ST0 = kToSTiPop<kAdd>;

const HandlerSet FMUL_m32 = kMemory<kMultiply, Single>;
const HandlerSet FMUL_m64 = kMemory<kMultiply, Double>;
const HandlerSet FIMUL_m32 = kMemory<kMultiply, Integer32>;
const HandlerSet FIMUL_m16 = kMemory<kMultiply, Integer16>;
const HandlerSet FMUL_ST0_STi = kToST0<kMultiply>;
const HandlerSet FMUL_STi_ST0 = kToSTi<kMultiply>;
const HandlerSet FMULP_STi_ST0 = kToSTiPop<kMultiply>;

const HandlerSet FSUB_m32 = kMemory<kSubtract, Single>;
const HandlerSet FSUB_m64 = kMemory<kSubtract, Double>;
const HandlerSet FISUB_m32 = kMemory<kSubtract, Integer32>;
const HandlerSet FISUB_m16 = kMemory<kSubtract, Integer16>;
const HandlerSet FSUB_ST0_STi = kToST0<kSubtract>;
const HandlerSet FSUB_STi_ST0 = kToSTi<kSubtract>;
const HandlerSet FSUBP_STi_ST0 = kToSTiPop<kSubtract>;

const HandlerSet FSUBR_m32 = kMemory<kSubtractReversed, Single>;
const HandlerSet FSUBR_m64 = kMemory<kSubtractReversed, Double>;
const HandlerSet FISUBR_m32 = kMemory<kSubtractReversed, Integer32>;
const HandlerSet FISUBR_m16 = kMemory<kSubtractReversed, Integer16>;
const HandlerSet FSUBR_ST0_STi = kToST0<kSubtractReversed>;
const HandlerSet FSUBR_STi_ST0 = kToSTi<kSubtractReversed>;
const HandlerSet FSUBRP_STi_ST0 = kToSTiPop<kSubtractReversed>;

const HandlerSet FDIV_m32 = kMemory<kDivide, Single>;
const HandlerSet FDIV_m64 = kMemory<kDivide, Double>;
const HandlerSet FIDIV_m32 = kMemory<kDivide, Integer32>;
const HandlerSet FIDIV_m16 = kMemory<kDivide, Integer16>;
const HandlerSet FDIV_ST0_STi = kToST0<kDivide>;
const HandlerSet FDIV_STi_ST0 = kToSTi<kDivide>;
const HandlerSet FDIVP_STi_ST0 = kToSTiPop<kDivide>;

const HandlerSet FDIVR_m32 = kMemory<kDivideReversed, Single>;
const HandlerSet FDIVR_m64 = kMemory<kDivideReversed, Double>;
const HandlerSet FIDIVR_m32 = kMemory<kDivideReversed, Integer32>;
const HandlerSet FIDIVR_m16 = kMemory<kDivideReversed, Integer16>;
const HandlerSet FDIVR_ST0_STi = kToST0<kDivideReversed>;
const HandlerSet FDIVR_STi_ST0 = kToSTi<kDivideReversed>;
const HandlerSet FDIVRP_STi_ST0 = kToSTiPop<kDivideReversed>;
// clang-format on

}  // namespace handler
}  // namespace uchronia::cpu::interp
