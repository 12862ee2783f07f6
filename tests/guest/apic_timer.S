// The APIC timer and HLT: every interrupt comes at exactly its time, with the processor busy or
// halted (SDM vol. 3A, 11.5.4; docs/time.md). The TSC counts nanoseconds, as the timer does at
// divisor 1.
#include "guest.inc"

#define APIC 0xfee00000
#define EOI 0xb0
#define SVR 0xf0
#define LVT_TIMER 0x320
#define INITIAL 0x380
#define CURRENT 0x390
#define DIVIDE 0x3e0
#define MASKED 0x10000
#define PERIODIC 0x20000
#define DEADLINE 0x40000
#define TSC_DEADLINE 0x6e0
#define VECTOR 0x40

// RAX := the TSC. Changes RDX.
#define READ_TSC rdtsc; shl rdx, 32; or rax, rdx

test:
    mov edi, APIC
    mov dword ptr [rdi + SVR], 0x1ff
    set_gate VECTOR, handler

    // One shot, halted: 1000 ns after the store.
    mov dword ptr [rdi + DIVIDE], 0xb
    mov dword ptr [rdi + LVT_TIMER], VECTOR
    mov r9d, 1000
    READ_TSC
    mov [rdi + INITIAL], r9d                        // two ticks after RDTSC's successor
    lea r8, [rax + 3 + 1000]
    sti
    hlt
after_halt:
    cli
    CHECK(qword ptr [count], 1)
    CHECK(qword ptr [time], r8)
    CHECK(qword ptr [handler_rip], offset after_halt)
    mov eax, [rdi + CURRENT]
    CHECK(rax, 0)

    // One shot, busy: the same. Divided by 16, and the count read meanwhile.
    mov dword ptr [rdi + DIVIDE], 3
    mov r9d, 100
    sti
    READ_TSC
    mov [rdi + INITIAL], r9d
    lea r8, [rax + 3 + 1600]
    mov ebx, [rdi + CURRENT]
1:  cmp qword ptr [count], 1
    je 1b
    cli
    CHECK(qword ptr [time], r8)
    CHECK(rbx, 100)
    CHECK(qword ptr [count], 2)

    // Periodic: the n-th interrupt at n periods, however long the handler takes.
    mov dword ptr [rdi + DIVIDE], 0xb
    mov dword ptr [rdi + LVT_TIMER], PERIODIC + VECTOR
    READ_TSC
    mov [rdi + INITIAL], r9d                        // 100
    lea r8, [rax + 3 + 1000]
    sti
2:  hlt
    cmp qword ptr [count], 12
    jne 2b
    cli
    CHECK(qword ptr [time], r8)
    mov dword ptr [rdi + INITIAL], 0

    // Masked, it counts and does not interrupt.
    mov dword ptr [rdi + LVT_TIMER], MASKED + VECTOR
    mov dword ptr [rdi + INITIAL], 10
    sti
    mov ecx, 50
3:  dec ecx
    jnz 3b
    CHECK(qword ptr [count], 12)

    // TSC deadline, halted and busy.
    mov dword ptr [rdi + LVT_TIMER], DEADLINE + VECTOR
    READ_TSC
    lea r8, [rax + 0x123456]
    write_msr TSC_DEADLINE, r8
    hlt
    CHECK(qword ptr [time], r8)
    CHECK(qword ptr [count], 13)
    read_msr TSC_DEADLINE
    CHECK(rax, 0)
    READ_TSC
    lea r8, [rax + 333]
    write_msr TSC_DEADLINE, r8
4:  cmp qword ptr [count], 13
    je 4b
    CHECK(qword ptr [time], r8)
    // In the past: at once. With another TSC: the deadline is the guest's own.
    READ_TSC
    lea r8, [rax - 1]
    write_msr TSC_DEADLINE, r8
    CHECK(qword ptr [count], 15)
    write_msr 0x10, 0x5000000000
    mov r8, 0x5000001000
    write_msr TSC_DEADLINE, r8
    hlt
    CHECK(qword ptr [time], r8)
    // 0 disarms; in this mode the initial count does nothing.
    READ_TSC
    lea r8, [rax + 40]
    write_msr TSC_DEADLINE, r8
    write_msr TSC_DEADLINE, 0
    mov dword ptr [rdi + INITIAL], 10
    mov ecx, 50
5:  dec ecx
    jnz 5b
    CHECK(qword ptr [count], 16)

    // A shadow: the interrupt falls due right after MOV SS (r8 is its time), and comes one
    // instruction later.
    mov ebx, DATA64
    READ_TSC
    lea r8, [rax + 10]
    mov ecx, TSC_DEADLINE
    mov rdx, r8
    shr rdx, 32
    mov eax, r8d
    wrmsr
    mov ss, ebx
    nop
after_shadow:
    nop
    CHECK(qword ptr [handler_rip], offset after_shadow)
    lea r8, [r8 + 1]
    CHECK(qword ptr [time], r8)
    CHECK(qword ptr [count], 17)
    PASS

handler:
    rdtsc
    shl rdx, 32
    or rax, rdx
    mov [time], rax
    mov rax, [rsp]
    mov [handler_rip], rax
    inc qword ptr [count]
    mov dword ptr [rdi + EOI], 0
    iretq

.section .bss
.balign 8
count: .skip 8
time: .skip 8
handler_rip: .skip 8
