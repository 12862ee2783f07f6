// Near branches outside 64-bit mode: RIP is cut to the operand size and must lie in CS.
//
// They end their block: each sets RIP for every outcome.
// Source: APM vol. 3, Jcc, JMP (near), CALL (near), RET (near), LOOPcc, JrCXZ.
#include "cpu/interp/integer/condition.h"
#include "cpu/interp/legacy/forms.h"
#include "cpu/interp/legacy/rows.h"
#include "cpu/interp/string_register.h"

namespace uchronia::cpu::interp::legacy {
namespace {

using integer::Condition;
using integer::LoopWhile;

bool check_target(VCPU& cpu, const Op* op, u32 target) {
    if (target <= cpu.state.segments[kCS].limit) [[likely]]
        return true;
    cpu.raise(op, Vector::kGP);
    return false;
}

void branch_to(VCPU& cpu, const Op* op, u32 target) {
    if (check_target(cpu, op, target))
        cpu.state.rip = target;
}

// Op::immediate is the target minus the page base.
template <class T>
T relative_target(const VCPU& cpu, const Op* op) {
    return static_cast<T>(cpu.state.gpr[kPageBaseSlot] + op->immediate);
}

// Only a branch that is taken faults.
template <class T>
void branch_if(VCPU& cpu, const Op* op, bool taken) {
    if (taken)
        return branch_to(cpu, op, relative_target<T>(cpu, op));
    cpu.state.rip = cpu.address_after(op);
}

template <Condition C>
struct JumpIf {
    template <class T>
    static void run(VCPU& cpu, const Op* op) {
        return branch_if<T>(cpu, op, integer::holds<C>(cpu.state.flags));
    }
};

struct JumpRelative {
    template <class T>
    static void run(VCPU& cpu, const Op* op) {
        return branch_to(cpu, op, relative_target<T>(cpu, op));
    }
};

struct JumpE {
    template <class T>
    static void run(VCPU& cpu, const Op* op) {
        T target;
        if (load_E(cpu, op, target))
            branch_to(cpu, op, target);
    }
};

template <class T>
void call(VCPU& cpu, const Op* op, T target) {
    SegmentedStack stack(cpu);
    if (!check_target(cpu, op, target) ||
        !stack.push(cpu, op, static_cast<T>(cpu.address_after(op))))
        return;
    stack.commit(cpu);
    cpu.state.rip = target;
}

struct CallRelative {
    template <class T>
    static void run(VCPU& cpu, const Op* op) {
        return call<T>(cpu, op, relative_target<T>(cpu, op));
    }
};

struct CallE {
    template <class T>
    static void run(VCPU& cpu, const Op* op) {
        T target;
        if (load_E(cpu, op, target))
            call<T>(cpu, op, target);
    }
};

// The immediate of RET is how many more bytes leave the stack; it is 0 where there is none.
struct Return {
    template <class T>
    static void run(VCPU& cpu, const Op* op) {
        SegmentedStack stack(cpu);
        T target;
        if (!stack.pop(cpu, op, target) || !check_target(cpu, op, target))
            return;
        stack.release(static_cast<u16>(op->immediate));
        stack.commit(cpu);
        cpu.state.rip = target;
    }
};

// rCX changes only if the branch does not fault.
template <LoopWhile W>
struct Loop {
    template <class T>
    static void run(VCPU& cpu, const Op* op) {
        const u64 mask = string_mask(op);
        const u64 count = (cpu.state.gpr[kRCX] - 1) & mask;
        const bool taken = integer::loops<W>(count, cpu.state.flags);
        if (taken && !check_target(cpu, op, relative_target<T>(cpu, op)))
            return;
        set_string_register(cpu, kRCX, count, mask);
        cpu.state.rip = taken ? relative_target<T>(cpu, op) : cpu.address_after(op);
    }
};

struct JumpIfCountZero {
    template <class T>
    static void run(VCPU& cpu, const Op* op) {
        return branch_if<T>(cpu, op, (cpu.state.gpr[kRCX] & string_mask(op)) == 0);
    }
};

}  // namespace

constexpr HandlerSet JO_Jb = branch_rows<JumpIf<Condition::kO>>();
constexpr HandlerSet JNO_Jb = branch_rows<JumpIf<Condition::kNO>>();
constexpr HandlerSet JB_Jb = branch_rows<JumpIf<Condition::kB>>();
constexpr HandlerSet JNB_Jb = branch_rows<JumpIf<Condition::kNB>>();
constexpr HandlerSet JZ_Jb = branch_rows<JumpIf<Condition::kZ>>();
constexpr HandlerSet JNZ_Jb = branch_rows<JumpIf<Condition::kNZ>>();
constexpr HandlerSet JBE_Jb = branch_rows<JumpIf<Condition::kBE>>();
constexpr HandlerSet JNBE_Jb = branch_rows<JumpIf<Condition::kNBE>>();
constexpr HandlerSet JS_Jb = branch_rows<JumpIf<Condition::kS>>();
constexpr HandlerSet JNS_Jb = branch_rows<JumpIf<Condition::kNS>>();
constexpr HandlerSet JP_Jb = branch_rows<JumpIf<Condition::kP>>();
constexpr HandlerSet JNP_Jb = branch_rows<JumpIf<Condition::kNP>>();
constexpr HandlerSet JL_Jb = branch_rows<JumpIf<Condition::kL>>();
constexpr HandlerSet JNL_Jb = branch_rows<JumpIf<Condition::kNL>>();
constexpr HandlerSet JLE_Jb = branch_rows<JumpIf<Condition::kLE>>();
constexpr HandlerSet JNLE_Jb = branch_rows<JumpIf<Condition::kNLE>>();

constexpr HandlerSet JO_Jz = JO_Jb;
constexpr HandlerSet JNO_Jz = JNO_Jb;
constexpr HandlerSet JB_Jz = JB_Jb;
constexpr HandlerSet JNB_Jz = JNB_Jb;
constexpr HandlerSet JZ_Jz = JZ_Jb;
constexpr HandlerSet JNZ_Jz = JNZ_Jb;
constexpr HandlerSet JBE_Jz = JBE_Jb;
constexpr HandlerSet JNBE_Jz = JNBE_Jb;
constexpr HandlerSet JS_Jz = JS_Jb;
constexpr HandlerSet JNS_Jz = JNS_Jb;
constexpr HandlerSet JP_Jz = JP_Jb;
constexpr HandlerSet JNP_Jz = JNP_Jb;
constexpr HandlerSet JL_Jz = JL_Jb;
constexpr HandlerSet JNL_Jz = JNL_Jb;
constexpr HandlerSet JLE_Jz = JLE_Jb;
constexpr HandlerSet JNLE_Jz = JNLE_Jb;

constexpr HandlerSet LOOPNZ_Jb = branch_rows<Loop<LoopWhile::kNotZero>>();
constexpr HandlerSet LOOPZ_Jb = branch_rows<Loop<LoopWhile::kZero>>();
constexpr HandlerSet LOOP_Jb = branch_rows<Loop<LoopWhile::kAlways>>();
constexpr HandlerSet JRCXZ_Jb = branch_rows<JumpIfCountZero>();
constexpr HandlerSet JMP_Jb = branch_rows<JumpRelative>();
constexpr HandlerSet JMP_Jz = JMP_Jb;
constexpr HandlerSet JMP_Ev = branch_rows<JumpE>();
constexpr HandlerSet CALL_Jz = branch_rows<CallRelative>();
constexpr HandlerSet CALL_Ev = branch_rows<CallE>();
constexpr HandlerSet RET = branch_rows<Return>();
constexpr HandlerSet RET_Iw = RET;

}  // namespace uchronia::cpu::interp::legacy
