// Breakpoints: code, data and I/O; DR6, DR7.GD, RF (APM vol. 2, 13.1).
#include "guest.inc"

#define DR6_CLEAR 0xffff0ff0
#define B0 1
#define B1 2
#define B2 4
#define B3 8
#define BD 0x2000
#define BS 0x4000
// DR7: enable of breakpoint n, its condition and its size.
#define ENABLE(n) (2 << (2 * n))
#define WRITES(n) (1 << (16 + 4 * n))
#define PORTS(n) (2 << (16 + 4 * n))
#define ACCESSES(n) (3 << (16 + 4 * n))
#define SIZE2(n) (1 << (18 + 4 * n))
#define SIZE8(n) (2 << (18 + 4 * n))
#define SIZE4(n) (3 << (18 + 4 * n))

#define SET_DR(register, value) mov rax, value; mov register, rax

// DR6 must hold these causes; then it is cleared. Changes RAX.
#define CAUSES(causes) mov rax, dr6; \
    CHECK(rax, DR6_CLEAR | (causes)); xor eax, eax; mov dr6, rax

test:
    // Access: ring 0; DR4 and DR5 are DR6 and DR7 without CR4.DE.
    USER_FAULT(GP, 0, mov rax, dr0)
    USER_FAULT(GP, 0, mov dr7, rax)
    SET_DR(dr7, 0)
    mov rax, dr7
    CHECK(rax, 0x400)
    SET_DR(dr6, 0)
    mov rax, dr6
    CHECK(rax, DR6_CLEAR)
    SET_DR(dr6, 0xffffffff)
    mov rax, dr6
    CHECK(rax, DR6_CLEAR | 0xe00f)
    .byte 0x0f, 0x21, 0xe0                          // MOV RAX, DR4
    CHECK(rax, DR6_CLEAR | 0xe00f)
    SET_DR(dr6, 0)
    set_bits cr4, 8
    FAULT(UD, NONE, .byte 0x0f, 0x21, 0xe0)
    FAULT(UD, NONE, .byte 0x0f, 0x23, 0xe8)
    mov rax, 0x100000000
    FAULT(GP, 0, mov dr6, rax)
    FAULT(GP, 0, mov dr7, rax)
    mov rax, 0x123456789abcdef0
    mov dr3, rax
    mov rcx, dr3
    CHECK(rcx, rax)
    SET_DR(dr3, 0)

    // General detect: a fault, which clears GD.
    SET_DR(dr7, 0x2000)
    FAULT(DB, NONE, mov rax, dr2)
    CAUSES(BD)
    mov rax, dr7
    CHECK(rax, 0x400)

    // A code breakpoint is a fault before the instruction; it does not push RF.
    SET_DR(dr0, offset broken)
    SET_DR(dr7, ENABLE(0))
    xor ebx, ebx
    TRY
broken:
    inc ebx
    CAUGHT(DB, NONE, broken)
    CHECK(rbx, 0)
    mov rax, [fault_rflags]
    and eax, RFLAGS_RF
    CHECK(rax, 0)
    CAUSES(B0)

    // With RF in the frame, IRET gets past it, once.
    xor ebx, ebx
    push DATA64
    push offset stack_top - 0x100
    push RFLAGS_FIXED | RFLAGS_RF
    push CODE64
    push offset broken_again
    SET_DR(dr0, offset broken_again)
    TRY
    iretq
broken_again:
    inc ebx
    pushfq
    pop rcx
    jmp broken_again
    CAUGHT(DB, NONE, broken_again)
    CHECK(rbx, 1)
    and ecx, RFLAGS_RF
    CHECK(rcx, 0)
    CAUSES(B0)

    // RF holds for all iterations of a REP, here over three pages.
    mov esi, 0xa0000
    mov edi, 0xa4000
    mov ecx, 0x2800
    SET_DR(dr0, offset repeated)
    push DATA64
    push offset stack_top - 0x100
    push RFLAGS_FIXED | RFLAGS_RF
    push CODE64
    push offset repeated
    iretq
repeated:
    rep movsb
    CHECK(rcx, 0)
    CAUSES(0)

    // Not the byte after the first, and no data access.
    SET_DR(dr0, offset not_first + 1)
not_first:
    mov eax, 0x1234
    SET_DR(dr0, 0xa0000)
    mov [0xa0000], eax
    CAUSES(0)

    // Data: a trap after the instruction. Writes of every size that touch the bytes.
    SET_DR(dr0, 0)
    SET_DR(dr1, 0xa0008)
    SET_DR(dr7, ENABLE(1) | WRITES(1) | SIZE8(1))
    mov byte ptr [0xa0007], 1
    mov byte ptr [0xa0010], 1
    mov rax, [0xa0008]
    CAUSES(0)
    TRY
    mov byte ptr [0xa000f], 1
after_byte:
    CAUGHT(DB, NONE, after_byte)
    CAUSES(B1)
    TRY
    mov word ptr [0xa0007], 0x1234
after_word:
    CAUGHT(DB, NONE, after_word)
    CAUSES(B1)
    mov ax, [0xa0007]
    cmp ax, 0x1234                                  // the store is done
    je 1f
    UNREACHABLE
1:  mov ebx, 0xa0010
    TRY
    xchg [rbx - 3], rcx
after_exchange:
    CAUGHT(DB, NONE, after_exchange)
    CAUSES(B1)
    // A read-modify-write that writes back what was there.
    TRY
    lock or dword ptr [rbx - 4], 0
after_or:
    CAUGHT(DB, NONE, after_or)
    CAUSES(B1)

    // Reads and writes; two breakpoints at once; the low address bits do not count.
    SET_DR(dr2, 0xa0022)
    SET_DR(dr3, 0xa0021)
    SET_DR(dr7, ENABLE(2) | ACCESSES(2) | SIZE4(2) | ENABLE(3) | ACCESSES(3))
    TRY
    mov al, [0xa0023]
after_read:
    CAUGHT(DB, NONE, after_read)
    CAUSES(B2)
    mov al, [0xa0024]
    mov al, [0xa001f]
    CAUSES(0)
    TRY
    mov rax, [0xa001a]
after_wide_read:
    CAUGHT(DB, NONE, after_wide_read)
    CAUSES(B2 | B3)
    TRY
    movups xmm0, [0xa0014]
after_vector:
    CAUGHT(DB, NONE, after_vector)
    CAUSES(B2 | B3)

    // The stack (not the handler's): PUSH, CALL, and RET, whose trap comes at its target.
    mov byte ptr [idt + 16 * DB + 4], 2
    SET_DR(dr0, offset stack_top - 0x208)
    SET_DR(dr7, ENABLE(0) | ACCESSES(0) | SIZE8(0))
    TRY
    mov rsp, offset stack_top - 0x200
    push rax
after_push:
    CAUGHT(DB, NONE, after_push)
    CAUSES(B0)
    TRY
    mov rsp, offset stack_top - 0x200
    call called
    CAUGHT(DB, NONE, called)
    CAUSES(B0)
    SET_DR(dr7, 0)
    mov rcx, offset returned
    mov [stack_top - 0x208], rcx
    SET_DR(dr7, ENABLE(0) | ACCESSES(0) | SIZE8(0))
    TRY
    mov rsp, offset stack_top - 0x208
    ret
    CAUGHT(DB, NONE, returned)
    CAUSES(B0)

    // A fault comes first, and then nothing has been accessed.
    SET_DR(dr0, 0xa0040)
    SET_DR(dr7, ENABLE(0) | ACCESSES(0) | SIZE4(0))
    mov rbx, 0x10
    FAULT(PF, 0, push [rbx])
    CAUSES(0)

    // REP: the trap comes after the iteration, with the rest still to do.
    mov esi, 0xa0100
    mov edi, 0xa003c
    mov ecx, 9
    mov dword ptr [0xa0100], 0x04030201
    mov dword ptr [0xa0104], 0x08070605
    TRY
moving:
    rep movsb
    CAUGHT(DB, NONE, moving)
    CHECK(rcx, 4)
    CHECK(rdi, 0xa0041)
    CHECK(rsi, 0xa0105)
    CAUSES(B0)
    // The last one: RIP is after the instruction.
    mov ecx, 1
    mov esi, 0xa0100
    TRY
    rep movsb
moved:
    CAUGHT(DB, NONE, moved)
    CHECK(rcx, 0)
    CAUSES(B0)

    // I/O breakpoints need CR4.DE, which is set; without it, the condition is none.
    SET_DR(dr0, 0x3ff)
    SET_DR(dr7, ENABLE(0) | PORTS(0))
    mov edx, 0x3ff
    TRY
    in al, dx
after_in:
    CAUGHT(DB, NONE, after_in)
    CAUSES(B0)
    mov edx, 0x3fe
    in al, dx
    clear_bits cr4, 8
    mov edx, 0x3ff
    in al, dx
    CAUSES(0)

    // In ring 3.
    SET_DR(dr0, 0x9f000)
    SET_DR(dr7, ENABLE(0) | WRITES(0))
    TRY
    enter_user user_writes
    CAUGHT(DB, NONE, user_wrote)
    CHECK(qword ptr [fault_cs], USER_CODE64)
    CAUSES(B0)
    SET_DR(dr0, offset user_wrote)
    SET_DR(dr7, ENABLE(0))
    TRY
    enter_user user_writes
    CAUGHT(DB, NONE, user_wrote)
    CAUSES(B0)

    // The processor replaces bits 0 to 3 of DR6 and never clears 13 to 15.
    SET_DR(dr6, BD | B3)
    TRY
    enter_user user_writes
    CAUGHT(DB, NONE, user_wrote)
    CAUSES(BD | B0)

    // Disabled again, everything is fast and quiet.
    SET_DR(dr7, 0)
    TRY
    enter_user user_writes
    CAUGHT(UD, NONE, user_wrote)
    CAUSES(0)
    PASS

called:
returned:
    ud2

.section .user, "awx"
user_writes:
    mov byte ptr [0x9f000], 1
user_wrote:
    ud2
