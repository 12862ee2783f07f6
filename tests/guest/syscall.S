// SYSCALL and SYSRET (APM vol. 2, 6.1; vol. 3, SYSCALL and SYSRET).
#include "guest.inc"

#define EFER 0xc0000080
#define STAR 0xc0000081
#define LSTAR 0xc0000082
#define CSTAR 0xc0000083
#define SFMASK 0xc0000084

#define FLAGS (RFLAGS_FIXED | RFLAGS_CF | RFLAGS_DF | RFLAGS_AC | RFLAGS_ID | RFLAGS_IF)

test:
    write_msr STAR, 0x001b000800000000
    write_msr LSTAR, "offset system_call"
    write_msr SFMASK, RFLAGS_IF | RFLAGS_DF | RFLAGS_AC | RFLAGS_CF

    // LSTAR and CSTAR must be canonical; SFMASK has 32 bits.
    mov ecx, LSTAR
    mov edx, 0x8000
    FAULT(GP, 0, wrmsr)
    mov ecx, CSTAR
    FAULT(GP, 0, wrmsr)
    read_msr LSTAR
    CHECK(rax, offset system_call)

    // From ring 3 and back. The stack stays the user's.
    mov rcx, -1
    enter_user user_code, FLAGS
system_call:
    CHECK(rcx, offset user_after_call)
    CHECK(r11, FLAGS)
    CHECK(rsp, USER_STACK)
    mov rsp, offset stack_top
    pushfq
    pop rax
    // The CHECKs have changed the arithmetic flags.
    and eax, ~0x8d5
    CHECK(rax, RFLAGS_FIXED | RFLAGS_ID)
    mov eax, cs
    CHECK(rax, CODE64)
    mov eax, ss
    CHECK(rax, DATA64)

    // SYSRET: CS and SS from STAR, RFLAGS from R11 without RF.
    mov rcx, offset user_after_return
    mov r11d, RFLAGS_FIXED | RFLAGS_CF | RFLAGS_RF | RFLAGS_IF | RFLAGS_IOPL3
    mov rsp, USER_STACK - 0x40
    mov qword ptr [resume], offset returned
    mov qword ptr [resume_rsp], offset stack_top
    sysretq
returned:
    CHECK(qword ptr [fault_vector], UD)
    CHECK(qword ptr [fault_rip], offset user_after_return)
    CHECK(qword ptr [fault_cs], USER_CODE64)
    CHECK(qword ptr [fault_ss], USER_DATA)
    CHECK(qword ptr [fault_rsp], USER_STACK - 0x40)
    // The fault has set RF in the frame.
    CHECK(qword ptr [fault_rflags], RFLAGS_FIXED | RFLAGS_CF | RFLAGS_IF | RFLAGS_IOPL3 | RFLAGS_RF)

    // From CPL 0, SYSCALL works as well; RF is saved as 0.
    write_msr LSTAR, "offset from_kernel"
    stc
    syscall
after_kernel_call:
    UNREACHABLE
from_kernel:
    CHECK(rcx, offset after_kernel_call)

    // SYSRET is for CPL 0 only.
    USER_FAULT(GP, 0, sysretq)

    // A target that is not canonical faults in ring 3, where it is fetched.
    mov rcx, 0x800000000000
    mov r11d, RFLAGS_FIXED
    mov rsp, USER_STACK
    mov qword ptr [resume], offset not_canonical
    sysretq
not_canonical:
    CHECK(qword ptr [fault_vector], GP)
    CHECK(qword ptr [fault_error], 0)
    CHECK(qword ptr [fault_rip], 0x800000000000)
    CHECK(qword ptr [fault_cs], USER_CODE64)
    CHECK(qword ptr [fault_stack], offset rsp0_top - 48)

    // Without EFER.SCE there are none; #UD before #GP.
    write_msr EFER, 0xd00
    FAULT(UD, NONE, syscall)
    FAULT(UD, NONE, sysretq)
    USER_FAULT(UD, NONE, syscall)
    USER_FAULT(UD, NONE, sysretq)
    PASS

.section .user, "awx"
user_code:
    syscall
user_after_call:
    ud2
user_after_return:
    ud2
