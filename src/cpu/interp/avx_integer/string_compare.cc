// The string comparisons of SSE4.2 with VEX.
#include "cpu/interp/sse/string_forms.h"
#include "cpu/interp/vex_operand.h"

namespace uchronia::cpu::interp::handler {

using namespace vex;
using sse::Answer;
using sse::Lengths;

namespace {

// XMM0 as a destination is a VEX destination.
template <Lengths lengths, Answer answer>
void finish(VCPU& cpu, const Op* op, __m128i b) {
    sse::answer_for<lengths, answer>(cpu, op, b);
    if constexpr (answer == Answer::kMask)
        set_low_lane(cpu, 0, sse::xmm(cpu, 0));
    return next(cpu, op);
}

template <Lengths lengths, Answer answer>
void compare_register(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op)) [[unlikely]]
        return;
    return finish<lengths, answer>(cpu, op, sse::xmm(cpu, op->rm));
}
template <Lengths lengths, Answer answer>
void compare_memory(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op)) [[unlikely]]
        return;
    const sse::Loaded source = sse::load<sse::Width::kUnaligned>(cpu, op);
    if (!source.ok) [[unlikely]]
        return;
    return finish<lengths, answer>(cpu, op, source.value);
}
template <Lengths lengths, Answer answer>
constexpr HandlerSet string_form = by_form(compare_register<lengths, answer>,
                                           compare_memory<lengths, answer>);

}  // namespace

const HandlerSet VPCMPESTRM_Vdq_Wdq_Ib = string_form<Lengths::kExplicit, Answer::kMask>;
const HandlerSet VPCMPESTRI_Vdq_Wdq_Ib = string_form<Lengths::kExplicit, Answer::kIndex>;
const HandlerSet VPCMPISTRM_Vdq_Wdq_Ib = string_form<Lengths::kImplicit, Answer::kMask>;
const HandlerSet VPCMPISTRI_Vdq_Wdq_Ib = string_form<Lengths::kImplicit, Answer::kIndex>;

}  // namespace uchronia::cpu::interp::handler
