// #AC: in ring 3, with CR0.AM and RFLAGS.AC (APM vol. 2, 8.2.18).
#include "guest.inc"

#define CR0_AM 0x40000
#define ALIGNED_FLAGS (RFLAGS_FIXED | RFLAGS_AC)
#define MISALIGNED(...) misaligned __LINE__, STRING(__VA_ARGS__)

.macro misaligned line, instruction
.pushsection .user, "awx"
79: \instruction
    ud2
.popsection
    try_begin
    enter_user 79b, ALIGNED_FLAGS
    try_caught \line, AC, 0, 79b
.endm
test:
    set_bits cr0, CR0_AM
    mov ebx, 0x9e000
    MISALIGNED(mov ax, [rbx + 1])
    MISALIGNED(mov eax, [rbx + 2])
    MISALIGNED(mov rax, [rbx + 4])
    MISALIGNED(mov [rbx + 7], rax)
    MISALIGNED(add [rbx + 1], eax)
    MISALIGNED(push [rbx + 1])
    MISALIGNED(movsd xmm0, [rbx + 4])
    MISALIGNED(fld dword ptr [rbx + 2])
    // Aligned accesses and bytes are allowed, and everything without AC or in ring 0.
    TRY
    enter_user user_aligned, ALIGNED_FLAGS
    CAUGHT(UD, NONE, user_aligned_end)
    TRY
    enter_user user_misaligned
    CAUGHT(UD, NONE, user_misaligned_end)
    push ALIGNED_FLAGS
    popfq
    mov rax, [rbx + 1]
    push RFLAGS_FIXED
    popfq
    clear_bits cr0, CR0_AM
    TRY
    enter_user user_misaligned, ALIGNED_FLAGS
    CAUGHT(UD, NONE, user_misaligned_end)
    set_bits cr0, CR0_AM
    // AC set by the program itself counts from the next instruction on.
    TRY
    enter_user user_sets
    CAUGHT(AC, 0, user_set)
    // A page fault of a misaligned address is not looked for: #AC comes first.
    mov qword ptr [PTE(0x9e000)], 0
    MISALIGNED(mov rax, [rbx + 1])
    // The stack of ring 0 and descriptors are the CPU's own accesses.
    mov qword ptr [tss_rsp0], offset rsp0_top - 1
    MISALIGNED(mov rax, [rbx + 1])
    CHECK(qword ptr [fault_stack], offset rsp0_top - 64)
    PASS

.section .user, "awx"
user_aligned:
    mov al, [rbx + 1]
    mov ax, [rbx + 2]
    mov eax, [rbx + 4]
    mov rax, [rbx + 8]
    movups xmm0, [rbx + 16]
user_aligned_end:
    ud2
user_misaligned:
    mov rax, [rbx + 1]
    mov [rbx + 3], eax
user_misaligned_end:
    ud2
user_sets:
    push ALIGNED_FLAGS
    popfq
user_set:
    mov rax, [rbx + 1]
