// Branches to addresses that are not canonical: #GP at the branch, whatever has been run at the
// canonical address with the same low bits, in whatever mode (APM vol. 2, 5.3.1; vol. 3, JMP near).
//: ticks 400000
#include "guest.inc"

test:
    // `target` is known to all branches under another mode (CR0.TS). Among these addresses is every
    // small difference in the upper bits.
    mov r12d, 1
    call toggle_ts
    call reach
    call toggle_ts
2:  mov rdx, r12
    shl rdx, 48
    mov eax, offset target
    xor rdx, rax
    FAULT(GP, 0, jmp rdx)
    FAULT(GP, 0, call rdx)
    mov [pointer], rdx
    FAULT(GP, 0, jmp qword ptr [pointer])
    FAULT(GP, 0, call qword ptr [pointer])
    mov rbx, rsp
    TRY
    push rdx
3:  ret
    CAUGHT(GP, 0, 3b)
    push rdx
    TRY
4:  ret 24
    CAUGHT(GP, 0, 4b)
    // RSP is as it was before the branch.
    lea rbx, [rbx - 8]
    CHECK(rsp, rbx)
    CHECK(qword ptr [rsp], rdx)
    pop rdx
    inc r12d
    cmp r12d, 256
    jne 2b
    PASS

toggle_ts:
    mov rax, cr0
    xor eax, 8
    mov cr0, rax
    ret

reach:
    mov ecx, 12
5:  mov eax, offset target
    call rax
    mov [pointer], rax
    call qword ptr [pointer]
    push offset 6f
    push rax
    ret
6:  dec ecx
    jnz 5b
    ret

.balign 64
target:
    ret

.balign 8
pointer:
    .quad 0
