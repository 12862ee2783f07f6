// When instructions with VEX may run: CR4.OSXSAVE, XCR0 and CR0.TS for vector registers, nothing for
// general ones; and the upper halves as a component of XSAVE (APM vol. 2, 11.5; vol. 4, 1.5).
#include "guest.inc"

#define CR0_EM 0x4
#define CR0_TS 0x8
#define CR4_OSFXSR 0x200
#define CR4_OSXMMEXCPT 0x400
#define CR4_OSXSAVE 0x40000

.macro set_xcr0 value
    xor ecx, ecx
    xor edx, edx
    mov eax, \value
    xsetbv
.endm

test:
    set_bits cr4, CR4_OSFXSR|CR4_OSXMMEXCPT

    // Not before the operating system has said so; but general registers need no permission.
    FAULT(UD, NONE, vxorps xmm0, xmm0, xmm0)
    FAULT(UD, NONE, vpaddd ymm0, ymm0, ymm0)
    FAULT(UD, NONE, vzeroupper)
    mov ecx, 0xff
    mov edx, 0xf0
    andn rax, rdx, rcx
    CHECK(rax, 0xf)
    tzcnt eax, edx
    CHECK(rax, 4)
    lzcnt eax, edx
    CHECK(rax, 24)
    set_bits cr4, CR4_OSXSAVE
    FAULT(UD, NONE, vxorps xmm0, xmm0, xmm0)
    set_xcr0 3
    FAULT(UD, NONE, vxorps xmm0, xmm0, xmm0)
    FAULT(UD, NONE, vpaddd ymm0, ymm0, ymm0)
    set_xcr0 7
    xgetbv
    CHECK(rax, 7)
    vxorps xmm0, xmm0, xmm0
    vpaddd ymm0, ymm0, ymm0

    // TS matters, EM does not; vectors only.
    set_bits cr0, CR0_EM
    vxorps xmm0, xmm0, xmm0
    clear_bits cr0, CR0_EM
    set_bits cr0, CR0_TS
    FAULT(NM, NONE, vxorps xmm0, xmm0, xmm0)
    FAULT(NM, NONE, vmovdqu ymm0, [area + 1])
    mov ecx, 5
    mov edx, 3
    pdep rax, rcx, rdx
    CHECK(rax, 1)
    clts
    // #UD comes before #NM.
    set_xcr0 3
    set_bits cr0, CR0_TS
    FAULT(UD, NONE, vxorps xmm0, xmm0, xmm0)
    clts
    set_xcr0 7

    // Sizes and places, as CPUID gives them.
    mov eax, 0xd
    xor ecx, ecx
    cpuid
    CHECK(rbx, 832)
    mov eax, 0xd
    mov ecx, 2
    cpuid
    CHECK(rax, 256)
    CHECK(rbx, 576)

    // Only what is in use is marked as such, and XRSTOR clears what is not.
    vzeroall
    vpcmpeqd xmm9, xmm9, xmm9
    vinsertf128 ymm9, ymm9, xmm9, 1
    mov eax, 6
    xor edx, edx
    mov ebx, offset area
    xsave [rbx]
    mov rcx, [rbx + 512]
    CHECK(rcx, 6)
    mov rcx, [rbx + 576 + 16*9]
    CHECK(rcx, -1)
    mov rcx, [rbx + 576 + 16*8]
    CHECK(rcx, 0)
    vzeroupper
    xsaveopt [rbx]
    mov rcx, [rbx + 512]
    CHECK(rcx, 2)
    mov qword ptr [rbx + 512], 6
    xrstor [rbx]
    vextractf128 xmm1, ymm9, 1
    vmovq rcx, xmm1
    CHECK(rcx, -1)
    mov qword ptr [rbx + 512], 2
    xrstor [rbx]
    vextractf128 xmm1, ymm9, 1
    vmovq rcx, xmm1
    CHECK(rcx, 0)

    // A legacy instruction leaves the upper half alone, one with VEX clears it.
    vpcmpeqd ymm2, ymm2, ymm2
    xorps xmm2, xmm2
    vextractf128 xmm1, ymm2, 1
    vmovq rcx, xmm1
    CHECK(rcx, -1)
    vxorps xmm2, xmm2, xmm2
    vextractf128 xmm1, ymm2, 1
    vmovq rcx, xmm1
    CHECK(rcx, 0)

    // Alignment: the moves that say so only.
    FAULT(GP, 0, vmovaps ymm1, [area + 16])
    FAULT(GP, 0, vmovdqa [area + 8], xmm1)
    vaddps ymm1, ymm1, [area + 4]
    PASS

.section .bss
.balign 64
area: .skip 1024
