// IN, OUT, INS, OUTS: IOPL, the permission bitmap, CLI and STI in ring 3, and string forms that
// fault (APM vol. 2, 12.2.4; vol. 3). Port 3FFh is the scratch register of COM1.
#include "guest.inc"

#define SCRATCH 0x3ff
#define USER_STEP(label) TRY; enter_user label; CAUGHT(UD, NONE, label##_end)
#define USER_STEP_IOPL3(label) TRY; enter_user label, RFLAGS_FIXED | RFLAGS_IOPL3; \
    CAUGHT(UD, NONE, label##_end)

.macro load_tss limit
    mov word ptr [tss_descriptor], \limit
    mov byte ptr [tss_descriptor + 5], 0x89
    mov eax, TSS_SELECTOR
    ltr ax
.endm

test:
    mov edx, SCRATCH
    mov eax, 0x5a
    out dx, al
    xor eax, eax
    in al, dx
    CHECK(rax, 0x5a)

    // Ring 3 with IOPL 0 and no bitmap. IF needs IOPL as well.
    mov edx, SCRATCH
    USER_FAULT(GP, 0, in al, dx)
    USER_FAULT(GP, 0, out dx, al)
    USER_FAULT(GP, 0, in al, 0x80)
    USER_FAULT(GP, 0, cli)
    USER_FAULT(GP, 0, sti)
    mov edi, 0x9f000
    mov esi, 0x9f000
    USER_FAULT(GP, 0, insb)
    USER_FAULT(GP, 0, outsb)
    // REP with a count of 0 does nothing, but must be allowed to.
    xor ecx, ecx
    USER_FAULT(GP, 0, rep insb)
    USER_FAULT(GP, 0, rep outsb)

    // IOPL 3 allows all of them.
    USER_STEP_IOPL3(user_repeated)
    USER_STEP_IOPL3(user_in)
    USER_STEP_IOPL3(user_flags)
    mov rax, [fault_rflags]
    and eax, RFLAGS_IF | RFLAGS_IOPL3
    CHECK(rax, RFLAGS_IF | RFLAGS_IOPL3)

    // The bitmap: here it covers ports 0 to 1FFh, all refused but 100h and 101h.
    mov edi, offset tss_end
    mov ecx, 64
    mov al, 0xff
    rep stosb
    mov byte ptr [tss_end + 0x20], 0xfc
    mov word ptr [tss_bitmap_offset], offset tss_end - tss
    load_tss (tss_end - tss + 63)
    mov edx, 0x100
    USER_STEP(user_in)
    mov edx, 0x101
    USER_STEP(user_in)
    mov edx, 0x102
    USER_FAULT(GP, 0, in al, dx)
    mov edx, 0x100
    USER_STEP(user_in_word)
    mov edx, 0x101
    USER_FAULT(GP, 0, in ax, dx)
    mov edx, 0x100
    USER_FAULT(GP, 0, in eax, dx)
    mov edx, 0xff
    USER_FAULT(GP, 0, in ax, dx)
    // Two bytes are always read: the last byte of the map allows nothing.
    mov byte ptr [tss_end + 63], 0
    mov edx, 0x1f8
    USER_FAULT(GP, 0, in al, dx)
    mov byte ptr [tss_end + 62], 0
    mov edx, 0x1f0
    USER_STEP(user_in)
    // Ring 0 does not look.
    mov edx, 0x102
    in al, dx

    // INS and OUTS.
    mov edx, SCRATCH
    mov byte ptr [0xa0000], 0x11
    mov byte ptr [0xa0001], 0x22
    mov byte ptr [0xa0002], 0x33
    mov esi, 0xa0000
    mov ecx, 3
    rep outsb
    CHECK(rcx, 0)
    CHECK(rsi, 0xa0003)
    mov edi, 0xa0010
    mov ecx, 2
    rep insb
    CHECK(rdi, 0xa0012)
    mov ax, [0xa0010]
    movzx eax, ax
    CHECK(rax, 0x3333)
    std
    insb
    cld
    CHECK(rdi, 0xa0011)

    // A fault in the middle: what is done is done, the registers say how far.
    mov qword ptr [PTE(0xa1000)], 0
    mov esi, 0xa0ffe
    mov ecx, 5
    TRY
outputs:
    rep outsb
    CAUGHT(PF, 0, outputs)
    CHECK(rcx, 3)
    CHECK(rsi, 0xa1000)
    CHECK(qword ptr [fault_cr2], 0xa1000)
    mov edi, 0xa0ffe
    mov ecx, 5
    TRY
inputs:
    rep insb
    CAUGHT(PF, PF_WRITE, inputs)
    CHECK(rcx, 3)
    CHECK(rdi, 0xa1000)
    // These use DS and ES: #GP, not #SS.
    mov rsi, 0x800000000000
    mov rdi, rsi
    FAULT(GP, 0, outsb)
    FAULT(GP, 0, insb)
    FAULT(GP, 0, movsb)
    FAULT(GP, 0, stosq)
    FAULT(GP, 0, lodsq)
    FAULT(GP, 0, scasb)
    // Unknown ports read as ones.
    mov edx, 0x1234
    in eax, dx
    mov ebx, 0xffffffff
    CHECK(rax, rbx)
    PASS

.section .user, "awx"
user_in:
    in al, dx
user_in_end:
    ud2
user_in_word:
    in ax, dx
user_in_word_end:
    ud2
user_flags:
    cli
    sti
    nop
user_flags_end:
    ud2
user_repeated:
    rep insb
    rep outsb
user_repeated_end:
    ud2
