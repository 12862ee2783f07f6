// #NM, #MF, #XM and #UD of the floating-point units, and the privileged part of XSAVE
// (APM vol. 2, 8.2.8, 8.2.17, 8.2.20, 11; vol. 1, 6.8).
#include "guest.inc"

#define CR0_MP 2
#define CR0_EM 4
#define CR0_TS 8
#define CR4_OSFXSR 0x200
#define CR4_OSXMMEXCPT 0x400
#define CR4_OSXSAVE 0x40000

test:
    fninit
    mov ebx, offset area
    // TS: everything but FNxxx of the state that waits for nothing; CLTS ends it.
    set_bits cr0, CR0_TS
    FAULT(NM, NONE, fld1)
    FAULT(NM, NONE, fninit)
    FAULT(NM, NONE, fnstcw [rbx])
    FAULT(NM, NONE, fwait)
    FAULT(NM, NONE, emms)
    FAULT(NM, NONE, movd mm0, eax)
    FAULT(NM, NONE, addps xmm0, xmm1)
    FAULT(NM, NONE, movdqa xmm0, [rbx])
    FAULT(NM, NONE, stmxcsr [rbx])
    FAULT(NM, NONE, fxsave [rbx])
    FAULT(NM, NONE, fxrstor [rbx])
    USER_FAULT(NM, NONE, fld1)
    prefetchnta [rbx]
    sfence
    crc32 eax, ebx
    popcnt eax, ebx
    movnti [rbx], eax
    // FWAIT looks at MP and TS.
    clear_bits cr0, CR0_MP
    fwait
    FAULT(NM, NONE, fld1)
    set_bits cr0, CR0_MP
    clts
    fwait

    // EM: x87 is emulated, SSE does not exist.
    set_bits cr0, CR0_EM
    FAULT(NM, NONE, fld1)
    FAULT(UD, NONE, emms)
    FAULT(UD, NONE, addps xmm0, xmm1)
    FAULT(UD, NONE, ldmxcsr [rbx])
    fwait
    clear_bits cr0, CR0_EM

    // SSE needs OSFXSR; FXSAVE does not.
    clear_bits cr4, CR4_OSFXSR
    FAULT(UD, NONE, addps xmm0, xmm1)
    FAULT(UD, NONE, paddb xmm0, xmm1)
    paddb mm0, mm1
    emms
    fxsave [rbx]
    set_bits cr4, CR4_OSFXSR
    addps xmm0, xmm1

    // #MF comes at the next waiting instruction.
    mov word ptr [control], 0x37b                   // #Z unmasked
    fldcw [control]
    fld1
    fldz
divide:
    fdivp
    nop
    fnstsw ax
    and eax, 0x8084
    CHECK(rax, 0x8084)
    FAULT(MF, NONE, fld1)
    FAULT(MF, NONE, fwait)
    FAULT(MF, NONE, emms)
    USER_FAULT(MF, NONE, fwait)
    fnclex
    fwait
    fninit

    // #XM at the instruction itself; without OSXMMEXCPT it is #UD.
    mov dword ptr [control], 0x1d80                 // #Z unmasked
    ldmxcsr [control]
    xorps xmm1, xmm1
    mov eax, 0x3f800000
    movd xmm0, eax
    FAULT(XM, NONE, divss xmm0, xmm1)
    movd ecx, xmm0
    CHECK(rcx, 0x3f800000)
    stmxcsr [control]
    mov ecx, [control]
    CHECK(rcx, 0x1d84)
    clear_bits cr4, CR4_OSXMMEXCPT
    FAULT(UD, NONE, divss xmm0, xmm1)
    set_bits cr4, CR4_OSXMMEXCPT

    // Operands that must be aligned, and values that do not exist.
    FAULT(GP, 0, movaps xmm0, [rbx + 8])
    FAULT(GP, 0, addps xmm0, [rbx + 4])
    movups xmm0, [rbx + 8]
    FAULT(GP, 0, fxsave [rbx + 8])
    FAULT(GP, 0, fxrstor [rbx + 8])
    mov dword ptr [control], 0x10000
    FAULT(GP, 0, ldmxcsr [control])
    fxsave [rbx]
    mov dword ptr [rbx + 24], 0x10000
    FAULT(GP, 0, fxrstor [rbx])
    stmxcsr [control]
    mov ecx, [control]
    CHECK(rcx, 0x1d84)

    // XSAVE needs CR4.OSXSAVE, which CPUID shows.
    mov eax, 7
    xor edx, edx
    xor ecx, ecx
    FAULT(UD, NONE, xgetbv)
    FAULT(UD, NONE, xsetbv)
    FAULT(UD, NONE, xsave [rbx])
    FAULT(UD, NONE, xrstor [rbx])
    set_bits cr4, CR4_OSXSAVE
    mov eax, 1
    cpuid
    bt ecx, 27
    jc 1f
    UNREACHABLE
1:  mov ebx, offset area

    // XCR0: x87 always, nothing unknown, XCR0 only, ring 0 only.
    xor ecx, ecx
    xor edx, edx
    mov eax, 2
    FAULT(GP, 0, xsetbv)
    mov eax, 0
    FAULT(GP, 0, xsetbv)
    mov eax, 5
    FAULT(GP, 0, xsetbv)
    mov eax, 0x13
    FAULT(GP, 0, xsetbv)
    mov eax, 3
    mov edx, 1
    FAULT(GP, 0, xsetbv)
    xor edx, edx
    mov ecx, 1
    FAULT(GP, 0, xsetbv)
    mov ecx, 2
    FAULT(GP, 0, xgetbv)
    xor ecx, ecx
    USER_FAULT(GP, 0, xsetbv)
    xsetbv
    xgetbv
    CHECK(rax, 3)
    CHECK(rdx, 0)

    // The area is aligned to 64; XRSTOR refuses headers that are not as XSAVE writes them.
    FAULT(GP, 0, xsave [rbx + 16])
    FAULT(GP, 0, xrstor [rbx + 16])
    mov dword ptr [control], 0x1f80
    ldmxcsr [control]
    xsave [rbx]
    mov rcx, [rbx + 512]
    xrstor [rbx]
    mov qword ptr [rbx + 512], 4                    // not in XCR0
    FAULT(GP, 0, xrstor [rbx])
    mov qword ptr [rbx + 512], 3
    mov qword ptr [rbx + 520], 1                    // XCOMP_BV
    FAULT(GP, 0, xrstor [rbx])
    mov qword ptr [rbx + 520], 0
    mov dword ptr [rbx + 24], 0x10000
    FAULT(GP, 0, xrstor [rbx])
    mov dword ptr [rbx + 24], 0x1f80
    set_bits cr0, CR0_TS
    mov eax, 3
    FAULT(NM, NONE, xsave [rbx])
    FAULT(NM, NONE, xrstor [rbx])
    clts
    mov eax, 3
    xrstor [rbx]
    PASS

.section .bss
.balign 64
area: .skip 1024
control: .skip 8
