// 32-bit protected mode without paging: from ring 0 to ring 3 and back, by IRET, call gates with
// parameters, and interrupts through 32-bit and 16-bit gates, on the stack of a 32-bit TSS.

#include <gtest/gtest.h>

#include "cpu/interp/test_computer.h"
#include "cpu/reset.h"

// Runs at 0x9000.
asm(R"(
.pushsection .rodata
.balign 16
rings_begin:
.code32
    mov $0x10, %eax
    mov %eax, %ss
    mov %eax, %ds
    mov $0x7000, %esp
    lgdt rings_gdt_pointer - rings_begin + 0x9000
    lidt rings_idt_pointer - rings_begin + 0x9000
    mov $0x28, %ax
    ltr %ax
    push $0x23
    push $0x6000
    push $0x3202                    # IOPL 3, IF
    push $0x1b
    push $rings_user - rings_begin + 0x9000
    iret
rings_user:
    mov $0x23, %eax
    mov %eax, %ds
    push $0x12345678
    lcall $0x33, $0
    mov %esp, rings_results - rings_begin + 0x9004
    int $0x31
    int $0x32
    mov %esp, rings_results - rings_begin + 0x900c
    mov %cs, %eax
    mov %eax, rings_results - rings_begin + 0x9010
    pushf
    pop rings_results - rings_begin + 0x9014
rings_fault:
    hlt
rings_gate:
    mov 8(%esp), %eax               # above the return address
    mov %eax, rings_results - rings_begin + 0x9000
    lret $4
rings_interrupt:
    incl rings_results - rings_begin + 0x9008
    iret
rings_narrow_interrupt:
    addl $0x10, rings_results - rings_begin + 0x9008
    iretw
rings_protection:
    hlt
.balign 8
rings_gdt:
    .quad 0
    .quad 0x00cf9b000000ffff        # 08: code
    .quad 0x00cf93000000ffff        # 10: data
    .quad 0x00cffb000000ffff        # 18: user code
    .quad 0x00cff3000000ffff        # 20: user data
    .word 0x67, rings_tss - rings_begin + 0x9000, 0x8900, 0             # 28: TSS
    .word rings_gate - rings_begin + 0x9000, 0x08, 0xec01, 0            # 30: call gate
rings_gdt_pointer:
    .word . - rings_gdt - 1
    .long rings_gdt - rings_begin + 0x9000
    .balign 8
rings_idt:
    .skip 13 * 8
    .word rings_protection - rings_begin + 0x9000, 0x08, 0x8e00, 0
    .skip (0x31 - 14) * 8
    .word rings_interrupt - rings_begin + 0x9000, 0x08, 0xee00, 0
    .word rings_narrow_interrupt - rings_begin + 0x9000, 0x08, 0xe600, 0
rings_idt_pointer:
    .word . - rings_idt - 1
    .long rings_idt - rings_begin + 0x9000
    .balign 8
rings_tss:
    .long 0, 0x8000, 0x10
    .skip 0x5c
rings_results:
    .skip 32
rings_end:
.code64
.popsection
)");
extern "C" const char rings_begin[], rings_fault[], rings_results[], rings_end[];

namespace uchronia::cpu::interp {
namespace {

constexpr u64 kStart = 0x9000;

TEST(LegacyRings, ThereAndBack) {
    TestComputer c;
    c.load_code(kStart, {rings_begin, rings_end});
    c.store<u64>(0x1008, 0x00cf9b000000ffff);
    c.store<u64>(0x1010, 0x00cf93000000ffff);
    reset_by_init(c.cpu.state);
    c.cpu.state.cr0 |= cr0::kPE;
    c.cpu.state.gdtr = {0x1000, 0x17};
    c.cpu.state.set_segment(kCS, {0, ~u32{0}, 8, descriptor::kFlatCode32});
    c.mmu.update_context(c.cpu);
    const RunResult result = c.run_from(kStart);
    EXPECT_EQ(result.stop, Stop::kHalted) << c.cpu.unimplemented;
    const u64 results = kStart + static_cast<u64>(rings_results - rings_begin);
    const auto at = [&](u64 offset) { return c.load<u32>(results + offset); };
    EXPECT_EQ(at(0), 0x12345678u);
    EXPECT_EQ(at(4), 0x6000u) << "RETF releases the parameters of both stacks";
    EXPECT_EQ(at(8), 0x11u);
    EXPECT_EQ(at(12), 0x6000u);
    EXPECT_EQ(at(16), 0x1bu);
    EXPECT_EQ(at(20), 0x3202u);
    // HLT in ring 3: the frame of #GP on the stack of ring 0.
    const u64 stack = c.gpr(kRSP);
    EXPECT_EQ(stack, 0x8000u - 24);
    EXPECT_EQ(c.load<u32>(stack), 0u);
    EXPECT_EQ(c.load<u32>(stack + 4), kStart + static_cast<u64>(rings_fault - rings_begin));
    EXPECT_EQ(c.load<u32>(stack + 8), 0x1bu);
    EXPECT_EQ(c.load<u32>(stack + 12), 0x13202u);  // RF
    EXPECT_EQ(c.load<u32>(stack + 16), 0x6000u);
    EXPECT_EQ(c.load<u32>(stack + 20), 0x23u);
    EXPECT_EQ(c.cpu.state.cpl(), 0u);
}

}  // namespace
}  // namespace uchronia::cpu::interp
