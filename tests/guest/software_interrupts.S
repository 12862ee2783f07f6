// INT n, INT3, INT1 and the checks of gates (APM vol. 2, 8.9.2 to 8.9.4; vol. 3, INT n).
#include "guest.inc"

#define VECTOR 0x80
#define GATE_ERROR (VECTOR * 8 + 2)

test:
    // INT3 is a trap: RIP after it, no RF. The gate's type decides over IF; TF and NT are cleared.
    set_gate BP, plain_handler, GATE_TRAP
    push RFLAGS_FIXED | RFLAGS_NT | RFLAGS_ID | RFLAGS_CF
    popfq
    sti
    int3
after_int3:
    CHECK(qword ptr [seen_rip], offset after_int3)
    CHECK(qword ptr [seen_rflags], RFLAGS_FIXED | RFLAGS_NT | RFLAGS_ID | RFLAGS_CF | RFLAGS_IF)
    CHECK(qword ptr [handler_rflags], RFLAGS_FIXED | RFLAGS_ID | RFLAGS_CF | RFLAGS_IF)
    set_gate BP, plain_handler, GATE_INTERRUPT
    int3
    pushfq
    pop rax
    and eax, RFLAGS_IF | RFLAGS_NT
    CHECK(rax, RFLAGS_IF | RFLAGS_NT)
    mov rax, [handler_rflags]
    and eax, RFLAGS_IF | RFLAGS_NT
    CHECK(rax, 0)
    push RFLAGS_FIXED
    popfq

    // The two-byte form and INT1.
    .byte 0xcd, 3
after_int_3:
    CHECK(qword ptr [seen_rip], offset after_int_3)
    set_gate DB, plain_handler
    .byte 0xf1
after_int1:
    CHECK(qword ptr [seen_rip], offset after_int1)

    // Ring 3: DPL 0 refuses INT n and INT3, not INT1.
    USER_FAULT(GP, GATE_ERROR, int VECTOR)
    USER_FAULT(GP, 3 * 8 + 2, int3)
    USER_FAULT(GP, 13 * 8 + 2, int 13)
    TRY
    enter_user user_int1
    CAUGHT(UD, NONE, user_after_int1)
    CHECK(qword ptr [seen_cs], USER_CODE64)

    // DPL 3 lets it in, on RSP0; IST gives another stack.
    set_gate VECTOR, plain_handler, GATE_INTERRUPT | GATE_DPL3
    TRY
    enter_user user_int
    CAUGHT(UD, NONE, user_after_int)
    CHECK(qword ptr [seen_rip], offset user_after_int)
    CHECK(qword ptr [seen_stack], offset rsp0_top - 40)
    CHECK(qword ptr [seen_ss], USER_DATA)
    mov byte ptr [idt + 16 * VECTOR + 4], 2
    TRY
    enter_user user_int
    CAUGHT(UD, NONE, user_after_int)
    CHECK(qword ptr [seen_stack], offset ist2_top - 40)
    // ... also without a change of privilege, where SS stays.
    mov eax, DATA64
    mov ss, eax
    int VECTOR
    CHECK(qword ptr [seen_stack], offset ist2_top - 40)
    CHECK(qword ptr [seen_ss], DATA64)
    mov eax, ss
    CHECK(rax, DATA64)
    mov byte ptr [idt + 16 * VECTOR + 4], 0

    // Gates that cannot be used, in the order of the checks.
    mov byte ptr [idt + 16 * VECTOR + 5], 0x6e
    FAULT(NP, GATE_ERROR, int VECTOR)
    mov byte ptr [idt + 16 * VECTOR + 5], 0x8c      // a call gate
    FAULT(GP, GATE_ERROR, int VECTOR)
    mov byte ptr [idt + 16 * VECTOR + 5], 0x86      // a 16-bit gate
    FAULT(GP, GATE_ERROR, int VECTOR)
    mov byte ptr [idt + 16 * VECTOR + 5], 0x0c      // not present as well
    FAULT(GP, GATE_ERROR, int VECTOR)
    mov byte ptr [idt + 16 * VECTOR + 5], 0x0e      // ring 3: DPL before presence
    USER_FAULT(GP, GATE_ERROR, int VECTOR)
    mov byte ptr [idt + 16 * VECTOR + 5], GATE_INTERRUPT

    // The selector of the gate.
    mov word ptr [idt + 16 * VECTOR + 2], 0
    FAULT(GP, 0, int VECTOR)
    mov word ptr [idt + 16 * VECTOR + 2], DATA64
    FAULT(GP, DATA64, int VECTOR)
    mov word ptr [idt + 16 * VECTOR + 2], USER_CODE64 & ~3
    FAULT(GP, USER_CODE64 & ~3, int VECTOR)         // less privileged than CPL 0
    mov word ptr [idt + 16 * VECTOR + 2], USER_CODE32 & ~3
    FAULT(GP, USER_CODE32 & ~3, int VECTOR)
    mov word ptr [idt + 16 * VECTOR + 2], 0x1000
    FAULT(GP, 0x1000, int VECTOR)                   // beyond the table
    mov word ptr [idt + 16 * VECTOR + 2], LDT_SELECTOR | 4
    FAULT(GP, LDT_SELECTOR | 4, int VECTOR)         // there is no LDT
    mov rax, 0x00af1b000000ffff                     // code that is not present
    mov [spare_descriptors], rax
    mov word ptr [idt + 16 * VECTOR + 2], SPARE_SELECTOR
    FAULT(NP, SPARE_SELECTOR, int VECTOR)
    mov word ptr [idt + 16 * VECTOR + 2], CODE64 | 3 // its RPL is not looked at
    int VECTOR
    mov ecx, cs
    CHECK(rcx, CODE64)

    // A handler at an address that is not canonical.
    mov dword ptr [idt + 16 * VECTOR + 8], 0x8000
    FAULT(GP, 0, int VECTOR)
    mov dword ptr [idt + 16 * VECTOR + 8], 0

    // Beyond the table; the CPU's own exceptions tell it by bit 0.
    sub word ptr [idt_pointer], 16 * 0x40
    lidt [idt_pointer]
    FAULT(GP, 0xc0 * 8 + 2, int 0xc0)
    mov byte ptr [idt + 16 * UD + 5], 0x0e
    FAULT(NP, UD * 8 + 3, ud2)
    mov byte ptr [idt + 16 * UD + 5], 0x05
    FAULT(GP, UD * 8 + 3, ud2)
    PASS

// Notes the frame and returns.
plain_handler:
    pushfq
    pop [handler_rflags]
    mov [seen_stack], rsp
    push rax
    mov rax, [rsp + 8]
    mov [seen_rip], rax
    mov rax, [rsp + 16]
    mov [seen_cs], rax
    mov rax, [rsp + 24]
    mov [seen_rflags], rax
    mov rax, [rsp + 40]
    mov [seen_ss], rax
    // IRET with NT set is #GP; here it is clear.
    pop rax
    iretq

.section .bss
.balign 8
handler_rflags: .skip 8
seen_stack: .skip 8
seen_rip: .skip 8
seen_cs: .skip 8
seen_rflags: .skip 8
seen_ss: .skip 8

.section .user, "awx"
user_int1:
    .byte 0xf1
user_after_int1:
    ud2
user_int:
    int VECTOR
user_after_int:
    ud2
