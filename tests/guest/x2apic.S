// The local APIC through MSRs (SDM vol. 3A, 11.12).
#include "guest.inc"

#define APIC_BASE 0x1b

test:
    set_gate 0x40, handler
    // In xAPIC mode there are no such MSRs; EXTD needs EN.
    mov ecx, 0x802
    FAULT(GP, 0, rdmsr)
    read_msr APIC_BASE
    CHECK(rax, 0xfee00900)
    mov ecx, APIC_BASE
    mov eax, 0xfee00500
    xor edx, edx
    FAULT(GP, 0, wrmsr)
    write_msr APIC_BASE, 0xfee00d00
    read_msr 0x802
    CHECK(rax, 0)
    // Back to xAPIC directly: refused.
    mov ecx, APIC_BASE
    mov eax, 0xfee00900
    xor edx, edx
    FAULT(GP, 0, wrmsr)

    // Registers that cannot be written or read, and reserved bits.
    mov ecx, 0x802
    FAULT(GP, 0, wrmsr)
    mov ecx, 0x80b
    FAULT(GP, 0, rdmsr)
    mov eax, 1
    FAULT(GP, 0, wrmsr)                             // EOI takes 0 only
    mov ecx, 0x80e
    FAULT(GP, 0, rdmsr)                             // no DFR
    mov ecx, 0x831
    FAULT(GP, 0, rdmsr)                             // no ICR high
    mov ecx, 0x808
    mov eax, 0x100
    FAULT(GP, 0, wrmsr)

    write_msr 0x80f, 0x1ff
    sti
    write_msr 0x83f, 0x40                           // self IPI
    CHECK(qword ptr [count], 1)
    mov ecx, 0x830
    mov eax, 0x40
    xor edx, edx
    wrmsr                                           // ICR, to ID 0
    CHECK(qword ptr [count], 2)
    mov ecx, 0x83f
    FAULT(GP, 0, rdmsr)
    // Disabled altogether, and as new after that.
    write_msr APIC_BASE, 0xfee00100
    write_msr APIC_BASE, 0xfee00900
    mov edi, 0xfee00000
    mov eax, [rdi + 0xf0]
    CHECK(rax, 0xff)
    PASS

handler:
    push rax
    push rcx
    push rdx
    inc qword ptr [count]
    write_msr 0x80b, 0
    pop rdx
    pop rcx
    pop rax
    iretq

.section .bss
.balign 8
count: .skip 8
