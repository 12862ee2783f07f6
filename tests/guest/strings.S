// String instructions that fault in the middle, and go on where they were (APM vol. 3, 1.2.6).
#include "guest.inc"

#define PAGE 0xa0000

test:
    mov qword ptr [PTE(PAGE + 0x2000)], 0

    // MOVS: the destination ends.
    mov esi, PAGE
    mov edi, PAGE + 0x1f00
    mov ecx, 0x200
    TRY
moving:
    rep movsb
    CAUGHT(PF, PF_WRITE, moving)
    CHECK(rcx, 0x100)
    CHECK(rsi, PAGE + 0x100)
    CHECK(rdi, PAGE + 0x2000)
    CHECK(qword ptr [fault_cr2], PAGE + 0x2000)
    CHECK(qword ptr [fault_rflags], RFLAGS_FIXED | RFLAGS_RF | 0x44)

    // The source ends, in elements that do not fit: the fourth crosses the page.
    mov esi, PAGE + 0x2000 - 27
    mov edi, PAGE
    mov ecx, 10
    TRY
moving_quadwords:
    rep movsq
    CAUGHT(PF, 0, moving_quadwords)
    CHECK(rcx, 7)
    CHECK(rsi, PAGE + 0x2000 - 3)
    CHECK(rdi, PAGE + 24)
    CHECK(qword ptr [fault_cr2], PAGE + 0x2000)

    // Downwards, into the null page.
    mov qword ptr [PTE(PAGE)], 0
    mov edi, PAGE + 0x1007
    mov ecx, 100
    mov al, 0x5a
    std
    TRY
storing:
    rep stosb
    CAUGHT(PF, PF_WRITE, storing)
    CHECK(rcx, 92)
    CHECK(rdi, PAGE + 0xfff)
    CHECK(qword ptr [fault_cr2], PAGE + 0xfff)
    mov rax, [fault_rflags]
    and eax, RFLAGS_DF
    CHECK(rax, RFLAGS_DF)
    mov rax, [PAGE + 0x1000]
    mov rdx, 0x5a5a5a5a5a5a5a5a
    CHECK(rax, rdx)
    mov qword ptr [PTE(PAGE)], PAGE + 3

    // CMPS and SCAS: ends by their condition come before the fault, and flags are of the last pair.
    mov edi, PAGE + 0x1ffe
    mov byte ptr [rdi], 1
    mov byte ptr [rdi + 1], 2
    mov ecx, 5
    mov al, 2
    repne scasb
    CHECK(rcx, 3)
    CHECK(rdi, PAGE + 0x2000)
    mov edi, PAGE + 0x1ffe
    mov ecx, 5
    mov al, 7
    TRY
scanning:
    repne scasb
    CAUGHT(PF, 0, scanning)
    CHECK(rcx, 3)
    CHECK(rdi, PAGE + 0x2000)

    // LODS keeps what it had loaded.
    mov esi, PAGE + 0x1ffe
    mov ecx, 5
    mov eax, 0
    TRY
loading:
    rep lodsb
    CAUGHT(PF, 0, loading)
    CHECK(rcx, 3)
    CHECK(rax, 2)

    // A handler that makes the page and returns: the copy ends as if nothing had been.
    set_gate PF, map_handler
    mov qword ptr [PTE(PAGE + 0x3000)], 0
    mov edi, PAGE + 0x1000
    mov ecx, 0x200
    mov rax, 0x1122334455667788
    rep stosq
    mov esi, PAGE + 0x1003
    mov edi, PAGE + 0x1ff9
    mov ecx, 0x1000
    rep movsb
    CHECK(rcx, 0)
    CHECK(rsi, PAGE + 0x2003)
    CHECK(rdi, PAGE + 0x2ff9)
    CHECK(qword ptr [maps], 1)
    mov eax, [PAGE + 0x2fee]
    mov ecx, [PAGE + 0x1ff8]
    CHECK(rax, rcx)

    // 32-bit addresses: registers are truncated, and wrap. A count of 0 writes nothing at all.
    mov rdi, 0x5500000000000000 + PAGE
    mov rcx, 0x7700000000000002
    .byte 0x67
    rep stosb
    CHECK(rdi, PAGE + 2)
    CHECK(rcx, 0)
    mov rdi, -1
    xor ecx, ecx
    rep stosb
    CHECK(rdi, -1)
    PASS

map_handler:
    push rax
    push rcx
    mov rax, cr2
    and rax, ~0xfff
    mov rcx, rax
    shr rcx, 12
    or rax, 3
    mov [pt0 + rcx * 8], rax
    inc qword ptr [maps]
    pop rcx
    pop rax
    add rsp, 8
    iretq

.section .bss
.balign 8
maps: .skip 8
