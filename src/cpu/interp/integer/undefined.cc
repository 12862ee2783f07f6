// UD0, UD1, UD2: opcodes that exist to raise #UD.
#include "cpu/interp/handlers.h"
#include "cpu/vcpu.h"

namespace uchronia::cpu::interp::integer {
namespace {

void raise_undefined(VCPU& cpu, const Op* op) {
    return cpu.raise(op, Vector::kUD);
}

}  // namespace
}  // namespace uchronia::cpu::interp::integer

namespace uchronia::cpu::interp::handler {

using namespace integer;

constexpr HandlerSet UD0 = always(raise_undefined);
constexpr HandlerSet UD1_Gv_Ev = always(raise_undefined);
constexpr HandlerSet UD2 = always(raise_undefined);

}  // namespace uchronia::cpu::interp::handler
