// Single step: where the traps come, and where they do not (APM vol. 2, 13.1.4 and 8.5; vol. 3,
// SYSCALL, SYSRET, INT n).
//
// The handler notes the RIP of every trap; `steps` is compared with what is expected.
#include "guest.inc"

#define BS 0x4000

.macro begin_steps
    mov qword ptr [step_count], 0
    push RFLAGS_FIXED | RFLAGS_TF
    popfq
.endm
// Ends with the step after POPFQ's own: POPFQ runs with TF, so it is a step itself.
.macro end_steps
    push RFLAGS_FIXED
    popfq
.endm
#define STEP(n, label) CHECK(qword ptr [steps + 8 * n], offset label)
#define STEPS(n) CHECK(qword ptr [step_count], n)

test:
    set_gate DB, step_handler
    xor eax, eax
    mov dr6, rax

    // The instruction after POPFQ is the first that traps; the one that clears TF is the last.
    begin_steps
first:
    nop
second:
    mov ebx, 1
third:
    jmp fourth
    nop
fourth:
    pushfq
fifth:
    pop rcx
sixth:
    end_steps
after_end:
    nop
    STEPS(7)
    STEP(0, second)
    STEP(1, third)
    STEP(2, fourth)
    STEP(3, fifth)
    STEP(4, sixth)
    STEP(6, after_end)
    // PUSHFQ sees TF; the handler does not; the frame has TF and no RF; DR6 tells why.
    and ecx, RFLAGS_TF
    CHECK(rcx, RFLAGS_TF)
    CHECK(qword ptr [handler_flags], 0)
    CHECK(qword ptr [frame_flags], RFLAGS_TF)
    mov rax, dr6
    CHECK(rax, 0xffff0ff0 | BS)

    // REP: each iteration is a step; the last one ends at the next instruction.
    mov esi, 0xa0000
    mov edi, 0xa0100
    mov ecx, 3
    begin_steps
repeated:
    rep movsb
after_repeated:
    end_steps
    STEPS(5)
    STEP(0, repeated)
    STEP(1, repeated)
    STEP(2, after_repeated)
    CHECK(rcx, 0)
    // With a count of 0 it is one step.
    begin_steps
    rep stosb
after_none:
    end_steps
    STEPS(3)
    STEP(0, after_none)

    // MOV SS holds the trap back; that of the next instruction comes.
    mov eax, DATA64
    begin_steps
    mov ss, eax
    nop
after_shadow:
    nop
    end_steps
    STEPS(4)
    STEP(0, after_shadow)

    // STI does not.
    begin_steps
    sti
after_sti:
    cli
after_cli:
    end_steps
    STEPS(4)
    STEP(0, after_sti)
    STEP(1, after_cli)

    // INT n clears TF: nothing in the handler, and after its IRETQ first the next instruction.
    set_gate 0x80, empty_handler
    begin_steps
    int 0x80
    nop
after_int:
    nop
    end_steps
    STEPS(4)
    STEP(0, after_int)
    // INT3 likewise.
    set_gate BP, empty_handler
    begin_steps
    int3
    nop
after_int3:
    nop
    end_steps
    STEPS(4)
    STEP(0, after_int3)

    // A fault is no step. Its frame has TF and RF; going on after it is one.
    set_gate UD, skip_handler
    begin_steps
    ud2
    nop
after_ud2:
    nop
    end_steps
    STEPS(4)
    STEP(0, after_ud2)
    CHECK(qword ptr [fault_flags], RFLAGS_TF | RFLAGS_RF)
    set_gate UD, return_to_test

    // SYSCALL from ring 3: SFMASK clears TF, and nothing traps in the kernel.
    write_msr 0xc0000081, 0x001b000800000000
    write_msr 0xc0000082, "offset system_call"
    write_msr 0xc0000084, RFLAGS_TF
    mov qword ptr [step_count], 0
    mov [kept_rsp], rsp
    enter_user user_call, RFLAGS_FIXED | RFLAGS_TF
system_call:
    nop
    nop
    mov rsp, [kept_rsp]
    mov rbx, r11
    and ebx, RFLAGS_TF
    CHECK(rbx, RFLAGS_TF)
    STEPS(1)
    STEP(0, user_call_itself)

    // SYSRET with TF in R11 traps at once: its trap is that of the SYSCALL.
    mov qword ptr [step_count], 0
    mov ecx, offset user_after_call
    mov r11d, RFLAGS_FIXED | RFLAGS_TF
    sysretq
back_from_user:
    mov rsp, [kept_rsp]
    STEPS(2)
    STEP(0, user_after_call)
    STEP(1, user_end)
    CHECK(qword ptr [frame_cs], USER_CODE64)

    // Without a mask, TF stays, and SYSCALL traps.
    write_msr 0xc0000084, 0
    write_msr 0xc0000082, "offset stepped_call"
    begin_steps
    syscall
stepped_call:
    nop
after_stepped:
    end_steps
    STEPS(4)
    STEP(0, stepped_call)
    STEP(1, after_stepped)

    // IRETQ that sets TF: first the instruction at its target.
    mov qword ptr [step_count], 0
    mov rbx, rsp
    push DATA64
    push rbx
    push RFLAGS_FIXED | RFLAGS_TF
    push CODE64
    push offset target
    iretq
target:
    nop
after_target:
    end_steps
    STEPS(3)
    STEP(0, after_target)

    // HLT: the trap wakes the processor.
    begin_steps
    hlt
after_halt:
    end_steps
    STEPS(3)
    STEP(0, after_halt)

    // A data breakpoint at the same instruction: one trap with both causes.
    mov eax, 0xa0000
    mov dr0, rax
    mov eax, 0x10002
    mov dr7, rax
    xor eax, eax
    mov dr6, rax
    begin_steps
    mov byte ptr [0xa0000], 1
    end_steps
    STEPS(3)
    CHECK(qword ptr [first_causes], 0xffff0ff0 | BS | 1)
    PASS

step_handler:
    pushfq
    push rax
    push rbx
    mov rax, [rsp + 16]
    and eax, RFLAGS_TF
    mov [handler_flags], rax
    mov rax, [rsp + 24]
    mov rbx, [step_count]
    mov [steps + 8 * rbx], rax
    inc qword ptr [step_count]
    mov rax, [rsp + 32]
    mov [frame_cs], rax
    mov rax, [rsp + 40]
    and eax, RFLAGS_TF | RFLAGS_RF
    test ebx, ebx
    jnz 1f
    mov [frame_flags], rax
    mov rax, dr6
    mov [first_causes], rax
1:  pop rbx
    pop rax
    popfq
    iretq

empty_handler:
    nop
    iretq

// Goes on after the UD2.
skip_handler:
    push rax
    mov rax, [rsp + 24]
    and eax, RFLAGS_TF | RFLAGS_RF
    mov [fault_flags], rax
    pop rax
    add qword ptr [rsp], 2
    and qword ptr [rsp + 16], ~RFLAGS_RF
    iretq

return_to_test:
    jmp back_from_user

.section .bss
.balign 8
step_count: .skip 8
handler_flags: .skip 8
frame_flags: .skip 8
frame_cs: .skip 8
fault_flags: .skip 8
first_causes: .skip 8
kept_rsp: .skip 8
steps: .skip 8 * 64

.section .user, "awx"
user_call:
    nop
user_call_itself:
    syscall
user_after_call:
    nop
user_end:
    ud2
