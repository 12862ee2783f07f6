// #DE: the frame at the same privilege, the alignment of the stack, RF, and what the faulting
// instruction leaves alone (APM vol. 2, 8.2.1 and 8.9.3).
#include "guest.inc"

test:
    // An odd RSP is pushed as it is; the frame lies below it at a multiple of 16.
    mov rsp, offset stack_top - 0x103
    mov rax, 0x1122334455667788
    mov rdx, 0x100000000
    xor ebx, ebx
    stc
    TRY
divide:
    div rbx
    CAUGHT(DE, NONE, divide)
    CHECK(rax, 0x1122334455667788)
    CHECK(rdx, 0x100000000)
    CHECK(qword ptr [fault_cs], CODE64)
    CHECK(qword ptr [fault_ss], DATA64)
    CHECK(qword ptr [fault_rsp], offset stack_top - 0x103)
    CHECK(qword ptr [fault_stack], offset stack_top - 0x110 - 40)

    // Faults push RF; the arithmetic flags are those before the instruction.
    mov rsp, offset stack_top
    push RFLAGS_FIXED | RFLAGS_CF
    popfq
    TRY
overflow:
    div bl
    CAUGHT(DE, NONE, overflow)
    CHECK(qword ptr [fault_rflags], RFLAGS_FIXED | RFLAGS_CF | RFLAGS_RF)

    // A quotient that does not fit.
    mov eax, 0x80000000
    mov edx, 0xffffffff
    mov ecx, -1
    TRY
minimum:
    idiv ecx
    CAUGHT(DE, NONE, minimum)
    CHECK(rax, 0x80000000)

    // From ring 3: the stack is RSP0, and SS becomes null.
    TRY
    enter_user user_code
    CAUGHT(DE, NONE, user_divide)
    CHECK(qword ptr [fault_cs], USER_CODE64)
    CHECK(qword ptr [fault_ss], USER_DATA)
    CHECK(qword ptr [fault_rsp], USER_STACK - 8)
    CHECK(qword ptr [fault_stack], offset rsp0_top - 40)
    mov ecx, ss
    CHECK(rcx, 0)
    PASS

.section .user, "awx"
user_code:
    push 1
    xor ecx, ecx
user_divide:
    div ecx
