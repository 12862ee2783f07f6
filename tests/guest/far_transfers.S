// Far CALL, JMP and RET, direct and through call gates (APM vol. 2, 4.11 and 8.9; vol. 3).
#include "guest.inc"

#define SPARE(n) (SPARE_SELECTOR + 8 * n)
#define GATE SPARE(0)

// A call gate at SPARE(0) to CODE64:inner.
.macro call_gate attributes, selector=CODE64, target=inner
    mov eax, offset \target
    mov [spare_descriptors], ax
    mov word ptr [spare_descriptors + 2], \selector
    mov word ptr [spare_descriptors + 4], \attributes << 8
    shr eax, 16
    mov [spare_descriptors + 6], ax
    mov qword ptr [spare_descriptors + 8], 0
.endm

test:
    // Direct, at the same privilege: 32-bit slots unless REX.W widens them.
    mov rbx, rsp
    call fword ptr [to_near]
after_call:
    CHECK(rdx, offset after_call)
    CHECK(rcx, CODE64)
    mov rax, rsp
    CHECK(rax, rbx)
    jmp fword ptr [to_jump]
    UNREACHABLE
jumped:

    // What direct transfers refuse. There is no change of privilege without a gate.
    FAULT(GP, 0, jmp fword ptr [to_null])
    FAULT(GP, DATA64, jmp fword ptr [to_data])
    FAULT(GP, USER_CODE64 & ~3, call fword ptr [to_user])
    FAULT(GP, SPARE(16), call fword ptr [to_nowhere])
    USER_FAULT(GP, CODE64, jmp fword ptr [from_user])
    mov rax, 0x00af1b000000ffff
    mov [spare_descriptors + 16], rax
    FAULT(NP, SPARE(2), jmp fword ptr [to_absent])

    // Through a gate at the same privilege: 64-bit slots, the offset in the pointer is ignored.
    call_gate 0x8c
    mov rbx, rsp
    call fword ptr [to_gate]
after_gate:
    CHECK(qword ptr [inner_rip], offset after_gate)
    CHECK(qword ptr [inner_cs], CODE64)
    mov rax, rsp
    CHECK(rax, rbx)

    // From ring 3 through a gate: DPL, then RSP0 with SS, RSP, CS, RIP on it.
    USER_FAULT(GP, GATE, call fword ptr [user_gate])
    call_gate 0xec
    TRY
    enter_user user_calls
    CAUGHT(UD, NONE, user_done)
    CHECK(qword ptr [inner_rip], offset user_called)
    CHECK(qword ptr [inner_cs], USER_CODE64)
    CHECK(qword ptr [inner_user_rsp], USER_STACK)
    CHECK(qword ptr [inner_user_ss], USER_DATA)
    CHECK(qword ptr [inner_rsp], offset rsp0_top - 32)
    CHECK(qword ptr [inner_ss], 0)
    CHECK(qword ptr [fault_rsp], USER_STACK)

    // JMP cannot go inwards, not even through a gate.
    USER_FAULT(GP, CODE64, jmp fword ptr [user_gate])

    // Gates that cannot be used.
    call_gate 0x6c
    USER_FAULT(NP, GATE, call fword ptr [user_gate])
    call_gate 0xec, 0
    USER_FAULT(GP, 0, call fword ptr [user_gate])
    call_gate 0xec, DATA64
    USER_FAULT(GP, DATA64, call fword ptr [user_gate])
    call_gate 0xec
    mov dword ptr [spare_descriptors + 8], 0x8000   // not canonical
    USER_FAULT(GP, 0, call fword ptr [user_gate])
    mov dword ptr [spare_descriptors + 8], 0
    mov dword ptr [spare_descriptors + 12], 0x0c00  // a type in the upper half
    USER_FAULT(GP, GATE, call fword ptr [user_gate])
    call_gate 0xee                                  // an interrupt gate
    USER_FAULT(GP, GATE, call fword ptr [user_gate])

    // RETF inwards.
    TRY
    enter_user user_returns_inwards
    CAUGHT(GP, CODE64, user_far_return)

    // RETF outwards with an immediate: both stacks lose it.
    TRY
    push USER_DATA
    push USER_STACK
    push 0x5555
    push USER_CODE64
    push offset user_done
    .byte 0x48, 0xca, 0x08, 0x00                    // RETF 8, 64-bit
    CAUGHT(UD, NONE, user_done)
    CHECK(qword ptr [fault_rsp], USER_STACK + 8)
    PASS

near_code:
    mov edx, [rsp]
    mov ecx, [rsp + 4]
    retf

inner:
    mov [inner_rsp], rsp
    mov rax, [rsp]
    mov [inner_rip], rax
    mov rax, [rsp + 8]
    mov [inner_cs], rax
    mov rax, [rsp + 16]
    mov [inner_user_rsp], rax
    mov rax, [rsp + 24]
    mov [inner_user_ss], rax
    mov eax, ss
    mov [inner_ss], rax
    .byte 0x48
    retf

.section .data
to_near:    .long near_code
            .word CODE64
to_jump:    .long jumped
            .word CODE64
to_null:    .long jumped
            .word 0
to_data:    .long jumped
            .word DATA64
to_user:    .long jumped
            .word USER_CODE64
to_nowhere: .long jumped
            .word SPARE(16)
to_absent:  .long jumped
            .word SPARE(2)
to_gate:    .long 0x12345678
            .word GATE

.section .bss
.balign 8
inner_rip: .skip 8
inner_cs: .skip 8
inner_user_rsp: .skip 8
inner_user_ss: .skip 8
inner_rsp: .skip 8
inner_ss: .skip 8

.section .user, "awx"
from_user:  .long jumped
            .word CODE64
user_gate:  .long 0
            .word GATE | 3
user_calls:
    call fword ptr [user_gate]
user_called:
user_done:
    ud2
user_returns_inwards:
    push CODE64
    push offset jumped
    .byte 0x48
user_far_return_end:
    retf
.set user_far_return, user_far_return_end - 1
