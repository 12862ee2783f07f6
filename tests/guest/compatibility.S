// Compatibility mode: 32-bit code of ring 3 and of ring 0 under a 64-bit system (APM vol. 2, 1.3.2
// and 4.5; vol. 3, SYSCALL, SYSRET, INT, IRET, and the instructions that 64-bit mode lacks).
#include "guest.inc"

#define SPARE(n) (SPARE_SELECTOR + 8 * n)
#define CODE32 SPARE(0)                 // ring 0
#define SMALL (SPARE(1) | 3)            // data of 16 bytes in `window`
#define DOWN (SPARE(2) | 3)             // expand-down: what lies above 16 bytes
#define READ_ONLY (SPARE(3) | 3)
#define CODE16 (SPARE(4) | 3)

// Writes a descriptor with a base. Changes RAX and RCX.
.macro descriptor index, value, base=0
    mov rax, \value
    mov ecx, offset \base
    mov edx, ecx
    and ecx, 0xffffff
    shl rcx, 16
    or rax, rcx
    shr edx, 24
    shl rdx, 56
    or rax, rdx
    mov [spare_descriptors + 8 * \index], rax
.endm

// Runs 32-bit code in ring 3, up to an INT 0x80 from there or a fault.
.macro enter_compatibility target
    push USER_DATA
    push USER_STACK
    push RFLAGS_FIXED
    push USER_CODE32
    push offset \target
    iretq
.endm

// One instruction of 32-bit code in ring 3 that faults.
.macro compatibility_fault line, vector, error, instruction:vararg
.pushsection .user, "awx"
.code32
79: \instruction
    ud2
.code64
.popsection
    try_begin
    enter_compatibility 79b
    try_caught \line, \vector, "\error", 79b
    check_equal \line, "qword ptr [fault_cs]", USER_CODE32
.endm
#define COMPATIBILITY_FAULT(vector, error, ...) \
    compatibility_fault __LINE__, vector, STRING(error), __VA_ARGS__

// Changes RAX.
.macro check_dword line, operand, value
    mov eax, \operand
    check_equal \line, "rax", \value
.endm
#define CHECK32(operand, value) check_dword __LINE__, STRING(operand), STRING(value)

test:
    descriptor 0, 0x00cf9b000000ffff
    descriptor 1, 0x0040f3000000000f, window
    descriptor 2, 0x0040f7000000000f, window
    descriptor 3, 0x00cff1000000ffff
    descriptor 4, 0x000ffb000000ffff
    mov eax, USER_DATA
    mov ds, eax
    mov es, eax
    set_gate 0x80, system_call, GATE_INTERRUPT | GATE_DPL3
    set_gate 4, stubs + 32, GATE_INTERRUPT | GATE_DPL3
    write_msr 0xc0000081, ((USER_CODE32 & ~3) << 48) | (CODE64 << 32)
    write_msr 0xc0000083, "offset cstar_entry"
    write_msr 0xc0000084, RFLAGS_IF

    // Ring 3: INT 0x80 and SYSCALL, and back by IRET and SYSRET.
    TRY
    enter_compatibility program
    CAUGHT(UD, NONE, program_end)
    CHECK(qword ptr [calls], 3)
    CHECK(qword ptr [call_cs], USER_CODE32)
    CHECK(qword ptr [call_rip], offset after_syscall)
    CHECK32(dword ptr [results], 0x12345678)
    CHECK32(dword ptr [results + 4], 0x55)
    CHECK32(dword ptr [results + 8], 0x66)
    CHECK32(dword ptr [results + 12], 0x40490fdb)

    // Segments: limits, types, null selectors.
    mov ebx, offset results
    mov esi, SMALL
    mov edi, DOWN
    mov ebp, READ_ONLY
    TRY
    enter_compatibility segments
    CAUGHT(UD, NONE, segments_end)
    CHECK32(dword ptr [results], 0x77)
    CHECK32(dword ptr [results + 4], 0x88)
    CHECK32(dword ptr [results + 8], 0x99)
    mov esi, SMALL
    mov fs, esi
    mov edi, DOWN
    mov gs, edi
    mov esi, READ_ONLY
    mov ds, esi
    xor esi, esi
    mov es, esi
    mov ebx, offset results
    COMPATIBILITY_FAULT(GP, 0, mov eax, fs:[13])
    COMPATIBILITY_FAULT(GP, 0, mov eax, fs:[0xffffffff])
    COMPATIBILITY_FAULT(GP, 0, mov al, fs:[16])
    COMPATIBILITY_FAULT(GP, 0, mov al, gs:[15])
    COMPATIBILITY_FAULT(GP, 0, mov [ebx], eax)
    COMPATIBILITY_FAULT(GP, 0, add dword ptr [ebx], 1)
    COMPATIBILITY_FAULT(GP, 0, mov eax, es:[ebx])
    COMPATIBILITY_FAULT(GP, 0, mov cs:[ebx], eax)
    COMPATIBILITY_FAULT(GP, 0, stosb)
    COMPATIBILITY_FAULT(GP, CODE64, jmp far ptr CODE64:0)
    mov esi, USER_DATA
    mov ds, esi
    mov es, esi

    // What 64-bit mode lacks, and what compatibility mode does.
    COMPATIBILITY_FAULT(DE, NONE, aam 0)
    COMPATIBILITY_FAULT(5, NONE, bound ebx, qword ptr [bounds])
    COMPATIBILITY_FAULT(UD, NONE, .byte 0x0f, 0x34)             // SYSENTER
    COMPATIBILITY_FAULT(UD, NONE, .byte 0x0f, 0x01, 0xf8)       // SWAPGS
    COMPATIBILITY_FAULT(GP, 0, cli)
    COMPATIBILITY_FAULT(GP, 0x30 * 8 + 2, int 0x30)             // DPL 0
    TRY
    enter_compatibility overflow
    CAUGHT(4, NONE, after_into)

    // 16-bit code, and a detour through 64-bit code.
    TRY
    enter_compatibility detours
    CAUGHT(UD, NONE, detours_end)
    CHECK32(dword ptr [results], 0x1234fedc)
    CHECK32(dword ptr [results + 4], 0x11223344)

    // Ring 0: a far call there and back, with interrupts taken in between.
    set_gate 0x81, inner_interrupt
    mov eax, DATA64
    mov ss, eax                         // 32-bit code needs one
    mov rax, 0x1122334455667788
    call fword ptr [supervisor_pointer]
    CHECK(rbx, 0x55667788)
    CHECK(qword ptr [call_cs], CODE32)
    PASS

.code32
supervisor:
    mov ebx, eax
    int 0x81
    retf
.code64

system_call:
    inc dword ptr [calls]
    push rax
    mov rax, [rsp + 16]
    mov [call_cs], rax
    pop rax
    mov edi, 0x55
    iretq

inner_interrupt:
    mov rcx, [rsp + 8]
    mov [call_cs], rcx
    iretq

cstar_entry:
    inc dword ptr [calls]
    mov [call_rip], rcx
    mov esi, 0x66
    sysretd

.section .data
supervisor_pointer:
    .long supervisor
    .word CODE32
.balign 8
calls:
    .quad 0
call_cs:
    .quad 0
call_rip:
    .quad 0

.section .user, "awx"
.balign 16
results:
    .skip 32
window:
    .long 0x77, 0x88, 0x99, 0xaa, 0xbb
bounds:
    .long 0, 3
back_pointer:
    .long after_64
    .word USER_CODE32
.code32
program:
    push 0x12345678
    call 1f
    jmp 2f
1:  mov eax, [esp + 4]
    ret 4
2:  mov [results], eax
    int 0x80
    mov [results + 4], edi
    mov ecx, 5
    syscall
after_syscall:
    mov [results + 8], esi
    fldpi
    fstp dword ptr [results + 12]
    pusha
    popa
    int 0x80
program_end:
    ud2

segments:
    mov fs, si
    mov eax, fs:[0]
    mov [results], eax
    mov eax, fs:[4]
    mov [results + 4], eax
    mov gs, di
    mov eax, gs:[16]
    mov eax, gs:[0xfffffffc]            // wraps to below the base
    push ds
    mov ds, bp
    mov eax, [window + 8]
    pop ds
    mov [results + 8], eax
segments_end:
    ud2

overflow:
    mov eax, 0x7fffffff
    inc eax
    into
after_into:
    ud2

detours:
    jmp far ptr CODE16:code_16
.code16
code_16:
    mov eax, 0x12345678
    mov ax, 0xfedc
    .byte 0x66, 0xea                    // a far jump with a 32-bit offset
    .long back_from_16
    .word USER_CODE32
.code32
back_from_16:
    mov [results], eax
    jmp far ptr USER_CODE64:code_64
.code64
code_64:
    mov rax, 0x1122334455667788
    shr rax, 32
    jmp fword ptr [back_pointer]
.code32
after_64:
    mov [results + 4], eax
detours_end:
    ud2
.code64
