// Faults during the delivery of others: which make a double fault, and which are delivered in their
// turn (APM vol. 2, 8.2.9).
#include "guest.inc"

test:
    // Benign, then contributory: the second is delivered, with EXT.
    mov byte ptr [idt + 16 * UD + 5], 0x0e
    FAULT(NP, UD * 8 + 3, ud2)
    mov byte ptr [idt + 16 * UD + 5], GATE_INTERRUPT

    // Contributory, then contributory.
    xor ecx, ecx
    mov byte ptr [idt + 16 * DE + 5], 0x0e
    FAULT(DF, 0, div ecx)
    CHECK(qword ptr [fault_stack], offset ist1_top - 48)
    mov byte ptr [idt + 16 * DE + 5], GATE_INTERRUPT
    mov byte ptr [idt + 16 * GP + 5], 0x0e
    mov ebx, 0x1000
    FAULT(DF, 0, mov ds, ebx)
    mov byte ptr [idt + 16 * GP + 5], GATE_INTERRUPT

    // A software interrupt is benign, whatever its vector.
    mov byte ptr [idt + 16 * GP + 5], 0x0e
    FAULT(NP, GP * 8 + 2, int 13)
    mov byte ptr [idt + 16 * GP + 5], GATE_INTERRUPT

    // Contributory, then a page fault (of the stack): the page fault is delivered.
    mov byte ptr [idt + 16 * PF + 4], 2
    mov qword ptr [PTE(0xa0000)], 0
    mov rbx, rsp
    TRY
    mov rsp, 0xa1000
division:
    div ecx
    CAUGHT(PF, PF_WRITE, division)
    CHECK(qword ptr [fault_cr2], 0xa1000 - 40)
    CHECK(qword ptr [fault_rsp], 0xa1000)

    // A page fault, then another one; CR2 has the second.
    mov byte ptr [idt + 16 * PF + 4], 0
    TRY
    mov rsp, 0xa1000
touch:
    mov rax, [0x10]
    CAUGHT(DF, 0, touch)
    CHECK(qword ptr [fault_cr2], 0xa1000 - 48)
    CHECK(qword ptr [fault_rsp], 0xa1000)

    // A page fault, then a contributory one.
    mov byte ptr [idt + 16 * PF + 5], 0x0e
    FAULT(DF, 0, mov rax, [0x10])
    CHECK(qword ptr [fault_cr2], 0x10)
    mov byte ptr [idt + 16 * PF + 5], GATE_INTERRUPT

    // A stack of ring 0 that is not canonical: #SS is contributory.
    mov rax, 0x8000000000000000
    mov [tss_rsp0], rax
    TRY
    enter_user user_code
    CAUGHT(DF, 0, user_code)
    CHECK(qword ptr [fault_rsp], USER_STACK)
    // A gate for software gives #SS itself.
    mov byte ptr [idt + 16 * 0x80 + 5], GATE_INTERRUPT | GATE_DPL3
    mov byte ptr [idt + 16 * SSF + 4], 2
    USER_FAULT(SSF, 0, int 0x80)

    // RSP0 beyond the limit of the TSS: #TS with its selector.
    mov byte ptr [idt + 16 * TS + 4], 0
    mov word ptr [tss_descriptor], 10
    mov byte ptr [tss_descriptor + 5], 0x89
    mov eax, TSS_SELECTOR
    ltr ax
    mov byte ptr [idt + 16 * 0x80 + 4], 0
    // IST1 is beyond the limit too: the double fault cannot be delivered either. IST is not used
    // from ring 0.
    mov byte ptr [idt + 16 * DF + 4], 0
    mov byte ptr [idt + 16 * SSF + 4], 0
    mov byte ptr [idt + 16 * UD + 4], 3
    FAULT(TS, TSS_SELECTOR + 1, ud2)
    mov byte ptr [idt + 16 * 0x80 + 4], 3
    FAULT(TS, TSS_SELECTOR, int 0x80)
    PASS

.section .user, "awx"
user_code:
    div ecx
