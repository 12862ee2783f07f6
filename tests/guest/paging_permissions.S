// What a page's rights allow to whom, with every error code: W, U and NX, CR0.WP, SMEP, SMAP,
// EFER.NXE (APM vol. 2, 5.6 and 8.4.2).
#include "guest.inc"

#define PAGE 0xa0000
#define LINEAR 0x8000000000
#define SMEP 0x100000
#define SMAP 0x200000

// Sets the rights of the page, which begins with UD2. No INVLPG: see paging_changes.
#define RIGHTS(bits) mov rax, PAGE | (bits); mov [PTE(PAGE)], rax
#define USER_OK(label) TRY; enter_user label; CAUGHT(UD, NONE, label##_end)
#define USER_PF(label, error) TRY; enter_user label; CAUGHT(PF, error, label); \
    CHECK(qword ptr [fault_cr2], PAGE)
#define EXECUTE_OK TRY; jmp rbx; CAUGHT(UD, NONE, PAGE)
#define EXECUTE_PF(error) TRY; jmp rbx; CAUGHT(PF, error, PAGE); \
    CHECK(qword ptr [fault_cr2], PAGE)
#define USER_EXECUTE_OK TRY; enter_user user_execute; CAUGHT(UD, NONE, PAGE)
#define USER_EXECUTE_PF(error) TRY; enter_user user_execute; CAUGHT(PF, error, PAGE)

test:
    mov ebx, PAGE
    mov word ptr [rbx], 0x0b0f

    // A supervisor page: nothing for ring 3.
    RIGHTS(PTE_P | PTE_W)
    mov rcx, [rbx]
    mov [rbx + 8], rcx
    EXECUTE_OK
    USER_PF(user_read, PF_PRESENT | PF_USER)
    USER_PF(user_write, PF_PRESENT | PF_USER | PF_WRITE)
    USER_EXECUTE_PF(PF_PRESENT | PF_USER | PF_FETCH)

    // Not present.
    RIGHTS(PTE_W | PTE_U)
    FAULT(PF, 0, mov rcx, [rbx])
    FAULT(PF, PF_WRITE, mov [rbx + 8], rcx)
    CHECK(qword ptr [fault_cr2], PAGE + 8)
    FAULT(PF, PF_WRITE, add [rbx], rcx)             // read-modify-write is a write
    FAULT(PF, PF_WRITE, lock cmpxchg [rbx], rcx)
    EXECUTE_PF(PF_FETCH)
    USER_PF(user_read, PF_USER)
    USER_PF(user_write, PF_USER | PF_WRITE)
    USER_EXECUTE_PF(PF_USER | PF_FETCH)

    // A user page: all for all.
    RIGHTS(PTE_P | PTE_W | PTE_U)
    mov rcx, [rbx]
    mov [rbx + 8], rcx
    EXECUTE_OK
    USER_OK(user_read)
    USER_OK(user_write)
    USER_EXECUTE_OK

    // Read-only, with CR0.WP.
    RIGHTS(PTE_P | PTE_U)
    mov rcx, [rbx]
    FAULT(PF, PF_PRESENT | PF_WRITE, mov [rbx], rcx)
    FAULT(PF, PF_PRESENT | PF_WRITE, xchg [rbx], rcx)
    USER_OK(user_read)
    USER_PF(user_write, PF_PRESENT | PF_USER | PF_WRITE)
    // ... and without.
    clear_bits cr0, 0x10000
    mov [rbx + 8], rcx
    USER_PF(user_write, PF_PRESENT | PF_USER | PF_WRITE)
    mov [rbx + 8], rcx
    set_bits cr0, 0x10000
    FAULT(PF, PF_PRESENT | PF_WRITE, mov [rbx + 8], rcx)

    // No execution.
    RIGHTS(PTE_P | PTE_W | PTE_U | PTE_NX)
    mov rcx, [rbx]
    mov [rbx + 8], rcx
    EXECUTE_PF(PF_PRESENT | PF_FETCH)
    USER_OK(user_read)
    USER_EXECUTE_PF(PF_PRESENT | PF_USER | PF_FETCH)

    // SMEP: the supervisor does not execute user pages.
    RIGHTS(PTE_P | PTE_W | PTE_U)
    set_bits cr4, SMEP
    EXECUTE_PF(PF_PRESENT | PF_FETCH)
    USER_EXECUTE_OK
    clear_bits cr4, SMEP
    EXECUTE_OK

    // SMAP: nor reads or writes them, but with AC.
    stac
    clac
    set_bits cr4, SMAP
    FAULT(PF, PF_PRESENT, mov rcx, [rbx])
    FAULT(PF, PF_PRESENT | PF_WRITE, mov [rbx], rcx)
    FAULT(PF, PF_PRESENT | PF_WRITE, xadd [rbx], rcx)
    stac
    mov rcx, [rbx]
    mov [rbx + 8], rcx
    pushfq
    pop rax
    and eax, RFLAGS_AC
    CHECK(rax, RFLAGS_AC)
    clac
    FAULT(PF, PF_PRESENT, mov rcx, [rbx])
    // POPFQ counts like STAC, and an exception clears nothing.
    push RFLAGS_FIXED | RFLAGS_AC
    popfq
    mov rcx, [rbx]
    // The CPU's own accesses do not look at AC: a descriptor table in a user page.
    // The first page of the table, which the handlers need, is not.
    mov esi, offset gdt
    mov edi, PAGE + 0x1000
    mov ecx, offset gdt_end - gdt
    rep movsb
    mov qword ptr [PTE(PAGE + 0x2000)], PAGE + 0x2000 + (PTE_P | PTE_W | PTE_U)
    lgdt [user_gdt]
    mov eax, 0x1000
    TRY
    stac
load:
    mov ds, eax
    CAUGHT(PF, PF_PRESENT, load)
    CHECK(qword ptr [fault_cr2], PAGE + 0x2000)
    USER_FAULT(PF, PF_PRESENT, mov ds, eax)
    lgdt [gdt_pointer]
    // Fetching is none of its business; ring 3 neither.
    EXECUTE_OK
    USER_OK(user_read)
    USER_OK(user_write)
    // A supervisor page in a user's directory is a supervisor page.
    RIGHTS(PTE_P | PTE_W)
    mov rcx, [rbx]
    clear_bits cr4, SMAP
    USER_FAULT(UD, NONE, stac)
    USER_FAULT(UD, NONE, clac)

    // The upper levels: U, W and NX must be allowed by all.
    mov rbx, LINEAR
    mov qword ptr [pml4 + 8], offset table3 + 7
    mov qword ptr [table3], offset table2 + 7
    mov qword ptr [table2], offset table1 + 7
    mov qword ptr [table1], PAGE + 7
    .irp entry, pml4 + 8, table3, table2
    mov rcx, [rbx]
    mov [rbx + 8], rcx
    mov r15, [\entry]
    and qword ptr [\entry], ~PTE_W
    FAULT(PF, PF_PRESENT | PF_WRITE, mov [rbx + 8], rcx)
    and qword ptr [\entry], ~PTE_U
    USER_FAULT(PF, PF_PRESENT | PF_USER, mov rcx, [rbx])
    mov rcx, [rbx]
    mov [\entry], r15
    bts qword ptr [\entry], 63
    TRY
    jmp rbx
    CAUGHT(PF, PF_PRESENT | PF_FETCH, LINEAR)
    mov [\entry], r15
    TRY
    jmp rbx
    CAUGHT(UD, NONE, LINEAR)
    .endr
    mov ebx, PAGE

    // Without NXE, bit 63 is reserved, and fetches are not told apart.
    write_msr 0xc0000080, 0x501
    EXECUTE_OK
    RIGHTS(PTE_P | PTE_W | PTE_U | PTE_NX)
    FAULT(PF, PF_PRESENT | PF_RESERVED, mov rcx, [rbx])
    FAULT(PF, PF_PRESENT | PF_RESERVED | PF_WRITE, mov [rbx], rcx)
    EXECUTE_PF(PF_PRESENT | PF_RESERVED)
    RIGHTS(PTE_P | PTE_W)
    USER_EXECUTE_PF(PF_PRESENT | PF_USER)
    write_msr 0xc0000080, 0xd01

    // An access across pages: the fault is that of the page that does not allow it.
    RIGHTS(PTE_P | PTE_W)
    mov qword ptr [PTE(PAGE + 0x1000)], 0
    FAULT(PF, 0, mov rcx, [rbx + 0xffc])
    CHECK(qword ptr [fault_cr2], PAGE + 0x1000)
    mov dword ptr [rbx + 0xffc], 0x11223344
    mov rcx, -1
    FAULT(PF, PF_WRITE, mov [rbx + 0xffc], rcx)
    CHECK(qword ptr [fault_cr2], PAGE + 0x1000)
    mov ecx, [rbx + 0xffc]
    CHECK(rcx, 0x11223344)                          // nothing is written
    FAULT(PF, PF_WRITE, lock add [rbx + 0xffd], ecx)
    FAULT(PF, 0, movups xmm0, [rbx + 0xff1])
    mov qword ptr [PTE(PAGE + 0x1000)], PAGE + 0x1000 + PTE_P
    mov rcx, [rbx + 0xffc]
    FAULT(PF, PF_PRESENT | PF_WRITE, mov [rbx + 0xffc], rcx)
    CHECK(qword ptr [fault_cr2], PAGE + 0x1000)
    RIGHTS(0)
    FAULT(PF, 0, mov rcx, [rbx + 0xffc])
    CHECK(qword ptr [fault_cr2], PAGE + 0xffc)      // the first byte that faults
    RIGHTS(PTE_P | PTE_W)
    mov qword ptr [PTE(PAGE + 0x1000)], PAGE + 0x2000 + PTE_P + PTE_W
    mov rcx, 0x8877665544332211
    mov [rbx + 0xffd], rcx                          // and lands in two places
    mov rax, [rbx + 0xffd]
    CHECK(rax, rcx)
    mov eax, [PAGE + 0x2000]
    CHECK(rax, 0x77665544)
    PASS

.section .bss
.balign 4096
table3: .skip 4096
table2: .skip 4096
table1: .skip 4096

.section .data
user_gdt:
    .word 0xffff
    .quad PAGE + 0x1000

.section .user, "awx"
user_read:
    mov rcx, [rbx]
user_read_end:
    ud2
user_write:
    mov [rbx], rcx
user_write_end:
    ud2
user_execute:
    jmp rbx
