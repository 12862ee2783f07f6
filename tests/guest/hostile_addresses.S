// A guest that tries to reach what is not its own: addresses that are not canonical but look like
// mapped ones in the bits that find a translation, ends of pages and of the address space, segment
// bases, and stack pointers far away. See docs/decisions/0013.
#include "guest.inc"
//: ticks 600000

#define PAGE 0xa0000
#define ALIAS 0x100000000       // 4 GiB: the first GiB again, for ring 3 too
#define LOWEST_BAD 0x800000000000
#define ROUNDS 3

// All kinds of accesses to [rbx] fault with #GP.
.macro all_fault
    FAULT(GP, 0, mov rax, [rbx])
    FAULT(GP, 0, mov [rbx], rax)
    FAULT(GP, 0, mov byte ptr [rbx + 8], 1)
    FAULT(GP, 0, add [rbx], eax)
    FAULT(GP, 0, cmp word ptr [rbx + 2], 1)
    FAULT(GP, 0, lock xadd [rbx], r8)
    FAULT(GP, 0, cmpxchg16b [rbx])
    FAULT(GP, 0, movzx r9d, byte ptr [rbx])
    FAULT(GP, 0, movups xmm0, [rbx])
    FAULT(GP, 0, movaps [rbx], xmm0)
    FAULT(GP, 0, pshufb xmm1, [rbx])
    FAULT(GP, 0, push qword ptr [rbx])
    FAULT(GP, 0, call qword ptr [rbx])
    FAULT(GP, 0, jmp qword ptr [rbx])
    FAULT(GP, 0, div dword ptr [rbx])
    FAULT(GP, 0, bts dword ptr [rbx], 3)
    FAULT(GP, 0, mulx rsi, rdi, [rbx])
    TRY
91: mov rsi, [rbx]
    mov rdi, [rbx + 8]
    mov [rbx + 16], rsi
    CAUGHT(GP, 0, 91b)
    mov rdi, rbx
    mov esi, PAGE
    mov ecx, 4
    FAULT(GP, 0, rep stosb)
    FAULT(GP, 0, movsq)
    mov rsi, rbx
    mov edi, PAGE
    FAULT(GP, 0, rep movsd)
.endm

test:
    set_bits cr4, 0x600         // OSFXSR, OSXMMEXCPT
    mov rax, offset pd0 + 0x07
    mov [pdpt + 8 * 4], rax
    mov r15d, ROUNDS
again:
    // The page is used, so that a translation of it is cached.
    mov ebx, PAGE
    mov [rbx], rbx
    mov rax, [rbx]
    CHECK(rax, PAGE)

    // The same bits 12 to 47.
    mov r14d, 48
next_bit:
    mov ebx, PAGE
    btc rbx, r14
    all_fault
    inc r14d
    cmp r14d, 64
    jb next_bit
    mov rbx, 0x4000000000000000
    all_fault
    mov rbx, LOWEST_BAD
    all_fault
    mov rbx, 0xffff7ffffffff000
    all_fault

    // The ends of the halves, and of everything: nothing is mapped there.
    mov rbx, LOWEST_BAD - 4
    FAULT(PF, 0, mov eax, [rbx])
    FAULT(GP, 0, mov rax, [rbx])
    FAULT(GP, 0, mov [rbx + 1], rax)
    mov rbx, -4
    FAULT(PF, PF_WRITE, mov [rbx], eax)
    FAULT(PF, 0, mov rax, [rbx])
    mov rbx, 0xffff800000000000
    FAULT(PF, 0, mov rax, [rbx])
    FAULT(GP, 0, mov rax, [rbx - 1])

    // A page before one that is not present.
    mov qword ptr [PTE(PAGE + 0x1000)], 0
    mov ebx, PAGE + 0x1000
    mov [rbx - 32], rbx
    .irp offset, 1, 3, 7
    FAULT(PF, 0, mov rax, [rbx - \offset])
    CHECK(qword ptr [fault_cr2], PAGE + 0x1000)
    FAULT(PF, PF_WRITE, mov [rbx - \offset], rax)
    FAULT(PF, 0, movdqu xmm0, [rbx - \offset - 8])
    FAULT(PF, PF_WRITE, movdqu [rbx - \offset - 8], xmm0)
    .endr
    CHECK(qword ptr [rbx - 32], PAGE + 0x1000)

    // Segment bases lead to where the offset does not.
    write_msr 0xc0000100, 0x7ffffffff000
    FAULT(GP, 0, mov rax, fs:[0x1000])
    FAULT(PF, 0, mov rax, fs:[0xff8])
    FAULT(GP, 0, mov fs:[0xffc], rax)
    mov ebx, PAGE
    mov rcx, 0x7ffffffff000
    sub rbx, rcx
    mov rax, fs:[rbx]
    CHECK(rax, PAGE)
    FAULT(GP, 0, mov rax, fs:[ebx])

    // Branches to addresses that are not canonical.
    mov rax, LOWEST_BAD
    FAULT(GP, 0, jmp rax)
    FAULT(GP, 0, call rax)
    push rax
    FAULT(GP, 0, ret)
    pop rax

    call stack_tests
    dec r15d
    jnz again

    call jump_tests
    PASS

// Stacks far away, in ring 3: an exception has its own.
.macro user_stack_fault label
    TRY
    enter_user \label
    CAUGHT(SSF, 0, \label\()_here)
.endm

stack_tests:
    TRY
    enter_user far_stack
    CAUGHT(UD, NONE, far_stack_end)
    CHECK(r13, 0)
    user_stack_fault push_bad
    user_stack_fault pop_bad
    user_stack_fault call_bad
    user_stack_fault ret_bad
    user_stack_fault leave_bad
    user_stack_fault push_like_mine
    ret

.section .user, "awx"
// RSP moves by 4 GiB within a block, and the page there is the same: what was pushed there is here.
far_stack:
    xor r13d, r13d
    mov rax, 0x1111
    mov rbx, 0x2222
    push rax
    push rbx
    pop rbx
    pop rax
    jmp far_stack_up
far_stack_up:
    lea rsp, [rsp + 0x7fffffff]
    lea rsp, [rsp + 0x7fffffff]
    add rsp, 2
    push rax
    push rbx
    pop rcx
    pop rdx
    sub rsp, 0x7fffffff
    sub rsp, 0x7fffffff
    sub rsp, 2
    jmp far_stack_check
far_stack_check:
    xor rax, [rsp - 8]
    xor rbx, [rsp - 16]
    sub rdx, 0x1111
    sub rcx, 0x2222
    or r13, rax
    or r13, rbx
    or r13, rcx
    or r13, rdx
    // And down again, from the copy.
    mov rax, ALIAS
    add rsp, rax
    mov rax, 0x3333
    push rax
    push rax
    pop rbx
    pop rbx
    jmp far_stack_down
far_stack_down:
    sub rsp, 0x7fffffff
    sub rsp, 0x7fffffff
    sub rsp, 2
    mov [rsp - 8], rbx
    mov [rsp - 16], r15
    mov rcx, [rsp - 16]
    add rsp, 0x7fffffff
    add rsp, 0x7fffffff
    add rsp, 2
    sub rcx, [rsp - 16]
    sub rbx, [rsp - 8]
    or r13, rcx
    or r13, rbx
far_stack_end:
    ud2

// Not canonical; then two accesses.
push_bad:
    mov rsp, 0x4000000000000100
push_bad_here:
    push rax
    push rbx
pop_bad:
    mov rsp, 0x4000000000000100
pop_bad_here:
    pop rax
    pop rbx
call_bad:
    mov rsp, LOWEST_BAD + 8
call_bad_here:
    call push_bad
ret_bad:
    mov rsp, LOWEST_BAD - 7
ret_bad_here:
    ret 0x100
leave_bad:
    mov rbp, 0x8000000000090000
leave_bad_here:
    leave
    ret
// The stack's own page, but for bit 50.
push_like_mine:
    push rax
    push rbx
    pop rbx
    pop rax
    btc rsp, 50
    jmp push_like_mine_here
push_like_mine_here:
    push rax
    push rbx
    ud2

// Runs in ring 3 and then, if the kernel is misled, in the kernel.
spin:
    mov ecx, 100
spin_again:
    mov rax, offset spin_target
    jmp rax
spin_target:
    dec ecx
    jnz spin_again
spin_end:
    ud2

.section .text
// Addresses that are not canonical must not be taken for code that another privilege has run.
jump_tests:
    TRY
    enter_user spin
    CAUGHT(UD, NONE, spin_end)
    mov r14d, 1
next_tag:
    mov rbx, r14
    shl rbx, 48
    mov rax, offset spin_target
    xor rbx, rax
    FAULT(GP, 0, jmp rbx)
    push rbx
    FAULT(GP, 0, ret)
    pop rbx
    inc r14d
    cmp r14d, 64
    jb next_tag
    ret
