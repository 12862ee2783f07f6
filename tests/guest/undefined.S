// #UD and the longest instruction (APM vol. 2, 8.2.7 and 8.2.14; vol. 3, 1.2 and appendix A).
#include "guest.inc"

test:
    FAULT(UD, NONE, ud2)
    CHECK(qword ptr [fault_rflags], RFLAGS_FIXED | RFLAGS_RF | 0x44)
    FAULT(UD, NONE, .byte 0x0f, 0xff, 0xc0)             // UD0
    FAULT(UD, NONE, .byte 0x0f, 0xb9, 0xc0)             // UD1
    FAULT(UD, NONE, .byte 0x0f, 0x0a)                   // no instruction
    FAULT(UD, NONE, .byte 0x0f, 0xa6, 0xc0)
    FAULT(UD, NONE, .byte 0xd6)
    USER_FAULT(UD, NONE, .byte 0x0f, 0x0a)

    // Instructions that 64-bit mode does not have.
    FAULT(UD, NONE, .byte 0x06)                         // PUSH ES
    FAULT(UD, NONE, .byte 0x17)                         // POP SS
    FAULT(UD, NONE, .byte 0x27)                         // DAA
    FAULT(UD, NONE, .byte 0x60)                         // PUSHA
    FAULT(UD, NONE, .byte 0x62, 0xc0)                   // BOUND, EVEX
    FAULT(UD, NONE, .byte 0x82, 0xc0, 0x00)             // another ADD
    FAULT(UD, NONE, .byte 0x9a, 0, 0, 0, 0, 0, 0)       // CALL ptr16:32
    FAULT(UD, NONE, .byte 0xce)                         // INTO
    FAULT(UD, NONE, .byte 0xd4, 0x0a)                   // AAM
    FAULT(UD, NONE, .byte 0xea, 0, 0, 0, 0, 0, 0)       // JMP ptr16:32

    // Not in the model.
    FAULT(UD, NONE, .byte 0x0f, 0x34)                   // SYSENTER, on AMD in long mode
    FAULT(UD, NONE, .byte 0x0f, 0x35)                   // SYSEXIT
    FAULT(UD, NONE, .byte 0x0f, 0x01, 0xc8)             // MONITOR
    FAULT(UD, NONE, .byte 0x0f, 0x01, 0xd8)             // VMRUN
    FAULT(UD, NONE, .byte 0x0f, 0x01, 0xd9)             // VMMCALL
    FAULT(UD, NONE, .byte 0x0f, 0xaa)                   // RSM
    FAULT(UD, NONE, .byte 0x66, 0x0f, 0x38, 0x82, 0x00) // INVPCID
    FAULT(UD, NONE, .byte 0xf3, 0x0f, 0xc7, 0xf8)       // RDPID
    FAULT(UD, NONE, .byte 0xc5, 0xf8, 0x77)             // VZEROUPPER

    // LOCK where it is not allowed.
    mov ebx, offset spot
    FAULT(UD, NONE, .byte 0xf0, 0x90)                   // NOP
    FAULT(UD, NONE, .byte 0xf0, 0x01, 0xc0)             // ADD of registers
    FAULT(UD, NONE, .byte 0xf0, 0x89, 0x03)             // MOV to memory
    FAULT(UD, NONE, .byte 0xf0, 0x03, 0x03)             // ADD from memory
    FAULT(UD, NONE, .byte 0xf0, 0x39, 0x03)             // CMP
    FAULT(UD, NONE, .byte 0xf0, 0x0f, 0xa3, 0x03)       // BT
    FAULT(UD, NONE, .byte 0xf0, 0x0f, 0xb1, 0xc8)       // CMPXCHG of registers
    FAULT(UD, NONE, .byte 0xf0, 0xff, 0x23)             // JMP
    lock add [rbx], eax
    lock bts [rbx], eax
    lock cmpxchg16b [spot]
    FAULT(GP, 0, lock cmpxchg16b [spot + 8])

    // Operands that do not exist.
    FAULT(UD, NONE, .byte 0x8e, 0xc8)                   // MOV CS, AX
    FAULT(UD, NONE, .byte 0x8c, 0xf0)                   // MOV EAX, segment 6
    FAULT(UD, NONE, .byte 0x0f, 0x20, 0xc8)             // MOV RAX, CR1
    FAULT(UD, NONE, .byte 0x0f, 0x22, 0xe8)             // MOV CR5, RAX
    FAULT(UD, NONE, .byte 0x44, 0x0f, 0x20, 0xc8)       // MOV RAX, CR9
    FAULT(UD, NONE, .byte 0x44, 0x0f, 0x21, 0xc0)       // MOV RAX, DR8
    FAULT(UD, NONE, .byte 0x8d, 0xc0)                   // LEA of a register
    FAULT(UD, NONE, .byte 0x0f, 0xc7, 0xc8)             // CMPXCHG8B of a register
    FAULT(UD, NONE, .byte 0xfe, 0xd0)                   // FE /2
    FAULT(UD, NONE, .byte 0xff, 0xf8)                   // FF /7
    FAULT(UD, NONE, .byte 0xff, 0xd8)                   // CALLF of a register

    // 15 bytes are an instruction, 16 are not.
    .rept 14
    .byte 0x66
    .endr
    nop
    FAULT(GP, 0, .byte 0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x90)
    USER_FAULT(GP, 0, .byte 0x2e,0x2e,0x2e,0x2e,0x2e,0x2e,0x2e,0x2e,0x2e,0x2e,0x2e,0x2e,0x2e,0x2e,0x01,0xc0)

    // 15 prefixes at the end of a page: the byte after them is not looked for.
    mov qword ptr [PTE(0xa1000)], 0
    mov edi, 0xa0ff1
    mov ecx, 15
    mov al, 0x66
    rep stosb
    mov ebx, 0xa0ff1
    TRY
    jmp rbx
    CAUGHT(GP, 0, 0xa0ff1)

    // One byte less, and it is: the page fault is the instruction's.
    inc ebx
    TRY
    jmp rbx
    CAUGHT(PF, 0x10, 0xa0ff2)
    CHECK(qword ptr [fault_cr2], 0xa1000)
    PASS

.section .data
.balign 16
spot:
    .quad 0, 0
