// The hypercall from ring 3: it works without a driver, and its pointers have the caller's rights
// (docs/hypercalls.md).
#include "guest.inc"

#define EFAULT -14
#define EINVAL -22
#define ENOSYS -38
// RAX := the call, in ring 3, with the arguments in RDI, RSI, RDX.
#define CALL(function) mov eax, function; TRY; enter_user user_call; \
    CAUGHT(UD, NONE, user_call_end)

test:
    CALL(0)
    CHECK(rax, 3)
    CALL(12345)
    CHECK(rax, ENOSYS)
    // Only RAX changes.
    mov rcx, 0x1111
    mov r11, 0x2222
    CALL(0)
    CHECK(rcx, 0x1111)
    CHECK(r11, 0x2222)

    // Memory of ring 0, memory that is not there, and addresses that are not canonical.
    mov edi, 1
    mov esi, 0xa0000
    mov edx, 16
    CALL(3)
    CHECK(rax, EFAULT)
    mov esi, 0
    CALL(3)
    CHECK(rax, EFAULT)
    mov rsi, 0x7ffffffffff8
    CALL(3)
    CHECK(rax, EFAULT)
    mov esi, 0x9e000
    CALL(3)
    CHECK(rax, 16)
    mov edi, 5
    CALL(3)
    CHECK(rax, EINVAL)
    mov edx, 0x100001
    mov edi, 1
    CALL(3)
    CHECK(rax, EINVAL)

    // A write marks the page as dirty, and is refused where ring 3 may not write.
    and qword ptr [PTE(0x9e000)], ~PTE_D
    mov edi, 0x9e000
    mov esi, 8
    CALL(9)
    CHECK(rax, 8)
    mov rax, [PTE(0x9e000)]
    and eax, PTE_D
    CHECK(rax, PTE_D)
    and qword ptr [PTE(0x9e000)], ~PTE_W
    CALL(9)
    CHECK(rax, EFAULT)
    // Part of the buffer is not enough.
    or qword ptr [PTE(0x9e000)], PTE_W
    mov qword ptr [PTE(0x9f000)], 0
    mov qword ptr [0x9eff8], 0x1234
    mov edi, 0x9eff8
    mov esi, 16
    TRY
    push USER_DATA
    push 0x9e800
    push RFLAGS_FIXED
    push USER_CODE64
    push offset user_call
    mov eax, 9
    iretq
    CAUGHT(UD, NONE, user_call_end)
    CHECK(rax, EFAULT)
    CHECK(qword ptr [0x9eff8], 0x1234)

    // It ends the run from ring 3.
    mov edi, 0
    mov esi, 0
    mov eax, 5
    enter_user user_call

.section .user, "awx"
user_call:
    HYPERCALL
user_call_end:
    ud2
