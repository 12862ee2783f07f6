// Interrupts from the local APIC to the processor: IF, shadows, priorities, CR8, EOI, and where
// exactly they come (APM vol. 2, 8.5, 16.3 to 16.6).
#include "guest.inc"

#define APIC 0xfee00000
#define TPR 0x80
#define PPR 0xa0
#define EOI 0xb0
#define SVR 0xf0
#define ISR 0x100
#define IRR 0x200
#define ICR 0x300
#define SELF 0x40000

// Sends itself a vector. RDI is the APIC's base.
#define SEND(vector) mov dword ptr [rdi + ICR], SELF + vector
// What the handlers have noted: vectors in order, 8 bits each, and the last RIP.
#define TAKEN(list) CHECK(qword ptr [taken], list); mov qword ptr [taken], 0

test:
    mov edi, APIC
    mov dword ptr [rdi + SVR], 0x1ff
    set_gate 0x40, handler_40
    set_gate 0x50, handler_50
    set_gate 0x60, handler_60
    set_gate 0xff, handler_spurious

    // IF = 0: it waits, visible in IRR. STI: taken after the next instruction.
    SEND(0x40)
    nop
    TAKEN(0)
    mov eax, [rdi + IRR + 0x20]
    CHECK(rax, 1)
    sti
    nop
after_shadow:
    nop
    CHECK(qword ptr [taken_rip], offset after_shadow)
    TAKEN(0x40)
    mov eax, [rdi + IRR + 0x20]
    CHECK(rax, 0)
    mov eax, [rdi + ISR + 0x20]
    CHECK(rax, 0)
    // With IF = 1: after the store itself. STI with IF set casts no shadow.
    SEND(0x40)
after_send:
    CHECK(qword ptr [taken_rip], offset after_send)
    TAKEN(0x40)

    // STI; CLI lets nothing in. POPFQ and IRETQ do, at once.
    cli
    SEND(0x40)
    sti
    cli
    TAKEN(0)
    push RFLAGS_FIXED | RFLAGS_IF
    popfq
after_popf:
    CHECK(qword ptr [taken_rip], offset after_popf)
    TAKEN(0x40)
    cli
    SEND(0x40)
    mov rbx, rsp
    push DATA64
    push rbx
    push RFLAGS_FIXED | RFLAGS_IF
    push CODE64
    push offset after_iret
    iretq
after_iret:
    CHECK(qword ptr [taken_rip], offset after_iret)
    TAKEN(0x40)
    // The frame has IF and no RF; the handler has IF = 0 (noted by it).
    mov rax, [taken_flags]
    and eax, RFLAGS_IF | RFLAGS_RF
    CHECK(rax, RFLAGS_IF)

    // Priorities: the highest first; the same vector twice is one.
    cli
    SEND(0x40)
    SEND(0x60)
    SEND(0x50)
    SEND(0x40)
    sti
    nop
    nop
    TAKEN(0x605040)

    // CR8 masks its class and those below.
    mov eax, 5
    mov cr8, rax
    mov eax, [rdi + PPR]
    CHECK(rax, 0x50)
    SEND(0x50)
    nop
    TAKEN(0)
    SEND(0x60)
    TAKEN(0x60)
    mov eax, 4
    mov cr8, rax
after_cr8:
    CHECK(qword ptr [taken_rip], offset after_cr8)
    TAKEN(0x50)
    mov dword ptr [rdi + TPR], 0x5f
    SEND(0x50)
    TAKEN(0)
    mov dword ptr [rdi + TPR], 0x4f
after_tpr:
    CHECK(qword ptr [taken_rip], offset after_tpr)
    TAKEN(0x50)
    xor eax, eax
    mov cr8, rax

    // In a handler, only a higher class interrupts before the EOI.
    set_gate 0x50, nesting_handler
    SEND(0x50)
    TAKEN(0x506040)
    set_gate 0x50, handler_50

    // Ring 3: through RSP0, with its frame.
    mov dword ptr [rdi + TPR], 0xf0
    SEND(0x60)
    set_gate 0x60, leave_user
    mov [kept_rsp], rsp
    mov dword ptr [rdi + TPR], 0
    UNREACHABLE
from_kernel:
    // Taken in ring 0 that time: now with IF clear until ring 3.
    cli
    SEND(0x60)
    enter_user user_code, RFLAGS_FIXED | RFLAGS_IF
from_user:
    CHECK(qword ptr [taken_rip], offset user_code)
    CHECK(qword ptr [taken_cs], USER_CODE64)
    CHECK(qword ptr [taken_rsp], offset rsp0_top - 40)
    mov qword ptr [taken], 0

    // An interrupt whose gate is not present: #NP with EXT, and the vector is in service.
    mov byte ptr [idt + 16 * 0x40 + 5], 0x0e
    SEND(0x40)
    TRY
    sti
    nop
not_presented:
    CAUGHT(NP, 0x40 * 8 + 3, not_presented)
    mov eax, [rdi + ISR + 0x20]
    CHECK(rax, 1)
    mov dword ptr [rdi + EOI], 0

    // Vectors below 16 are illegal: nothing comes, the ESR says so.
    sti
    SEND(0x0f)
    nop
    mov dword ptr [rdi + 0x280], 0
    mov eax, [rdi + 0x280]
    CHECK(rax, 0x20)
    TAKEN(0)

    // Software-disabled, it takes none.
    mov dword ptr [rdi + SVR], 0xff
    SEND(0x50)
    nop
    TAKEN(0)
    PASS

.macro note vector
    push rax
    mov rax, [taken]
    shl rax, 8
    or rax, \vector
    mov [taken], rax
    mov rax, [rsp + 8]
    mov [taken_rip], rax
    mov rax, [rsp + 24]
    mov [taken_flags], rax
    pop rax
.endm

handler_40:
    note 0x40
    mov dword ptr [rdi + EOI], 0
    iretq
handler_50:
    note 0x50
    mov dword ptr [rdi + EOI], 0
    iretq
handler_60:
    note 0x60
    mov dword ptr [rdi + EOI], 0
    iretq
handler_spurious:
    UNREACHABLE
// Notes itself, sends a lower and a higher one with IF set, and ends before the lower one can come.
nesting_handler:
    note 0x50
    sti
    SEND(0x40)
    SEND(0x60)
    cli
    mov dword ptr [rdi + EOI], 0
    iretq
leave_user:
    mov rax, [rsp]
    mov [taken_rip], rax
    mov rax, [rsp + 8]
    mov [taken_cs], rax
    mov [taken_rsp], rsp
    mov rsp, [kept_rsp]
    mov edi, APIC
    mov dword ptr [rdi + EOI], 0
    cmp qword ptr [taken_cs], CODE64
    je from_kernel
    jmp from_user

.section .bss
.balign 8
taken: .skip 8
taken_rip: .skip 8
taken_flags: .skip 8
taken_cs: .skip 8
taken_rsp: .skip 8
kept_rsp: .skip 8

.section .user, "awx"
user_code:
    jmp user_code
