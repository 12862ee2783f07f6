// Loads of segment registers, LDTR and TR, and the instructions that look at descriptors
// (APM vol. 2, 4.5 to 4.8; vol. 3, MOV, LLDT, LTR, LAR, LSL, VERR, VERW).
#include "guest.inc"

#define SPARE(n) (SPARE_SELECTOR + 8 * n)

// Writes a descriptor without its base. Changes RAX.
.macro descriptor index, value
    mov rax, \value
    mov [spare_descriptors + 8 * \index], rax
.endm

test:
    // Null selectors load anywhere; the base becomes 0. SS may be null below ring 3.
    descriptor 0, 0x12cf92345678ffff                // base 0x12345678, not accessed
    mov ebx, SPARE(0)
    mov fs, ebx
    read_msr 0xc0000100
    CHECK(rax, 0x12345678)
    CHECK(qword ptr [spare_descriptors], 0x12cf93345678ffff)
    mov ebx, 3
    mov fs, ebx
    read_msr 0xc0000100
    CHECK(rax, 0)
    mov eax, fs
    CHECK(rax, 3)
    xor ebx, ebx
    mov ss, ebx
    mov ebx, 3
    FAULT(GP, 0, mov ss, ebx)                       // RPL is not CPL
    mov ebx, DATA64
    mov ss, ebx

    // Data segments.
    mov ebx, SPARE(16)
    FAULT(GP, SPARE(16), mov ds, ebx)               // beyond the table
    mov ebx, 0xfffb
    FAULT(GP, 0xfff8, mov es, ebx)
    mov ebx, 0x0f
    FAULT(GP, 0x0c, mov gs, ebx)                    // no LDT
    mov ebx, TSS_SELECTOR
    FAULT(GP, TSS_SELECTOR, mov ds, ebx)            // a system descriptor
    descriptor 0, 0x00af99000000ffff                // code that cannot be read
    mov ebx, SPARE(0)
    FAULT(GP, SPARE(0), mov ds, ebx)
    descriptor 0, 0x00af9b000000ffff                // code that can
    mov ds, ebx
    descriptor 0, 0x00cf13000000ffff                // not present
    FAULT(NP, SPARE(0), mov ds, ebx)
    mov ebx, USER_DATA & ~3
    mov ds, ebx                                     // DPL 3 from ring 0
    mov ebx, DATA64 | 3
    FAULT(GP, DATA64, mov ds, ebx)                  // RPL
    mov ebx, DATA64
    USER_FAULT(GP, DATA64, mov ds, ebx)             // CPL
    descriptor 0, 0x00af9f000000ffff                // conforming code: privilege does not count
    mov ebx, SPARE(0) | 3
    mov ds, ebx
    TRY
    enter_user load_conforming
    CAUGHT(UD, NONE, conforming_loaded)

    // The stack segment.
    xor ebx, ebx
    USER_FAULT(GP, 0, mov ss, ebx)
    mov ebx, 3
    USER_FAULT(GP, 0, mov ss, ebx)
    mov ebx, USER_DATA
    FAULT(GP, USER_DATA & ~3, mov ss, ebx)
    mov ebx, USER_DATA & ~3
    FAULT(GP, USER_DATA & ~3, mov ss, ebx)          // DPL
    mov ebx, CODE64
    FAULT(GP, CODE64, mov ss, ebx)
    descriptor 0, 0x00cf91000000ffff                // read-only
    mov ebx, SPARE(0)
    FAULT(GP, SPARE(0), mov ss, ebx)
    descriptor 0, 0x00cf13000000ffff
    FAULT(SSF, SPARE(0), mov ss, ebx)
    mov ebx, SPARE(16)
    FAULT(GP, SPARE(16), mov ss, ebx)
    FAULT(GP, SPARE(16), mov ss, [far_selector])

    // POP FS: RSP does not move if it faults.
    TRY
    push SPARE(16)
popping:
    pop fs
    CAUGHT(GP, SPARE(16), popping)
    mov rax, rsp
    sub rax, 8
    CHECK(qword ptr [fault_rsp], rax)

    // LDTR.
    mov ebx, 0x44
    FAULT(GP, 0x44, lldt bx)                        // in the LDT
    mov ebx, DATA64
    FAULT(GP, DATA64, lldt bx)
    mov ebx, SPARE(16)
    FAULT(GP, SPARE(16), lldt bx)
    mov ebx, LDT_SELECTOR
    mov eax, offset local_descriptors
    shl rax, 16
    mov rcx, 0x0000020000000007                     // not present
    or rax, rcx
    mov [ldt_descriptor], rax
    FAULT(NP, LDT_SELECTOR, lldt bx)
    bts qword ptr [ldt_descriptor], 47
    USER_FAULT(GP, 0, lldt bx)
    lldt bx
    sldt eax
    CHECK(rax, LDT_SELECTOR)
    mov ebx, 0x04
    mov gs, ebx
    read_msr 0xc0000101
    CHECK(rax, 0x1000)
    mov ebx, 0x0c
    FAULT(GP, 0x0c, mov gs, ebx)                    // beyond it
    xor ebx, ebx
    lldt bx
    mov ebx, 0x04
    FAULT(GP, 0x04, mov gs, ebx)

    // TR: busy after the load, and not to be loaded again.
    str eax
    CHECK(rax, TSS_SELECTOR)
    mov al, [tss_descriptor + 5]
    and eax, 0xff
    CHECK(rax, 0x8b)
    mov ebx, TSS_SELECTOR
    FAULT(GP, TSS_SELECTOR, ltr bx)
    mov byte ptr [tss_descriptor + 5], 0x09
    FAULT(NP, TSS_SELECTOR, ltr bx)
    mov byte ptr [tss_descriptor + 5], 0x89
    USER_FAULT(GP, 0, ltr bx)
    ltr bx
    xor ebx, ebx
    FAULT(GP, 0, ltr bx)
    mov ebx, 0x34
    FAULT(GP, 0x34, ltr bx)

    // LGDT and LIDT: canonical bases, ring 0. SGDT works in ring 3 (there is no UMIP).
    FAULT(GP, 0, lgdt [bad_pointer])
    FAULT(GP, 0, lidt [bad_pointer])
    USER_FAULT(GP, 0, lgdt [user_pointer])
    USER_FAULT(UD, NONE, ud2)
    TRY
    enter_user user_store
    CAUGHT(UD, NONE, user_stored)
    CHECK(qword ptr [user_pointer + 2], offset gdt)

    // LAR, LSL, VERR, VERW: ZF, and the destination only if it is set.
    mov ecx, CODE64
    mov eax, -1
    lar eax, ecx
    setz bl
    CHECK(rax, 0x00af9b00)
    lsl eax, ecx
    CHECK(rax, 0xffffffff)
    mov ecx, TSS_SELECTOR
    lsl eax, ecx
    CHECK(rax, offset tss_end - tss - 1)
    mov eax, 0x55
    xor ecx, ecx
    lar eax, ecx
    jz failed
    mov ecx, DATA64 | 3
    lar eax, ecx                                    // RPL
    jz failed
    mov ecx, 0xfff8
    lar eax, ecx
    jz failed
    CHECK(rax, 0x55)
    mov ecx, CODE64
    verr cx
    jnz failed
    verw cx
    jz failed
    mov ecx, DATA64
    verw cx
    jnz failed
    TRY
    enter_user user_queries
    CAUGHT(UD, NONE, user_queries_done)
    CHECK(r8, 0)
    PASS
failed:
    UNREACHABLE

.section .data
far_selector:
    .word SPARE(16)
bad_pointer:
    .word 0x7f
    .quad 0x800000000000
.balign 8
local_descriptors:
    .quad 0x00cff3001000ffff

.section .user, "awx"
.balign 16
user_pointer:
    .word 0x7f
    .quad 0
load_conforming:
    mov ebx, SPARE(0) | 3
    mov ds, ebx
conforming_loaded:
    ud2
user_store:
    sgdt [user_pointer]
user_stored:
    ud2
user_queries:
    mov r8d, 1
    mov ecx, DATA64
    verr cx
    jz user_queries_done                            // not visible from ring 3
    mov ecx, USER_DATA
    verw cx
    jnz user_queries_done
    lar eax, ecx
    jnz user_queries_done
    xor r8d, r8d
user_queries_done:
    ud2
