// CMOVcc and SETcc.
#include "cpu/interp/integer/condition.h"
#include "cpu/interp/integer/forms.h"

namespace uchronia::cpu::interp::integer {
namespace {

// The source is read, and a 32-bit destination loses its upper half, whatever the condition.
template <Condition C>
struct CMOVcc {
    template <class T, Place P>
    static void run(VCPU& cpu, const Op* op) {
        T value;
        if (!load_E<P>(cpu, op, value))
            return miss<CMOVcc, T, P>(cpu, op);
        const T old = FromG::get<T>(cpu, op);
        set_register<T>(cpu, op->reg, holds<C>(cpu.state.flags) ? value : old);
        return next(cpu, op);
    }
};

template <Condition C>
struct SETcc {
    template <class T, Place P>
    static void run(VCPU& cpu, const Op* op) {
        if (!store_E<P, T>(cpu, op, holds<C>(cpu.state.flags) ? 1 : 0))
            return miss<SETcc, T, P>(cpu, op);
        return next(cpu, op);
    }
};

}  // namespace
}  // namespace uchronia::cpu::interp::integer

namespace uchronia::cpu::interp::handler {

using namespace integer;

constexpr HandlerSet CMOVO_Gv_Ev = v_rows<CMOVcc<Condition::kO>>();
constexpr HandlerSet CMOVNO_Gv_Ev = v_rows<CMOVcc<Condition::kNO>>();
constexpr HandlerSet CMOVB_Gv_Ev = v_rows<CMOVcc<Condition::kB>>();
constexpr HandlerSet CMOVNB_Gv_Ev = v_rows<CMOVcc<Condition::kNB>>();
constexpr HandlerSet CMOVZ_Gv_Ev = v_rows<CMOVcc<Condition::kZ>>();
constexpr HandlerSet CMOVNZ_Gv_Ev = v_rows<CMOVcc<Condition::kNZ>>();
constexpr HandlerSet CMOVBE_Gv_Ev = v_rows<CMOVcc<Condition::kBE>>();
constexpr HandlerSet CMOVNBE_Gv_Ev = v_rows<CMOVcc<Condition::kNBE>>();
constexpr HandlerSet CMOVS_Gv_Ev = v_rows<CMOVcc<Condition::kS>>();
constexpr HandlerSet CMOVNS_Gv_Ev = v_rows<CMOVcc<Condition::kNS>>();
constexpr HandlerSet CMOVP_Gv_Ev = v_rows<CMOVcc<Condition::kP>>();
constexpr HandlerSet CMOVNP_Gv_Ev = v_rows<CMOVcc<Condition::kNP>>();
constexpr HandlerSet CMOVL_Gv_Ev = v_rows<CMOVcc<Condition::kL>>();
constexpr HandlerSet CMOVNL_Gv_Ev = v_rows<CMOVcc<Condition::kNL>>();
constexpr HandlerSet CMOVLE_Gv_Ev = v_rows<CMOVcc<Condition::kLE>>();
constexpr HandlerSet CMOVNLE_Gv_Ev = v_rows<CMOVcc<Condition::kNLE>>();

constexpr HandlerSet SETO_Eb = b_rows<SETcc<Condition::kO>>();
constexpr HandlerSet SETNO_Eb = b_rows<SETcc<Condition::kNO>>();
constexpr HandlerSet SETB_Eb = b_rows<SETcc<Condition::kB>>();
constexpr HandlerSet SETNB_Eb = b_rows<SETcc<Condition::kNB>>();
constexpr HandlerSet SETZ_Eb = b_rows<SETcc<Condition::kZ>>();
constexpr HandlerSet SETNZ_Eb = b_rows<SETcc<Condition::kNZ>>();
constexpr HandlerSet SETBE_Eb = b_rows<SETcc<Condition::kBE>>();
constexpr HandlerSet SETNBE_Eb = b_rows<SETcc<Condition::kNBE>>();
constexpr HandlerSet SETS_Eb = b_rows<SETcc<Condition::kS>>();
constexpr HandlerSet SETNS_Eb = b_rows<SETcc<Condition::kNS>>();
constexpr HandlerSet SETP_Eb = b_rows<SETcc<Condition::kP>>();
constexpr HandlerSet SETNP_Eb = b_rows<SETcc<Condition::kNP>>();
constexpr HandlerSet SETL_Eb = b_rows<SETcc<Condition::kL>>();
constexpr HandlerSet SETNL_Eb = b_rows<SETcc<Condition::kNL>>();
constexpr HandlerSet SETLE_Eb = b_rows<SETcc<Condition::kLE>>();
constexpr HandlerSet SETNLE_Eb = b_rows<SETcc<Condition::kNLE>>();

}  // namespace uchronia::cpu::interp::handler
