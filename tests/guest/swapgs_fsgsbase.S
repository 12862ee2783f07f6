// SWAPGS, RDFSBASE and its family, the base MSRs (APM vol. 2, 4.5.3; vol. 3).
#include "guest.inc"

#define FS_BASE 0xc0000100
#define GS_BASE 0xc0000101
#define KERNEL_GS_BASE 0xc0000102

test:
    write_msr GS_BASE, 0x1000
    write_msr KERNEL_GS_BASE, 0xffffffff80000000
    swapgs
    read_msr GS_BASE
    CHECK(rax, 0xffffffff80000000)
    read_msr KERNEL_GS_BASE
    CHECK(rax, 0x1000)
    USER_FAULT(GP, 0, swapgs)

    // The base counts: GS:0 at 0xa0000, FS with a negative offset.
    write_msr GS_BASE, 0xa0000
    write_msr FS_BASE, 0xa0100
    mov qword ptr [0xa0000], 0x1234
    mov qword ptr [0xa0088], 0x5678
    mov rax, gs:[0]
    CHECK(rax, 0x1234)
    mov rax, fs:[-0x78]
    CHECK(rax, 0x5678)
    // DS, ES and SS have none.
    mov rax, ds:[0xa0000]
    CHECK(rax, 0x1234)
    // LEA leaves it out.
    lea rax, gs:[0x10]
    CHECK(rax, 0x10)

    // Bases must be canonical.
    mov eax, 0
    mov edx, 0x8000
    mov ecx, FS_BASE
    FAULT(GP, 0, wrmsr)
    mov ecx, GS_BASE
    FAULT(GP, 0, wrmsr)
    mov ecx, KERNEL_GS_BASE
    FAULT(GP, 0, wrmsr)

    // A data access beyond the canonical addresses is #GP with FS or GS, even from RSP.
    write_msr FS_BASE, 0x7fffffffffff
    FAULT(GP, 0, mov rax, fs:[1])
    mov rbx, 0x800000000000
    FAULT(GP, 0, mov rax, [rbx])
    mov rbp, rbx
    FAULT(SSF, 0, mov rax, [rbp])
    FAULT(GP, 0, mov rax, ds:[rbx])

    // RDFSBASE ... WRGSBASE need CR4.FSGSBASE.
    FAULT(UD, NONE, rdfsbase rax)
    FAULT(UD, NONE, wrgsbase rax)
    set_bits cr4, 0x10000
    rdgsbase rax
    CHECK(rax, 0xa0000)
    mov rax, 0xffffffff12345678
    wrfsbase eax
    rdfsbase rcx
    CHECK(rcx, 0x12345678)
    rdfsbase ecx
    CHECK(rcx, 0x12345678)
    wrgsbase rax
    rdgsbase rcx
    CHECK(rcx, 0xffffffff12345678)
    mov rbx, 0x800000000000
    FAULT(GP, 0, wrfsbase rbx)
    FAULT(GP, 0, wrgsbase rbx)
    TRY
    enter_user user_code
    CAUGHT(UD, NONE, user_done)
    CHECK(r8, 0x777)
    read_msr FS_BASE
    CHECK(rax, 0x777)
    PASS

.section .user, "awx"
user_code:
    mov eax, 0x777
    wrfsbase rax
    rdfsbase r8
user_done:
    ud2
