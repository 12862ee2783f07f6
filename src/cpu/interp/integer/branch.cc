// Near branches: Jcc, JMP, CALL, RET, LOOP, LOOPZ, LOOPNZ, JRCXZ. They end their block: each sets
// RIP for every outcome. The operand size is 64 bits whatever the prefixes.
//
// A target that is not canonical gives #GP(0) at the branch (APM vol. 2, 4.6.2 and 8.2.14).
#include "cpu/interp/integer/condition.h"
#include "cpu/interp/integer/forms.h"
#include "cpu/interp/string_register.h"

namespace uchronia::cpu::interp::integer {
namespace {

// Goes to a target, if there can be one.
inline void branch_to(VCPU& cpu, const Op* op, u64 target) {
    if (!is_canonical(target)) [[unlikely]]
        return cpu.raise(op, Vector::kGP);
    cpu.state.rip = target;
}

// Op::immediate is the target minus the page base.
inline u64 relative_target(const VCPU& cpu, const Op* op) {
    return cpu.state.gpr[kPageBaseSlot] + op->immediate;
}

// Only a branch that is taken faults: what follows it faults when it is fetched.
inline void branch_if(VCPU& cpu, const Op* op, bool taken) {
    const u64 rip = taken ? relative_target(cpu, op) : cpu.address_after(op);
    if (!is_canonical(rip) && taken) [[unlikely]]
        return cpu.raise(op, Vector::kGP);
    cpu.state.rip = rip;
}

template <Condition C>
void jump_if(VCPU& cpu, const Op* op) {
    return branch_if(cpu, op, holds<C>(cpu.state.flags));
}

void jump_relative(VCPU& cpu, const Op* op) {
    return branch_to(cpu, op, relative_target(cpu, op));
}

// RIP := E
struct JumpE {
    template <class T, Place P>
    static void run(VCPU& cpu, const Op* op) {
        T target;
        if (!load_E<P>(cpu, op, target))
            return miss<JumpE, T, P>(cpu, op);
        return branch_to(cpu, op, target);
    }
};

// Pushes the return address and goes to `target`; false if the push did not succeed.
template <Place P>
inline bool call(VCPU& cpu, const Op* op, u64 target) {
    if (!is_canonical(target)) [[unlikely]] {
        cpu.raise(op, Vector::kGP);
        return true;
    }
    const u64 stack = cpu.state.gpr[kRSP] - 8;
    if (!store_implicit<P, Vector::kSS, u64>(cpu, op, stack, cpu.address_after(op)))
        return false;
    cpu.state.gpr[kRSP] = stack;
    cpu.state.rip = target;
    return true;
}

struct CallRelative {
    template <class T, Place P>
    static void run(VCPU& cpu, const Op* op) {
        if (!call<P>(cpu, op, relative_target(cpu, op)))
            return miss<CallRelative, T, P>(cpu, op);
    }
};

struct CallRegister {
    template <class T, Place P>
    static void run(VCPU& cpu, const Op* op) {
        if (!call<P>(cpu, op, register_at<u64>(cpu, op->rm)))
            return miss<CallRegister, T, P>(cpu, op);
    }
};

struct CallMemory {
    template <class T, Place P>
    static void run(VCPU& cpu, const Op* op) {
        T target;
        if (!load_E<P>(cpu, op, target) || !call<P>(cpu, op, target))
            return miss<CallMemory, T, P>(cpu, op);
    }
};

// Release: whether the immediate says how many more bytes leave the stack.
enum class Release : u8 { kNone, kImmediate };

template <Release R>
struct Return {
    template <class T, Place P>
    static void run(VCPU& cpu, const Op* op) {
        T target;
        if (!load_implicit<P, Vector::kSS>(cpu, op, cpu.state.gpr[kRSP], target))
            return miss<Return, T, P>(cpu, op);
        if (!is_canonical(target)) [[unlikely]]
            return cpu.raise(op, Vector::kGP);
        const u64 released = R == Release::kImmediate ? static_cast<u16>(op->immediate) : 0;
        cpu.state.gpr[kRSP] += sizeof(T) + released;
        cpu.state.rip = target;
    }
};

// rCX changes only if the branch does not fault.
template <LoopWhile W>
void loop(VCPU& cpu, const Op* op) {
    const u64 count = (cpu.state.gpr[kRCX] - 1) & string_mask(op);
    const bool taken = loops<W>(count, cpu.state.flags);
    const u64 rip = taken ? relative_target(cpu, op) : cpu.address_after(op);
    if (!is_canonical(rip) && taken) [[unlikely]]
        return cpu.raise(op, Vector::kGP);
    cpu.state.gpr[kRCX] = count;
    cpu.state.rip = rip;
}

void jump_if_count_zero(VCPU& cpu, const Op* op) {
    return branch_if(cpu, op, (cpu.state.gpr[kRCX] & string_mask(op)) == 0);
}

}  // namespace
}  // namespace uchronia::cpu::interp::integer

namespace uchronia::cpu::interp::handler {

using namespace integer;

constexpr HandlerSet JO_Jb = always(jump_if<Condition::kO>);
constexpr HandlerSet JNO_Jb = always(jump_if<Condition::kNO>);
constexpr HandlerSet JB_Jb = always(jump_if<Condition::kB>);
constexpr HandlerSet JNB_Jb = always(jump_if<Condition::kNB>);
constexpr HandlerSet JZ_Jb = always(jump_if<Condition::kZ>);
constexpr HandlerSet JNZ_Jb = always(jump_if<Condition::kNZ>);
constexpr HandlerSet JBE_Jb = always(jump_if<Condition::kBE>);
constexpr HandlerSet JNBE_Jb = always(jump_if<Condition::kNBE>);
constexpr HandlerSet JS_Jb = always(jump_if<Condition::kS>);
constexpr HandlerSet JNS_Jb = always(jump_if<Condition::kNS>);
constexpr HandlerSet JP_Jb = always(jump_if<Condition::kP>);
constexpr HandlerSet JNP_Jb = always(jump_if<Condition::kNP>);
constexpr HandlerSet JL_Jb = always(jump_if<Condition::kL>);
constexpr HandlerSet JNL_Jb = always(jump_if<Condition::kNL>);
constexpr HandlerSet JLE_Jb = always(jump_if<Condition::kLE>);
constexpr HandlerSet JNLE_Jb = always(jump_if<Condition::kNLE>);

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

constexpr HandlerSet LOOPNZ_Jb = always(loop<LoopWhile::kNotZero>);
constexpr HandlerSet LOOPZ_Jb = always(loop<LoopWhile::kZero>);
constexpr HandlerSet LOOP_Jb = always(loop<LoopWhile::kAlways>);
constexpr HandlerSet JRCXZ_Jb = always(jump_if_count_zero);
constexpr HandlerSet JMP_Jb = always(jump_relative);
constexpr HandlerSet JMP_Jz = always(jump_relative);
constexpr HandlerSet JMP_Ev =
    by_form(&JumpE::run<u64, Place::kRegister>, &JumpE::run<u64, Place::kMemory>);
constexpr HandlerSet CALL_Jz = always(&CallRelative::run<u64, Place::kMemory>);
constexpr HandlerSet CALL_Ev =
    by_form(&CallRegister::run<u64, Place::kMemory>, &CallMemory::run<u64, Place::kMemory>);
constexpr HandlerSet RET = always(&Return<Release::kNone>::run<u64, Place::kMemory>);
constexpr HandlerSet RET_Iw = always(&Return<Release::kImmediate>::run<u64, Place::kMemory>);

}  // namespace uchronia::cpu::interp::handler
