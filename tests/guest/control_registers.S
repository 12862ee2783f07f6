// Control registers: what they refuse, and that a refused write changes nothing
// (APM vol. 2, 3.1; vol. 3, MOV CRn).
#include "guest.inc"

.macro refused line, register, value
    mov rbx, \register
    mov rax, \value
    fault_here \line, GP, 0, "mov \register, rax"
    mov rcx, \register
    check_equal \line, rcx, rbx
.endm
#define REFUSED(register, value) refused __LINE__, register, value

test:
    USER_FAULT(GP, 0, mov rax, cr0)
    USER_FAULT(GP, 0, mov cr3, rax)
    USER_FAULT(GP, 0, mov rax, cr8)
    USER_FAULT(GP, 0, clts)
    USER_FAULT(GP, 0, lmsw ax)
    USER_FAULT(GP, 0, hlt)
    USER_FAULT(GP, 0, invlpg [rax])
    USER_FAULT(GP, 0, wbinvd)
    USER_FAULT(GP, 0, invd)

    // CR0: PG without PE, PG off in 64-bit code, NW without CD, the upper half.
    REFUSED(cr0, 0x80010032)
    REFUSED(cr0, 0x00010033)
    REFUSED(cr0, 0xa0010033)
    REFUSED(cr0, 0x180010033)
    mov rax, cr0
    or eax, 0x60000000
    mov cr0, rax
    mov rcx, cr0
    CHECK(rcx, rax)
    and eax, ~0x60000000
    mov cr0, rax
    // ET is always set.
    and eax, ~0x10
    mov cr0, rax
    mov rax, cr0
    CHECK(rax, 0x80010033)

    // CR3: bits beyond the physical addresses.
    mov eax, 0x80000008
    cpuid
    movzx ecx, al
    mov edi, 1
    shl rdi, cl
    mov rax, cr3
    or rdi, rax
    FAULT(GP, 0, mov cr3, rdi)
    bts rax, 63
    FAULT(GP, 0, mov cr3, rax)
    mov rax, cr3
    CHECK(rax, offset pml4)
    or eax, 0x18
    mov cr3, rax
    mov rcx, cr3
    CHECK(rcx, rax)

    // CR4: PAE must stay, unknown bits.
    REFUSED(cr4, 0x600)
    REFUSED(cr4, 0x1000)                            // LA57
    REFUSED(cr4, 0x2620)                            // VMXE
    REFUSED(cr4, 0x20620)                           // PCIDE
    REFUSED(cr4, 0x80000620)
    REFUSED(cr4, 0x100000620)

    // CR8 is the task priority's upper half.
    mov eax, 16
    FAULT(GP, 0, mov cr8, rax)
    mov eax, 9
    mov cr8, rax
    mov rcx, cr8
    CHECK(rcx, 9)
    mov edi, 0xfee00080
    mov eax, [rdi]
    CHECK(rax, 0x90)
    mov dword ptr [rdi], 0x35
    mov rcx, cr8
    CHECK(rcx, 3)
    xor eax, eax
    mov cr8, rax

    // CR2 holds what is written; all 64 bits.
    mov rax, 0x123456789abcdef0
    mov cr2, rax
    mov rcx, cr2
    CHECK(rcx, rax)

    // SMSW and LMSW: PE can only be set.
    smsw eax
    mov rcx, cr0
    CHECK(rax, rcx)
    mov eax, 0xfffe
    lmsw ax
    mov rcx, cr0
    CHECK(rcx, 0x8001003f)
    xor eax, eax
    lmsw ax
    mov rcx, cr0
    CHECK(rcx, 0x80010031)
    clts
    TRY
    enter_user user_smsw
    CAUGHT(UD, NONE, user_smsw_end)
    CHECK(r8, 0x80010031)

    // MOV to a register of the CPU ignores ModRM.mod.
    .byte 0x0f, 0x20, 0x00                          // MOV RAX, CR0 with mod = 0
    CHECK(rax, 0x80010031)
    PASS

.section .user, "awx"
user_smsw:
    smsw r8
user_smsw_end:
    ud2
