// Changes of page tables count at once, with and without INVLPG: every access behaves as a walk of
// the tables as they are (docs/memory.md; APM vol. 2, 5.5 allows it).
#include "guest.inc"

#define PAGE 0xa0000
#define OTHER 0xa1000
#define THIRD 0xa2000

.macro map page, frame, bits=3
    mov qword ptr [PTE(\page)], \frame + \bits
.endm

test:
    mov qword ptr [PAGE], 0x1111
    mov qword ptr [OTHER], 0x2222
    mov qword ptr [THIRD], 0x3333

    // In one straight line, and in a loop.
    mov rax, [PAGE]
    map PAGE, OTHER
    mov rcx, [PAGE]
    map PAGE, THIRD
    mov rdx, [PAGE]
    CHECK(rax, 0x1111)
    CHECK(rcx, 0x2222)
    CHECK(rdx, 0x3333)
    xor ebx, ebx
    mov esi, 1000
1:  mov eax, esi
    and eax, 1
    shl eax, 12
    add eax, PAGE + 3
    mov [PTE(PAGE)], rax
    add rbx, [PAGE]
    dec esi
    jnz 1b
    CHECK(rbx, 500 * 0x3333)
    map PAGE, PAGE
    invlpg [PAGE]
    mov rax, [PAGE]
    CHECK(rax, 0x1111)

    // Writes go to where the page is now; the old frame keeps its contents.
    mov qword ptr [PAGE + 8], 1
    map PAGE, OTHER
    mov qword ptr [PAGE + 8], 2
    map PAGE, PAGE
    mov rax, [PAGE + 8]
    mov rcx, [OTHER + 8]
    CHECK(rax, 1)
    CHECK(rcx, 2)

    // A store of half an entry, one across two entries, and one by a string instruction.
    mov dword ptr [PTE(PAGE)], OTHER + 3
    mov rax, [PAGE]
    CHECK(rax, 0x2222)
    mov byte ptr [PTE(PAGE) + 1], THIRD >> 8 & 0xff
    mov rax, [PAGE]
    CHECK(rax, 0x3333)
    map PAGE, PAGE
    mov rax, [OTHER]
    mov rax, (THIRD + 3) << 32
    mov [PTE(PAGE) + 4], rax
    mov rax, [OTHER]
    CHECK(rax, 0x3333)
    mov qword ptr [saved], OTHER + 3
    mov esi, offset saved
    mov edi, offset PTE(OTHER)
    mov ecx, 1
    rep movsq
    mov rax, [OTHER]
    CHECK(rax, 0x2222)

    // Taking rights away.
    map PAGE, PAGE, 1
    FAULT(PF, PF_PRESENT | PF_WRITE, mov [PAGE], rax)
    map PAGE, PAGE, 0
    FAULT(PF, 0, mov rax, [PAGE])
    map PAGE, PAGE

    // Through another mapping of the table: 2 MiB pages reach all of the first gigabyte, so map the
    // table's frame as a page of the test.
    mov rax, offset pt0 + 3
    mov [PTE(THIRD)], rax
    mov qword ptr [THIRD + 8 * (PAGE >> 12)], OTHER + 3
    mov rax, [PAGE]
    CHECK(rax, 0x2222)
    mov qword ptr [THIRD + 8 * (PAGE >> 12)], PAGE + 3
    map THIRD, THIRD
    mov rax, [PAGE]
    CHECK(rax, 0x1111)

    // An upper level: another table for the same 2 MiB.
    mov esi, offset pt0
    mov edi, offset table
    mov ecx, 512
    rep movsq
    mov qword ptr [table + 8 * (PAGE >> 12)], THIRD + 3
    mov rax, [PAGE]
    mov qword ptr [pd0], offset table + 7
    mov rcx, [PAGE]
    mov qword ptr [pd0], offset pt0 + 7
    mov rdx, [PAGE]
    CHECK(rax, 0x1111)
    CHECK(rcx, 0x3333)
    CHECK(rdx, 0x1111)

    // Code: the page is executed, then another frame is there, then its execution is forbidden.
    mov dword ptr [PAGE + 0x100], 0xc3c0ff          // INC EAX; RET
    mov dword ptr [OTHER + 0x100], 0xc3c8ff         // DEC EAX; RET
    mov ebx, PAGE + 0x100
    mov eax, 10
    call rbx
    call rbx
    map PAGE, OTHER
    call rbx
    CHECK(rax, 11)
    mov rcx, PAGE + 3 + PTE_NX
    mov [PTE(PAGE)], rcx
    TRY
    call rbx
    CAUGHT(PF, PF_PRESENT | PF_FETCH, PAGE + 0x100)
    map PAGE, PAGE
    call rbx
    CHECK(rax, 12)
    // By the code itself, for the instruction after the store.
    mov rdx, 0xc300000001b8                         // MOV EAX, 1; RET
    mov [PAGE + 0x200 + 11], rdx
    mov rdx, 0xc300000002b8                         // MOV EAX, 2; RET
    mov [OTHER + 0x200 + 11], rdx
    mov esi, offset remap_code
    mov edi, PAGE + 0x200
    mov ecx, offset remap_code_end - remap_code
    rep movsb
    mov ebx, PAGE + 0x200
    mov edi, offset PTE(PAGE)
    call rbx
    CHECK(rax, 2)
    map PAGE, PAGE

    // Another root: the same addresses, other contents; back again; and a change made meanwhile.
    mov esi, offset pml4
    mov edi, offset root
    mov ecx, 512
    rep movsq
    mov qword ptr [root], offset table3 + 7
    mov esi, offset pdpt
    mov edi, offset table3
    mov ecx, 512
    rep movsq
    mov qword ptr [table3], offset table2 + 7
    mov esi, offset pd0
    mov edi, offset table2
    mov ecx, 512
    rep movsq
    mov qword ptr [table2], offset table + 7
    mov r8, cr3
    mov r9, offset root
    mov rax, [PAGE]
    mov cr3, r9
    mov rcx, [PAGE]
    map PAGE, OTHER
    mov rsi, [PAGE]
    mov cr3, r8
    mov rdx, [PAGE]
    CHECK(rax, 0x1111)
    CHECK(rcx, 0x3333)
    CHECK(rsi, 0x3333)
    CHECK(rdx, 0x2222)
    map PAGE, PAGE
    // Ring 3 sees it too.
    mov qword ptr [PTE(0x9e000)], PAGE + 7
    TRY
    enter_user user_read
    CAUGHT(UD, NONE, user_end)
    CHECK(r8, 0x1111)
    mov qword ptr [PTE(0x9e000)], OTHER + 7
    TRY
    enter_user user_read
    CAUGHT(UD, NONE, user_end)
    CHECK(r8, 0x2222)
    mov qword ptr [PTE(0x9e000)], OTHER + 3
    TRY
    enter_user user_read
    CAUGHT(PF, PF_PRESENT | PF_USER, user_read)

    // The upper half is shared by the roots with the same entries, and by nobody else.
    mov rax, offset table3 + 7
    mov [pml4 + 8 * 256], rax
    mov rbx, 0xffff800000000000
    mov rax, [rbx + PAGE]
    CHECK(rax, 0x3333)
    mov qword ptr [table + 8 * (PAGE >> 12)], PAGE + 3
    mov rax, [rbx + PAGE]
    CHECK(rax, 0x1111)
    mov r8, cr3
    mov cr3, r9
    FAULT(PF, 0, mov rax, [rbx + PAGE])
    mov cr3, r8
    mov rax, [rbx + PAGE]
    CHECK(rax, 0x1111)
    mov qword ptr [pml4 + 8 * 256], 0
    FAULT(PF, 0, mov rax, [rbx + PAGE])
    PASS

// The first instruction is a store of 11 bytes that replaces this page's frame.
remap_code:
    .byte 0x48, 0xc7, 0x87
    .long 0
    .long OTHER + 3                                 // MOV QWORD PTR [RDI + 0], OTHER + 3
remap_code_end:

.section .bss
.balign 4096
table: .skip 4096
root: .skip 4096
table3: .skip 4096
table2: .skip 4096
saved: .skip 8

.section .user, "awx"
user_read:
    mov r8, [0x9e000]
user_end:
    ud2
