// Code that is written while it runs: the next instruction is always what memory holds
// (APM vol. 2, 7.6.1).
#include "guest.inc"

#define PAGE 0xa0000

test:
    // The very next instruction, in the same block.
    mov ecx, 3
1:  mov byte ptr [patched + 1], cl
patched:
    mov al, 0x55
    movzx ebx, al
    CHECK(rbx, rcx)
    dec ecx
    jnz 1b

    // By an unaligned store across two instructions, a push, a locked one, a vector store.
    mov rax, 0x02c1830001c38300
    xor ebx, ebx
    xor ecx, ecx
    lea rdx, [group]
    mov word ptr [rdx + 1], 0x03c3                  // ADD EBX, 3
group:
    add ebx, 1
    add ecx, 2
    CHECK(rbx, 3)
    mov rsp, offset pushed + 8
    mov rax, 0x90909090c3ff9090                     // NOP, NOP, INC EBX, NOPs
    push rax
pushed:
    .fill 8, 1, 0xcc
    mov rsp, offset stack_top
    CHECK(rbx, 4)
    mov eax, 0xc3ff
    lock xchg [swapped], ax
swapped:
    ud2
    CHECK(rbx, 5)
    mov rax, 0x9090c3ffc3ffc3ff
    movq xmm0, rax
    movq [vector], xmm0
vector:
    .fill 8, 1, 0xcc
    CHECK(rbx, 8)

    // A page that was just written is executed, rewritten and executed again.
    mov esi, 100
    xor edi, edi
2:  mov byte ptr [PAGE], 0xb8                       // MOV EAX, imm32
    mov [PAGE + 1], esi
    mov byte ptr [PAGE + 5], 0xc3                   // RET
    mov ebx, PAGE
    call rbx
    add edi, eax
    dec esi
    jnz 2b
    CHECK(rdi, 5050)

    // Through another linear address.
    mov qword ptr [PTE(PAGE + 0x1000)], PAGE + 3
    mov byte ptr [PAGE + 0x1001], 77
    call rbx
    CHECK(rax, 77)
    mov edx, PAGE + 0x1000
    call rdx
    CHECK(rax, 77)
    mov byte ptr [PAGE + 1], 78
    call rdx
    CHECK(rax, 78)
    mov qword ptr [PTE(PAGE + 0x1000)], PAGE + 0x1003

    // An instruction over two pages, either half.
    mov dword ptr [PAGE + 0xffd], 0x0001b8          // MOV EAX, 1: five bytes
    mov byte ptr [PAGE + 0x1000], 0
    mov word ptr [PAGE + 0x1001], 0xc300
    mov ebx, PAGE + 0xffd
    call rbx
    CHECK(rax, 1)
    mov byte ptr [PAGE + 0xffe], 2
    call rbx
    CHECK(rax, 2)
    mov byte ptr [PAGE + 0x1001], 4
    call rbx
    CHECK(rax, 0x04000002)
    // ... and when its second page becomes another one.
    mov byte ptr [PAGE + 0x2000], 0
    mov word ptr [PAGE + 0x2001], 0xc305
    mov qword ptr [PTE(PAGE + 0x1000)], PAGE + 0x2003
    call rbx
    CHECK(rax, 0x05000002)

    // A string instruction that overwrites itself and what follows it: MOV EAX instead of UD2s.
    mov esi, offset replacement
    mov edi, offset overwritten
    mov ecx, 10
overwritten:
    rep movsb
    .fill 8, 1, 0xcc
    CHECK(rax, 0x1234)
    CHECK(rcx, 0)

    // Ring 3 does the same.
    TRY
    enter_user user_code
    CAUGHT(UD, NONE, user_end)
    CHECK(rbx, 0x99)
    PASS

replacement:
    rep movsb
    mov eax, 0x1234
    nop
    nop
    nop

.section .user, "awx"
user_code:
    mov byte ptr [user_patched + 1], 0x99
user_patched:
    mov bl, 0
    movzx ebx, bl
user_end:
    ud2
