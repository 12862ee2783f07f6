// RDMSR and WRMSR: privilege, unknown registers, invalid values (APM vol. 2, appendix A).
#include "guest.inc"

// WRMSR of EDX:EAX that must be #GP(0) and change nothing.
.macro refused line, index, high, low
    read_msr \index
    mov rbx, rax
    mov ecx, \index
    mov edx, \high
    mov eax, \low
    fault_here \line, GP, 0, wrmsr
    read_msr \index
    check_equal \line, rax, rbx
.endm
#define REFUSED(index, high, low) refused __LINE__, index, high, low

test:
    mov ecx, 0xc0000080
    USER_FAULT(GP, 0, rdmsr)
    USER_FAULT(GP, 0, wrmsr)
    mov ecx, 0x12345678
    FAULT(GP, 0, rdmsr)
    FAULT(GP, 0, wrmsr)

    // RDMSR gives 32-bit halves in 64-bit registers.
    mov rax, -1
    mov rdx, -1
    mov ecx, 0xc0000080
    rdmsr
    CHECK(rax, 0xd01)
    CHECK(rdx, 0)

    // EFER: reserved bits, SVM (which is not there), LME while paging is on.
    REFUSED(0xc0000080, 0, 0xd03)
    REFUSED(0xc0000080, 1, 0xd01)
    REFUSED(0xc0000080, 0, 0x1d01)
    REFUSED(0xc0000080, 0, 0xc01)

    // PAT and MTRRs: types 2 and 3 do not exist.
    REFUSED(0x277, 0x00070406, 0x00070402)
    REFUSED(0x277, 0x00070406, 0x00070408)
    REFUSED(0x2ff, 0, 0x802)
    REFUSED(0x2ff, 0, 0x1806)
    REFUSED(0x200, 0, 0x3)
    REFUSED(0x200, 0xffff0000, 0x6)
    REFUSED(0x250, 0, 0x2)
    REFUSED(0xfe, 0, 0)                             // MTRRcap is read-only

    // TSC: writable; it counts retired instructions.
    write_msr 0x10, 0x123400000000
    rdtsc
    CHECK(rdx, 0x1234)
    CHECK(rax, 1)
    rdtsc
    mov ebx, eax
    nop
    nop
    nop
    rdtsc
    sub eax, ebx
    CHECK(rax, 5)

    // TSC_AUX and RDTSCP.
    write_msr 0xc0000103, 0x77
    mov rcx, -1
    rdtscp
    CHECK(rcx, 0x77)

    // STAR, SFMASK, SYSENTER keep what is written.
    write_msr 0xc0000081, 0x123456789abcdef0
    read_msr 0xc0000081
    CHECK(rax, 0x123456789abcdef0)

    // The time stamp counter from ring 3, and without CR4.TSD's leave.
    TRY
    enter_user user_time
    CAUGHT(UD, NONE, user_time_end)
    set_bits cr4, 4
    USER_FAULT(GP, 0, rdtsc)
    USER_FAULT(GP, 0, rdtscp)
    rdtsc
    rdtscp

    // There are no performance counters.
    xor ecx, ecx
    FAULT(GP, 0, rdpmc)
    USER_FAULT(GP, 0, rdpmc)
    PASS

.section .user, "awx"
user_time:
    rdtsc
    rdtscp
user_time_end:
    ud2
