// IRETQ: privileges, the flags that it loads, and everything that it refuses
// (APM vol. 2, 8.9.5; vol. 3, IRET).
#include "guest.inc"

// IRETQ of a frame, expected to fault with nothing changed.
.macro refused line, vector, error, rip, cs, flags, rsp, ss
    try_begin
    mov rbx, rsp
    push \ss
    mov rax, \rsp
    push rax
    push \flags
    push \cs
    mov rax, \rip
    push rax
79: iretq
    try_caught \line, \vector, \error, 79b
    check_equal \line, "qword ptr [fault_cs]", CODE64
    sub rbx, 40
    check_equal \line, "qword ptr [fault_rsp]", rbx
.endm
#define REFUSED(vector, error, rip, cs, flags, rsp, ss) \
    refused __LINE__, vector, error, STRING(rip), cs, flags, rsp, ss

test:
    // Same privilege: RSP and SS are popped all the same, SS may be null.
    mov rbx, rsp
    push 0
    push 0xa0800
    push RFLAGS_FIXED | RFLAGS_CF | RFLAGS_IOPL3 | RFLAGS_AC
    push CODE64
    push offset same_privilege
    iretq
same_privilege:
    mov rax, rsp
    mov rsp, rbx
    pushfq
    pop rcx
    CHECK(rax, 0xa0800)
    CHECK(rcx, RFLAGS_FIXED | RFLAGS_CF | RFLAGS_IOPL3 | RFLAGS_AC)
    mov eax, ss
    CHECK(rax, 0)
    mov eax, DATA64
    mov ss, eax
    push RFLAGS_FIXED
    popfq

    // To ring 3: data segments that it may not use become null.
    mov eax, DATA64
    mov ds, eax
    mov fs, eax
    mov eax, USER_DATA
    mov es, eax
    TRY
    enter_user user_flags, RFLAGS_FIXED | RFLAGS_IF
    CAUGHT(UD, NONE, user_flags_end)
    mov eax, ds
    CHECK(rax, 0)
    mov eax, fs
    CHECK(rax, 0)
    mov eax, es
    CHECK(rax, USER_DATA)
    // What ring 3 could change of RFLAGS by POPF and by IRET: not IOPL, not IF.
    CHECK(r8, RFLAGS_FIXED | RFLAGS_IF | RFLAGS_CF | RFLAGS_DF | RFLAGS_NT | RFLAGS_AC | RFLAGS_ID)
    CHECK(r9, RFLAGS_FIXED | RFLAGS_IF | RFLAGS_DF)

    // The code segment.
    REFUSED(GP, 0, offset test, 0, 2, 0x1000, DATA64)
    REFUSED(GP, DATA64, offset test, DATA64, 2, 0x1000, DATA64)
    REFUSED(GP, 0x1000, offset test, 0x1000, 2, 0x1000, DATA64)
    REFUSED(GP, USER_CODE64 & ~3, offset test, USER_CODE64 & ~3, 2, 0x1000, DATA64)
    REFUSED(GP, CODE64, offset test, CODE64 | 3, 2, 0x1000, USER_DATA)
    REFUSED(GP, 0x44, offset test, 0x44, 2, 0x1000, DATA64)
    mov rax, 0x00af1b000000ffff
    mov [spare_descriptors], rax
    REFUSED(NP, SPARE_SELECTOR, offset test, SPARE_SELECTOR, 2, 0x1000, DATA64)

    // The target.
    REFUSED(GP, 0, 0x800000000000, CODE64, 2, 0x1000, DATA64)
    REFUSED(GP, 0, 0xffff7fffffffffff, USER_CODE64, 2, 0x1000, USER_DATA)

    // The stack segment.
    REFUSED(GP, 0, offset test, USER_CODE64, 2, 0x1000, 0)
    REFUSED(GP, 0, offset test, CODE64, 2, 0x1000, 3)
    REFUSED(GP, DATA64, offset test, USER_CODE64, 2, 0x1000, DATA64)
    REFUSED(GP, DATA64, offset test, USER_CODE64, 2, 0x1000, DATA64 | 3)
    REFUSED(GP, CODE64, offset test, CODE64, 2, 0x1000, CODE64)
    mov rax, 0x00cf73000000ffff                     // data of ring 3, not present
    mov [spare_descriptors + 8], rax
    REFUSED(SSF, SPARE_SELECTOR + 8, offset test, USER_CODE64, 2, 0x1000, SPARE_SELECTOR + 8 + 3)
    mov rax, 0x00cff1000000ffff                     // read-only
    mov [spare_descriptors + 8], rax
    REFUSED(GP, SPARE_SELECTOR + 8, offset test, USER_CODE64, 2, 0x1000, SPARE_SELECTOR + 8 + 3)

    // NT set, and ring 3 going inwards.
    TRY
    push RFLAGS_FIXED | RFLAGS_NT
    popfq
nested:
    iretq
    CAUGHT(GP, 0, nested)
    TRY
    enter_user user_inwards
    CAUGHT(GP, CODE64, user_iret)

    // A frame that cannot be read.
    mov byte ptr [idt + 16 * PF + 4], 2
    mov byte ptr [idt + 16 * SSF + 4], 2
    TRY
    mov rsp, 0x10
unreadable:
    iretq
    CAUGHT(PF, 0, unreadable)
    CHECK(qword ptr [fault_cr2], 0x10)
    TRY
    mov rsp, 0x7fffffffffff
beyond:
    iretq
    CAUGHT(SSF, 0, beyond)
    PASS

.section .user, "awx"
user_flags:
    mov r10, rsp
    push RFLAGS_FIXED | RFLAGS_CF | RFLAGS_DF | RFLAGS_NT | RFLAGS_AC | RFLAGS_ID | RFLAGS_IOPL3
    popfq
    pushfq
    pop r8
    push RFLAGS_FIXED
    popfq
    push USER_DATA
    push r10
    push RFLAGS_FIXED | RFLAGS_IOPL3 | RFLAGS_DF
    push USER_CODE64
    push offset user_returned
    iretq
user_returned:
    pushfq
    pop r9
user_flags_end:
    ud2
user_inwards:
    push DATA64
    push USER_STACK
    push RFLAGS_FIXED
    push CODE64
    push offset test
user_iret:
    iretq
