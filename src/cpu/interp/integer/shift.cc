// SHL (SAL), SHR, SAR, ROL, ROR, RCL, RCR, SHLD, SHRD.
#include "cpu/interp/integer/shift.h"

#include "cpu/interp/integer/forms.h"

namespace uchronia::cpu::interp::integer {
namespace {

// E := E shifted by the count
template <class Operation, class Count>
struct ShiftE {
    template <class T, Place P>
    static void run(VCPU& cpu, const Op* op) {
        const unsigned count = Count::template get<u8>(cpu, op);
        if (!modify_E<T, P>(cpu, op, [count](T value, ArithmeticFlags& flags) {
                return Operation::template apply<T>(value, count, flags);
            }))
            return miss<ShiftE, T, P>(cpu, op);
        return next(cpu, op);
    }
};

// E := E shifted by the count, filled from G
template <class Operation, class Count>
struct ShiftDoubleE {
    template <class T, Place P>
    static void run(VCPU& cpu, const Op* op) {
        const unsigned count = Count::template get<u8>(cpu, op);
        const T source = FromG::get<T>(cpu, op);
        if (!modify_E<T, P>(cpu, op, [count, source](T value, ArithmeticFlags& flags) {
                return Operation::template apply<T>(value, source, count, flags);
            }))
            return miss<ShiftDoubleE, T, P>(cpu, op);
        return next(cpu, op);
    }
};

}  // namespace
}  // namespace uchronia::cpu::interp::integer

namespace uchronia::cpu::interp::handler {

using namespace integer;

constexpr HandlerSet SHL_Eb_Ib = b_rows<ShiftE<ShiftLeft, FromImmediate>>();
constexpr HandlerSet SHL_Ev_Ib = v_rows<ShiftE<ShiftLeft, FromImmediate>>();
constexpr HandlerSet SHL_Eb_1 = b_rows<ShiftE<ShiftLeft, FromOne>>();
constexpr HandlerSet SHL_Ev_1 = v_rows<ShiftE<ShiftLeft, FromOne>>();
constexpr HandlerSet SHL_Eb_CL = b_rows<ShiftE<ShiftLeft, FromCL>>();
constexpr HandlerSet SHL_Ev_CL = v_rows<ShiftE<ShiftLeft, FromCL>>();

constexpr HandlerSet SAL_Eb_Ib = SHL_Eb_Ib;
constexpr HandlerSet SAL_Ev_Ib = SHL_Ev_Ib;
constexpr HandlerSet SAL_Eb_1 = SHL_Eb_1;
constexpr HandlerSet SAL_Ev_1 = SHL_Ev_1;
constexpr HandlerSet SAL_Eb_CL = SHL_Eb_CL;
constexpr HandlerSet SAL_Ev_CL = SHL_Ev_CL;

constexpr HandlerSet SHR_Eb_Ib = b_rows<ShiftE<ShiftRight, FromImmediate>>();
constexpr HandlerSet SHR_Ev_Ib = v_rows<ShiftE<ShiftRight, FromImmediate>>();
constexpr HandlerSet SHR_Eb_1 = b_rows<ShiftE<ShiftRight, FromOne>>();
constexpr HandlerSet SHR_Ev_1 = v_rows<ShiftE<ShiftRight, FromOne>>();
constexpr HandlerSet SHR_Eb_CL = b_rows<ShiftE<ShiftRight, FromCL>>();
constexpr HandlerSet SHR_Ev_CL = v_rows<ShiftE<ShiftRight, FromCL>>();

constexpr HandlerSet SAR_Eb_Ib = b_rows<ShiftE<ShiftRightArithmetic, FromImmediate>>();
constexpr HandlerSet SAR_Ev_Ib = v_rows<ShiftE<ShiftRightArithmetic, FromImmediate>>();
constexpr HandlerSet SAR_Eb_1 = b_rows<ShiftE<ShiftRightArithmetic, FromOne>>();
constexpr HandlerSet SAR_Ev_1 = v_rows<ShiftE<ShiftRightArithmetic, FromOne>>();
constexpr HandlerSet SAR_Eb_CL = b_rows<ShiftE<ShiftRightArithmetic, FromCL>>();
constexpr HandlerSet SAR_Ev_CL = v_rows<ShiftE<ShiftRightArithmetic, FromCL>>();

constexpr HandlerSet ROL_Eb_Ib = b_rows<ShiftE<RotateLeft, FromImmediate>>();
constexpr HandlerSet ROL_Ev_Ib = v_rows<ShiftE<RotateLeft, FromImmediate>>();
constexpr HandlerSet ROL_Eb_1 = b_rows<ShiftE<RotateLeft, FromOne>>();
constexpr HandlerSet ROL_Ev_1 = v_rows<ShiftE<RotateLeft, FromOne>>();
constexpr HandlerSet ROL_Eb_CL = b_rows<ShiftE<RotateLeft, FromCL>>();
constexpr HandlerSet ROL_Ev_CL = v_rows<ShiftE<RotateLeft, FromCL>>();

constexpr HandlerSet ROR_Eb_Ib = b_rows<ShiftE<RotateRight, FromImmediate>>();
constexpr HandlerSet ROR_Ev_Ib = v_rows<ShiftE<RotateRight, FromImmediate>>();
constexpr HandlerSet ROR_Eb_1 = b_rows<ShiftE<RotateRight, FromOne>>();
constexpr HandlerSet ROR_Ev_1 = v_rows<ShiftE<RotateRight, FromOne>>();
constexpr HandlerSet ROR_Eb_CL = b_rows<ShiftE<RotateRight, FromCL>>();
constexpr HandlerSet ROR_Ev_CL = v_rows<ShiftE<RotateRight, FromCL>>();

constexpr HandlerSet RCL_Eb_Ib = b_rows<ShiftE<RotateLeftCarry, FromImmediate>>();
constexpr HandlerSet RCL_Ev_Ib = v_rows<ShiftE<RotateLeftCarry, FromImmediate>>();
constexpr HandlerSet RCL_Eb_1 = b_rows<ShiftE<RotateLeftCarry, FromOne>>();
constexpr HandlerSet RCL_Ev_1 = v_rows<ShiftE<RotateLeftCarry, FromOne>>();
constexpr HandlerSet RCL_Eb_CL = b_rows<ShiftE<RotateLeftCarry, FromCL>>();
constexpr HandlerSet RCL_Ev_CL = v_rows<ShiftE<RotateLeftCarry, FromCL>>();

constexpr HandlerSet RCR_Eb_Ib = b_rows<ShiftE<RotateRightCarry, FromImmediate>>();
constexpr HandlerSet RCR_Ev_Ib = v_rows<ShiftE<RotateRightCarry, FromImmediate>>();
constexpr HandlerSet RCR_Eb_1 = b_rows<ShiftE<RotateRightCarry, FromOne>>();
constexpr HandlerSet RCR_Ev_1 = v_rows<ShiftE<RotateRightCarry, FromOne>>();
constexpr HandlerSet RCR_Eb_CL = b_rows<ShiftE<RotateRightCarry, FromCL>>();
constexpr HandlerSet RCR_Ev_CL = v_rows<ShiftE<RotateRightCarry, FromCL>>();

constexpr HandlerSet SHLD_Ev_Gv_Ib = v_rows<ShiftDoubleE<ShiftLeftDouble, FromImmediate>>();
constexpr HandlerSet SHLD_Ev_Gv_CL = v_rows<ShiftDoubleE<ShiftLeftDouble, FromCL>>();
constexpr HandlerSet SHRD_Ev_Gv_Ib = v_rows<ShiftDoubleE<ShiftRightDouble, FromImmediate>>();
constexpr HandlerSet SHRD_Ev_Gv_CL = v_rows<ShiftDoubleE<ShiftRightDouble, FromCL>>();

}  // namespace uchronia::cpu::interp::handler
