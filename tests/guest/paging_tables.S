// Page sizes, reserved bits, and exactly which accessed and dirty bits the walk sets
// (APM vol. 2, 5.3 and 5.4).
#include "guest.inc"

#define LINEAR 0x8000000000             // PML4 entry 1
#define MARKS (PTE_A | PTE_D)

// The marks in an entry must be these; then they are cleared. Changes RAX.
#define MARKED(entry, marks) mov rax, [entry]; and eax, MARKS; \
    CHECK(rax, marks); and qword ptr [entry], ~MARKS

test:
    mov qword ptr [pml4 + 8], offset table3 + 7
    mov qword ptr [table3], offset table2 + 7
    mov qword ptr [table2], offset table1 + 7
    mov qword ptr [table1], 0xa0000 + 3
    mov qword ptr [0xa0010], 0x1234
    mov rbx, LINEAR

    // 4 KiB. A read marks all levels as accessed; a write marks the last one as dirty.
    mov rax, [rbx + 0x10]
    CHECK(rax, 0x1234)
    MARKED(pml4 + 8, PTE_A)
    MARKED(table3, PTE_A)
    MARKED(table2, PTE_A)
    MARKED(table1, PTE_A)
    mov [rbx], rax
    MARKED(table1, PTE_A | PTE_D)
    MARKED(table2, PTE_A)
    // Cleared marks are set again by the next access, each by its own.
    mov rax, [rbx]
    MARKED(table1, PTE_A)
    add [rbx], rax
    MARKED(table1, PTE_A | PTE_D)
    cmpxchg [rbx + 0x10], rcx
    MARKED(table1, PTE_A | PTE_D)
    // A fetch only accesses.
    mov word ptr [rbx], 0x0b0f
    mov qword ptr [table1], 0xa0000 + 3
    TRY
    jmp rbx
    CAUGHT(UD, NONE, LINEAR)
    MARKED(table1, PTE_A)
    // A fault marks nothing.
    and qword ptr [table2], ~MARKS
    mov qword ptr [table1], 0xa0000 + 1
    FAULT(PF, PF_PRESENT | PF_WRITE, mov [rbx], rax)
    MARKED(table1, 0)
    MARKED(table2, 0)
    mov qword ptr [table1], 0
    FAULT(PF, PF_WRITE, mov [rbx], rax)
    MARKED(table2, 0)
    // INVLPG does nothing to them, and takes any address.
    mov qword ptr [table1], 0xa0000 + 3
    invlpg [rbx]
    mov rax, 0x800000000000
    invlpg [rax]
    MARKED(table1, 0)

    // 2 MiB.
    mov qword ptr [table2], 0x00000 + PTE_LARGE + 3
    mov rax, [rbx + 0xa0010]
    CHECK(rax, 0x1234)
    MARKED(table2, PTE_A)
    mov [rbx + 0xa0018], rax
    MARKED(table2, PTE_A | PTE_D)
    // Address bits 13 to 20 are reserved; bit 12 is the PAT's.
    mov qword ptr [table2], 0x1000 + PTE_LARGE + 3
    mov rax, [rbx + 0xa0010]
    CHECK(rax, 0x1234)
    mov qword ptr [table2], 0x2000 + PTE_LARGE + 3
    FAULT(PF, PF_PRESENT | PF_RESERVED, mov rax, [rbx])
    mov qword ptr [table2], 0x100000 + PTE_LARGE + 3
    FAULT(PF, PF_PRESENT | PF_RESERVED | PF_WRITE, mov [rbx], rax)

    // 1 GiB.
    mov qword ptr [table3], PTE_LARGE + 3
    mov rax, [rbx + 0xa0010]
    CHECK(rax, 0x1234)
    MARKED(table3, PTE_A)
    mov [rbx + 0xa0018], rax
    MARKED(table3, PTE_A | PTE_D)
    mov qword ptr [table3], 0x200000 + PTE_LARGE + 3
    FAULT(PF, PF_PRESENT | PF_RESERVED, mov rax, [rbx])

    // Bit 7 does not exist in the root; address bits beyond the processor's nowhere.
    mov qword ptr [table3], offset table2 + 7
    mov qword ptr [table2], offset table1 + 7
    mov rax, [rbx]
    or qword ptr [pml4 + 8], PTE_LARGE
    FAULT(PF, PF_PRESENT | PF_RESERVED, mov rax, [rbx])
    and qword ptr [pml4 + 8], ~PTE_LARGE
    .irp entry, pml4 + 8, table3, table2, table1
    bts qword ptr [\entry], 51
    FAULT(PF, PF_PRESENT | PF_RESERVED, mov rax, [rbx])
    btr qword ptr [\entry], 51
    .endr
    // Bits 52 to 62 are free.
    .irp entry, pml4 + 8, table3, table2, table1
    bts qword ptr [\entry], 52
    bts qword ptr [\entry], 62
    .endr
    mov rax, [rbx]
    // Not present comes before reserved.
    mov rax, 0x8000000000000
    mov [table1], rax
    FAULT(PF, 0, mov rax, [rbx])

    // A table beyond the memory reads as not present.
    mov rax, 0x100000007
    mov [table2], rax
    FAULT(PF, 0, mov rax, [rbx])

    // The upper half: the last entry of each table.
    mov qword ptr [pml4 + 8 * 511], offset table3 + 7
    mov qword ptr [table3 + 8 * 511], offset table2 + 7
    mov qword ptr [table2 + 8 * 511], offset table1 + 7
    mov qword ptr [table1 + 8 * 511], 0xa0000 + 3
    mov rax, [-0x1000 + 0x10]
    CHECK(rax, 0x1234)
    MARKED(pml4 + 8 * 511, PTE_A)
    mov rax, [-0x1000 + 0x10]
    MARKED(pml4 + 8 * 511, PTE_A)
    mov [-0x1000 + 0x18], rax
    MARKED(table1 + 8 * 511, PTE_A | PTE_D)
    PASS

.section .bss
.balign 4096
table3: .skip 4096
table2: .skip 4096
table1: .skip 4096
