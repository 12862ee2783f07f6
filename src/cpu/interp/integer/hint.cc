// Instructions that change nothing that the guest can see: NOP, prefetches, fences, hints of
// features that the model lacks, and cache control, which checks its address.
#include "cpu/interp/integer/forms.h"

namespace uchronia::cpu::interp::integer {
namespace {

void do_nothing(VCPU& cpu, const Op* op) {
    return next(cpu, op);
}

// Tells the machine that the vCPU waits for another one.
void pause(VCPU& cpu, const Op* op) {
    cpu.platform.pause(cpu.index);
    return next(cpu, op);
}

// A flush is checked like a load of a byte (APM vol. 3, CLFLUSH); on device memory it is one.
struct CheckAddress {
    template <class T, Place P>
    static void run(VCPU& cpu, const Op* op) {
        T value;
        if (!load_E<P>(cpu, op, value))
            return miss<CheckAddress, T, P>(cpu, op);
        return next(cpu, op);
    }
};

}  // namespace
}  // namespace uchronia::cpu::interp::integer

namespace uchronia::cpu::interp::handler {

using namespace integer;

constexpr HandlerSet PAUSE = always(pause);
constexpr HandlerSet PREFETCH_Mb = always(do_nothing);
constexpr HandlerSet HINT18_Ev = always(do_nothing);
constexpr HandlerSet HINT19_Ev = always(do_nothing);
constexpr HandlerSet HINT1A_Ev = always(do_nothing);
constexpr HandlerSet HINT1B_Ev = always(do_nothing);
constexpr HandlerSet HINT1C_Ev = always(do_nothing);
constexpr HandlerSet HINT1D_Ev = always(do_nothing);
constexpr HandlerSet HINT1E_Ev = always(do_nothing);
constexpr HandlerSet NOP_Ev = always(do_nothing);
constexpr HandlerSet LFENCE = always(do_nothing);
constexpr HandlerSet MFENCE = always(do_nothing);
constexpr HandlerSet SFENCE = always(do_nothing);
constexpr HandlerSet CLFLUSH_Mb = always(&CheckAddress::run<u8, Place::kMemory>);
constexpr HandlerSet CLFLUSHOPT_Mb = CLFLUSH_Mb;
constexpr HandlerSet CLWB_Mb = CLFLUSH_Mb;

}  // namespace uchronia::cpu::interp::handler
