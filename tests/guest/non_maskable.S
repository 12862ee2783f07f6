// NMIs: taken with IF clear, one waits while another is handled, and IRETQ lets it in
// (APM vol. 2, 8.2.3).
#include "guest.inc"

#define APIC 0xfee00000
#define ICR 0x300
#define SEND_NMI mov dword ptr [rdi + ICR], 0x400

test:
    mov edi, APIC
    mov dword ptr [rdi + 0xf0], 0x1ff
    set_gate NMI, handler, GATE_INTERRUPT, 2
    set_gate 0x80, empty_handler

    // At once, though IF = 0, and on its own stack.
    SEND_NMI
after_send:
    CHECK(qword ptr [count], 1)
    CHECK(qword ptr [seen_rip], offset after_send)
    CHECK(qword ptr [seen_rsp], offset ist2_top - 40)

    // A second and a third during the first: one of them waits for the IRETQ.
    set_gate NMI, sending_handler, GATE_INTERRUPT, 2
    mov qword ptr [count], 0
    SEND_NMI
after_both:
    CHECK(qword ptr [count], 2)
    CHECK(qword ptr [deepest], 1)
    CHECK(qword ptr [seen_rip], offset after_both)

    // Any IRETQ counts, even that of an exception inside the handler.
    set_gate NMI, nesting_handler, GATE_INTERRUPT, 0
    mov qword ptr [count], 0
    mov qword ptr [deepest], 0
    SEND_NMI
    CHECK(qword ptr [count], 2)
    CHECK(qword ptr [deepest], 2)

    // Before an interrupt that is pending too; STI's shadow holds neither back for longer than one
    // instruction.
    set_gate NMI, handler, GATE_INTERRUPT, 2
    set_gate 0x40, interrupt_handler
    mov qword ptr [count], 0
    mov dword ptr [rdi + ICR], 0x40040
    sti
    SEND_NMI
after_shadow:
    CHECK(qword ptr [seen_rip], offset after_shadow)
    CHECK(qword ptr [count], 101)
    PASS

handler:
    push rax
    inc qword ptr [count]
    mov rax, [rsp + 8]
    mov [seen_rip], rax
    lea rax, [rsp + 8]
    mov [seen_rsp], rax
    pop rax
    iretq

sending_handler:
    push rax
    inc qword ptr [count]
    inc qword ptr [depth]
    mov rax, [depth]
    cmp rax, [deepest]
    jbe 1f
    mov [deepest], rax
1:  cmp qword ptr [count], 2
    jae 2f
    SEND_NMI
    SEND_NMI
2:  nop
    mov rax, [rsp + 8]
    mov [seen_rip], rax
    dec qword ptr [depth]
    pop rax
    iretq

nesting_handler:
    push rax
    inc qword ptr [count]
    inc qword ptr [depth]
    mov rax, [depth]
    cmp rax, [deepest]
    jbe 1f
    mov [deepest], rax
1:  cmp qword ptr [count], 2
    jae 2f
    SEND_NMI
    int 0x80
2:  dec qword ptr [depth]
    pop rax
    iretq

empty_handler:
    iretq

interrupt_handler:
    add qword ptr [count], 100
    mov dword ptr [rdi + 0xb0], 0
    iretq

.section .bss
.balign 8
count: .skip 8
depth: .skip 8
deepest: .skip 8
seen_rip: .skip 8
seen_rsp: .skip 8
