// What the manuals leave undefined has one answer here, on every host (docs/decisions/0012): flags
// and results of many operations, in one number. The number is what the interpreter gives.
#include "guest.inc"
//: ticks 400000

#define ARITHMETIC 0x8d5
#define ROUNDS 8

// Executes an instruction with random operands in rax, rcx (small), rdx (0), rbx, rsi, rdi and
// random flags, and takes what it leaves in all of them into the sum in r13.
.macro observe text:vararg
    call next_operands
    \text
    call take_all
.endm

// The same for the flags alone, by instructions that look at one each and need not leave the block.
.macro observe_one text:vararg
    call next_operands
    \text
    seto bpl
    adc r13, rbx
    \text
    setp bpl
    lea r13, [r13 + rbp]
    \text
    lahf
    xor r13, rax
    // Dead flags: nobody looks.
    \text
    mov [spare], rbx
    add r13, [spare]
.endm

.macro observe_all_counts mnemonic
    .irp count, 0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 255
    observe \mnemonic bl, \count
    observe \mnemonic bx, \count
    observe_one \mnemonic ebx, \count
    observe \mnemonic rbx, \count
    .endr
    observe \mnemonic bl, cl
    observe \mnemonic bx, cl
    observe_one \mnemonic ebx, cl
    observe \mnemonic rbx, cl
    observe \mnemonic dword ptr [spare], 3
    observe \mnemonic qword ptr [spare], 1
    observe \mnemonic word ptr [spare], cl
.endm

.macro observe_double_shift mnemonic
    .irp count, 0, 1, 5, 16, 17, 31, 63
    observe \mnemonic bx, si, \count
    observe_one \mnemonic ebx, esi, \count
    observe \mnemonic rbx, rsi, \count
    .endr
    observe \mnemonic bx, si, cl
    observe \mnemonic ebx, r9d, cl
    observe \mnemonic [spare], rsi, 9
.endm

.macro observe_bit_test mnemonic
    observe \mnemonic bx, 5
    observe \mnemonic ebx, ecx
    observe_one \mnemonic rbx, 40
    observe \mnemonic dword ptr [spare], 7
.endm

.macro observe_bit_count mnemonic
    observe \mnemonic si, bx
    observe \mnemonic esi, ebx
    observe_one \mnemonic rsi, rbx
    observe \mnemonic si, dx
    observe \mnemonic esi, edx
    observe \mnemonic rsi, rdx
    observe \mnemonic r9, [spare]
.endm

// A division that does not fault.
.macro divide mnemonic, operand
    lea rbx, [rbx + rbx + 1]
    and eax, 0x3f
    mov edx, 0
    \mnemonic \operand
.endm

.macro bswap_bx
    .byte 0x66
    bswap ebx
.endm

.section .text
test:
    mov r12, 0x123456789abcdef
    xor r13d, r13d
    mov r14d, ROUNDS
again:
    .irp mnemonic, shl, shr, sar, rol, ror, rcl, rcr
    observe_all_counts \mnemonic
    .endr
    .irp mnemonic, shld, shrd
    observe_double_shift \mnemonic
    .endr
    .irp mnemonic, bt, bts, btr, btc
    observe_bit_test \mnemonic
    .endr
    .irp mnemonic, bsf, bsr, tzcnt, lzcnt
    observe_bit_count \mnemonic
    .endr
    .irp mnemonic, and, or, xor, test
    observe \mnemonic bl, sil
    observe_one \mnemonic bx, si
    observe \mnemonic rbx, 0x77
    observe \mnemonic [spare], esi
    .endr
    .irp mnemonic, mul, imul
    observe \mnemonic bl
    observe \mnemonic bx
    observe_one \mnemonic ebx
    observe \mnemonic rbx
    observe \mnemonic qword ptr [spare]
    .endr
    observe imul bx, si
    observe_one imul ebx, esi
    observe imul rbx, [spare]
    observe imul rbx, rsi, -3
    observe imul ebx, esi, 0x12345
    .irp operand, bl, bx, ebx, rbx
    observe divide div, \operand
    observe divide idiv, \operand
    .endr
    observe_one divide div, ebx
    observe bswap_bx
    observe bswap rbx
    observe_one andn ebx, esi, edi
    observe andn rbx, rsi, [spare]
    observe_one blsr rbx, rsi
    observe blsmsk ebx, esi
    observe blsi rbx, rsi
    observe bzhi rbx, rsi, rdi
    observe_one bzhi ebx, esi, ecx
    observe_one bextr rbx, rsi, rdi
    observe bextr ebx, esi, ecx
    dec r14d
    jnz again
    CHECK(r13, 0xc7ec7e5eddf26832)
    PASS

// r12 is the state of a linear congruential generator (Knuth, TAOCP vol. 2, 3.3.4).
next_operands:
    mov rbp, 6364136223846793005
    imul r12, rbp
    mov rbp, 1442695040888963407
    add r12, rbp
    mov rbx, r12
    mov rsi, r12
    bswap rsi
    rorx rdi, r12, 21
    rorx rax, r12, 40
    rorx r9, r12, 11
    rorx rcx, r12, 57
    movzx ecx, cl
    xor edx, edx
    xor ebp, ebp
    mov [spare], rdi
    rorx r8, r12, 33
    and r8d, ARITHMETIC
    push r8
    popf
    ret

take_all:
    pushf
    pop rbp
    and ebp, ARITHMETIC
    .irp name, rbp, rax, rcx, rdx, rbx, rsi, r9, [spare]
    rorx r13, r13, 59
    add r13, \name
    .endr
    ret

.balign 8
spare:
    .quad 0
