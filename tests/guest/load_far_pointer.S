// LSS, LFS and LGS (APM vol. 3): the size of the offset, the checks of the segment, and that
// nothing changes if one of them fails.
#include "guest.inc"

#define SPARE(n) (SPARE_SELECTOR + 8 * n)
#define OLD 0x1122334455667788

.macro descriptor index, value
    mov rax, \value
    mov [spare_descriptors + 8 * \index], rax
.endm
.macro selector value
    mov word ptr [far_pointer + 4], \value
.endm

test:
    // 16:32, 16:16; the upper bits are those of any write to a register.
    descriptor 0, 0x12cf92345678ffff                // base 0x12345678, not accessed
    selector SPARE(0)
    mov rbx, OLD
    lfs ebx, fword ptr [far_pointer]
    CHECK(rbx, 0x89abcdef)
    mov eax, fs
    CHECK(rax, SPARE(0))
    read_msr 0xc0000100
    CHECK(rax, 0x12345678)
    CHECK(qword ptr [spare_descriptors], 0x12cf93345678ffff)
    mov rbx, OLD
    lgs bx, dword ptr [short_pointer]
    CHECK(rbx, 0x1122334455661234)
    read_msr 0xc0000101
    CHECK(rax, 0x12345678)

    // REX.W reads no more, zero-extends, and wins over 66h.
    mov rbx, OLD
    .byte 0x48
    lgs ebx, fword ptr [far_pointer]
    CHECK(rbx, 0x89abcdef)
    mov rbx, OLD
    .byte 0x66, 0x48
    lgs ebx, fword ptr [far_pointer]
    CHECK(rbx, 0x89abcdef)

    // R8 to R15, and a pointer across two pages.
    lfs r15d, fword ptr [far_pointer]
    CHECK(r15, 0x89abcdef)
    mov dword ptr [0x100ffd], 0x76543210
    mov word ptr [0x101001], DATA64
    lfs ebx, fword ptr [0x100ffd]
    CHECK(rbx, 0x76543210)
    mov eax, fs
    CHECK(rax, DATA64)
    and qword ptr [PTE(0x101000)], ~PTE_P
    invlpg [0x101000]
    mov rbx, OLD
    FAULT(PF, 0, lfs ebx, fword ptr [0x100ffd])
    CHECK(qword ptr [fault_cr2], 0x101000)
    or qword ptr [PTE(0x101000)], PTE_P

    // The checks of MOV to the register: neither register changes.
    selector SPARE(16)
    FAULT(GP, SPARE(16), lfs ebx, fword ptr [far_pointer])
    FAULT(GP, SPARE(16), lss ebx, fword ptr [far_pointer])
    selector TSS_SELECTOR
    FAULT(GP, TSS_SELECTOR, lgs ebx, fword ptr [far_pointer])
    descriptor 0, 0x00cf13000000ffff                // not present
    selector SPARE(0)
    FAULT(NP, SPARE(0), lfs ebx, fword ptr [far_pointer])
    FAULT(SSF, SPARE(0), lss ebx, fword ptr [far_pointer])
    selector DATA64 | 3
    FAULT(GP, DATA64, lgs ebx, fword ptr [far_pointer])
    FAULT(GP, DATA64, lss ebx, fword ptr [far_pointer])
    selector CODE64
    FAULT(GP, CODE64, lss ebx, fword ptr [far_pointer])
    CHECK(rbx, OLD)
    mov eax, fs
    CHECK(rax, DATA64)
    USER_FAULT(GP, DATA64, lfs ebx, fword ptr [kernel_data])
    USER_FAULT(GP, 0, lss ebx, fword ptr [null])
    USER_FAULT(PF, PF_PRESENT | PF_USER, lfs ebx, fword ptr [far_pointer])
    CHECK(rbx, OLD)

    // Ring 3 may load its own; null clears the base.
    TRY
    enter_user user_loads
    CAUGHT(UD, NONE, user_loaded)
    CHECK(r8, USER_DATA)
    CHECK(r9, 0)
    CHECK(rbx, 0x2000)
    read_msr 0xc0000101
    CHECK(rax, 0)

    // No register form, and no LOCK.
    FAULT(UD, NONE, .byte 0x0f, 0xb2, 0xc3)
    FAULT(UD, NONE, .byte 0xf0, 0x0f, 0xb4, 0x04, 0x25, 0, 0, 0x10, 0)

    // LSS takes RSP along, and does not hold traps off as MOV SS does.
    selector DATA64
    mov r12, rsp
    mov [far_pointer], esp
    TRY
    push RFLAGS_FIXED | RFLAGS_TF
    popf
    lss esp, fword ptr [far_pointer]
trapped:
    nop
    CAUGHT(DB, NONE, trapped)
    CHECK(rsp, r12)
    mov eax, ss
    CHECK(rax, DATA64)
    PASS

.section .data
far_pointer:
    .long 0x89abcdef
    .word 0
    .word 0xffff, 0xffff                            // where Intel's selector would be
short_pointer:
    .word 0x1234, SPARE(0)

.section .user, "awx"
kernel_data:
    .long 0
    .word DATA64
null:
    .long 0x2000
    .word 0
user_data:
    .long 0x1000
    .word USER_DATA
user_loads:
    lfs ebx, fword ptr [user_data]
    mov r8d, fs
    lgs ebx, fword ptr [null]
    mov r9d, gs
user_loaded:
    ud2
