// The string comparisons on the operands of an instruction, but for how it gets at them.
#pragma once

#include "cpu/interp/sse/forms.h"
#include "cpu/interp/sse/string_compare.h"

namespace uchronia::cpu::interp::sse {

enum class Lengths : u8 { kImplicit, kExplicit };
enum class Answer : u8 { kIndex, kMask };

template <Lengths lengths>
StringComparison compare_operands(VCPU& cpu, const Op* op, __m128i b) {
    const u8 immediate = static_cast<u8>(op->immediate);
    const __m128i a = xmm(cpu, op->reg);
    if constexpr (lengths == Lengths::kImplicit) {
        return compare_strings(a, implicit_length(a, immediate), b, implicit_length(b, immediate),
                               immediate);
    } else {
        i64 length_a = static_cast<i64>(cpu.state.gpr[kRAX]);
        i64 length_b = static_cast<i64>(cpu.state.gpr[kRDX]);
        if ((op->flags & op_flag::kRexW) == 0) {
            length_a = static_cast<i32>(length_a);
            length_b = static_cast<i32>(length_b);
        }
        return compare_strings(a, explicit_length(length_a, immediate), b,
                               explicit_length(length_b, immediate), immediate);
    }
}

template <Lengths lengths, Answer answer>
void answer_for(VCPU& cpu, const Op* op, __m128i b) {
    const StringComparison comparison = compare_operands<lengths>(cpu, op, b);
    const u8 immediate = static_cast<u8>(op->immediate);
    if constexpr (answer == Answer::kIndex)
        cpu.state.gpr[kRCX] = index_result(comparison, immediate);
    else
        set_xmm(cpu, 0, mask_result(comparison, immediate));
    cpu.state.flags = comparison.flags;
}

}  // namespace uchronia::cpu::interp::sse
