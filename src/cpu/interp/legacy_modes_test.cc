// From the startup interrupt through real mode and protected mode to 64-bit mode, as Linux starts
// its application processors (arch/x86/realmode/rm/trampoline_64.S), and what else those modes do:
// interrupts and returns in each, segments and their limits, call gates.

#include <gtest/gtest.h>

#include "cpu/interp/test_computer.h"
#include "cpu/reset.h"

// Runs at the page 9: addresses in it are label - modes_begin + 0x9000, in real mode with CS 0900h.
asm(R"(
.pushsection .rodata
.balign 16
modes_begin:

# Real mode up to 64-bit mode.
.code16
    cli
    wbinvd
    mov %cs, %ax
    mov %ax, %ds
    mov %ax, %es
    mov %ax, %ss
    mov $0x0f00, %sp
    call modes_leaf
1:  lock btsl $0, modes_lock - modes_begin
    pause
    jc 1b
    movw $modes_real_handler - modes_begin, %ax
    movw %ax, %fs:0x21 * 4
    movw %ds, %fs:0x21 * 4 + 2
    sti
    int $0x21
    pushfw
    popw modes_flags - modes_begin
    cli
    pushal
    popal
    xorl %eax, %eax
    mov $modes_text - modes_begin, %si
    mov $modes_copy - modes_begin, %di
    mov $4, %cx
    cld
    rep movsb
    lidtl modes_idt - modes_begin
    lgdtl modes_gdt_pointer - modes_begin
    mov $0x20, %dx                  # the 32-bit data segment below
    mov $1, %ax
    lmsw %ax
    ljmpl $0x08, $modes_32 - modes_begin + 0x9000
modes_leaf:
    ret
modes_real_handler:
    incw modes_count - modes_begin
    iretw

.code32
modes_32:
    mov %edx, %ss
    mov %edx, %ds
    mov %edx, %es
    mov $0x9f80, %esp
    pushf
    pop %eax
    mov %eax, %ecx
    xor $0x200000, %eax             # ID can be changed
    push %eax
    popf
    pushf
    pop %eax
    cmp %ecx, %eax
    je modes_fail
    call modes_near
    int $0x30                       # through a 32-bit gate
    lcall $0x28, $0                 # through a 32-bit call gate
    cmpl $3, modes_count - modes_begin + 0x9000
    jne modes_fail
    mov $0x20, %eax                 # PAE
    mov %eax, %cr4
    mov $0x100000, %eax             # the test computer's tables
    mov %eax, %cr3
    mov $0xc0000080, %ecx
    rdmsr
    or $0x900, %eax                 # LME, NXE
    wrmsr
    mov %cr0, %eax
    or $0x80010000, %eax            # PG, WP
    mov %eax, %cr0
    ljmp $0x10, $modes_64 - modes_begin + 0x9000
modes_near:
    ret
modes_32_handler:
    incl modes_count - modes_begin + 0x9000
    iret
modes_gate_target:
    incl modes_count - modes_begin + 0x9000
    lret
modes_fail:
    hlt

.code64
modes_64:
    mov $0x123456789abcdef0, %rax
    mov $1, %ebx
    hlt

.balign 8
modes_gdt:
    .quad 0
    .quad 0x00cf9b000000ffff        # 08: 32-bit code
    .quad 0x00af9b000000ffff        # 10: 64-bit code
    .quad 0x00cffb000000ffff        # 18: 32-bit user code
    .quad 0x00cf93000000ffff        # 20: data
    .word modes_gate_target - modes_begin + 0x9000, 0x08, 0x8c00, 0   # 28: call gate
modes_gdt_pointer:
    .word . - modes_gdt - 1
    .long modes_gdt - modes_begin + 0x9000
    .balign 8
modes_idt_table:
    .skip 0x30 * 8
    .word modes_32_handler - modes_begin + 0x9000, 0x08, 0x8e00, 0
modes_idt:
    .word . - modes_idt_table - 1
    .long modes_idt_table - modes_begin + 0x9000
modes_lock:
    .long 0
modes_count:
    .long 0
modes_flags:
    .word 0
modes_text:
    .ascii "copy"
modes_copy:
    .long 0
modes_end:
.popsection
)");
extern "C" const char modes_begin[], modes_fail[], modes_64[], modes_flags[], modes_copy[],
    modes_lock[], modes_count[], modes_end[];

namespace uchronia::cpu::interp {
namespace {

constexpr u64 kPage = 0x9000;

u64 address_of(const char* label) {
    return kPage + static_cast<u64>(label - modes_begin);
}

class ModesTest : public testing::Test {
  protected:
    ModesTest() {
        c.load_code(kPage, {modes_begin, modes_end});
        reset_by_init(c.cpu.state);
        start_at_page(c.cpu.state, kPage >> kPageBits);
        c.mmu.update_context(c.cpu);
    }

    TestComputer c;
};

TEST_F(ModesTest, FromStartupToLongMode) {
    const RunResult result = c.run(1000);
    EXPECT_EQ(result.stop, Stop::kHalted) << c.cpu.unimplemented;
    EXPECT_EQ(c.gpr(kRAX), 0x123456789abcdef0u) << std::hex << c.cpu.state.rip;
    EXPECT_EQ(c.gpr(kRBX), 1u);
    EXPECT_EQ(c.load<u32>(address_of(modes_lock)), 1u);
    EXPECT_EQ(c.load<u32>(address_of(modes_count)), 3u);
    EXPECT_EQ(c.load<u16>(address_of(modes_flags)) & rflags::kIF, rflags::kIF);
    EXPECT_EQ(c.load<u32>(address_of(modes_copy)), 0x79706f63u);
    EXPECT_EQ(code_mode(c.cpu.state), CodeMode::k64);
    EXPECT_NE(c.cpu.state.efer & efer::kLMA, 0u);
}

TEST_F(ModesTest, TheSameInPiecesWithoutCaches) {
    TestComputer other;
    other.load_code(kPage, {modes_begin, modes_end});
    other.cpu.state = c.cpu.state;
    other.mmu.update_context(other.cpu);
    const u64 ticks = c.run(1000).ticks;
    u64 stepped = 0;
    while (!other.cpu.state.halted && stepped < 1000) {
        stepped += other.run(1).ticks;
        other.interpreter.drop_caches();
    }
    EXPECT_EQ(stepped, ticks);
    EXPECT_EQ(other.digest(), c.digest());
}

TEST_F(ModesTest, InitState) {
    CPUState state;
    state.cr0 = cr0::kPG | cr0::kPE | cr0::kWP | 3u << 29;
    state.gpr[kRBX] = 5;
    state.star = 7;
    state.vectors[1].q[0] = 9;
    reset_by_init(state);
    EXPECT_EQ(state.cr0, 0x60000010u);
    EXPECT_EQ(state.gpr[kRBX], 0u);
    EXPECT_EQ(state.gpr[kRDX], kProcessorSignature);
    EXPECT_EQ(state.star, 7u);
    EXPECT_EQ(state.vectors[1].q[0], 9u);
    EXPECT_EQ(state.segments[kCS].base + state.rip, 0xfffffff0u);
    EXPECT_EQ(state.rflags(), 2u);
    start_at_page(state, 0x9a);
    EXPECT_EQ(state.segments[kCS].base + state.rip, 0x9a000u);
    EXPECT_EQ(state.segments[kCS].selector, 0x9a00);
}

// In real mode: offsets of 16 bits, limits, and faults through the vector table without error
// codes.
TEST_F(ModesTest, RealModeLimits) {
    constexpr u16 kHandler = 0x600;
    c.store<u16>(4 * 13, kHandler);
    c.store<u16>(4 * 12, kHandler + 1);
    c.load_code(kHandler, {0xf4, 0xf4});
    c.gpr(kRSP) = 0x5000;
    c.load_code(kPage, {0xbb, 0xff, 0xff,  // mov bx, 0xffff
                        0x8a, 0x47, 0x01,  // mov al, [bx + 1]: wraps to 0
                        0x8b, 0x07});      // mov ax, [bx]: #GP
    EXPECT_EQ(c.run(100).stop, Stop::kHalted);
    EXPECT_EQ(c.cpu.state.rip, kHandler + 1u);
    EXPECT_EQ(c.load<u16>(0x4ffa), 6);  // IP
    EXPECT_EQ(c.load<u16>(0x4ffc), 0x900);
    EXPECT_EQ(c.gpr(kRSP), 0x4ffau);

    c.cpu.state.halted = false;
    c.load_code(0x700, {0x66, 0xbd, 0xff, 0xff, 0, 0,    // mov ebp, 0xffff
                        0x67, 0x66, 0x8b, 0x45, 0x00});  // mov eax, [ebp]: #SS
    EXPECT_EQ(c.run_from(0x700).stop, Stop::kHalted);
    EXPECT_EQ(c.cpu.state.rip, kHandler + 2u);
}

// A page of real mode whose code segment begins in the middle of a page.
TEST_F(ModesTest, CodeThatCrossesPagesWithABase) {
    c.load_code(0x9ffc, {0xb8, 0x34, 0x12,                    // mov ax, 0x1234
                         0x66, 0xbb, 0x78, 0x56, 0x34, 0x12,  // mov ebx, ... over the end of a page
                         0xeb, 0x01, 0xf4, 0x90, 0xf4});      // jmp +1; hlt; nop; hlt
    c.cpu.state.set_segment(kCS, {0x9100, 0xffff, 0x910, descriptor::kRealModeCode});
    EXPECT_EQ(c.run_from(0x0efc).stop, Stop::kHalted);
    EXPECT_EQ(c.gpr(kRAX), 0x1234u);
    EXPECT_EQ(c.gpr(kRBX), 0x12345678u);
    EXPECT_EQ(c.cpu.state.rip, 0x0efcu + 14);
}

struct Unimplemented {
    const char* name;
    std::vector<u8> code;
};

// In 32-bit protected mode with the tables above: what is not there says so.
TEST_F(ModesTest, WhatIsMissingHasAName) {
    const Unimplemented kCases[] = {
        {"paging outside long mode", {0x0f, 0x20, 0xc0, 0x0d, 0, 0, 0, 0x80, 0x0f, 0x22, 0xc0}},
        {"virtual-8086 mode", {0x68, 0x02, 0, 2, 0, 0x6a, 0, 0x6a, 0, 0xcf}},
        {"a return to another task", {0x68, 0x02, 0x40, 0, 0, 0x9d, 0xcf}},
    };
    for (const Unimplemented& row : kCases) {
        SCOPED_TRACE(row.name);
        c.cpu.state.cr0 = cr0::kPE | cr0::kET;
        c.cpu.state.set_rflags(rflags::kFixed);
        c.cpu.state.set_segment(kCS, {0, ~u32{0}, 8, descriptor::kFlatCode32});
        c.cpu.state.set_segment(kSS, {0, ~u32{0}, 0x20, descriptor::kFlatData});
        c.gpr(kRSP) = 0x8000;
        c.mmu.update_context(c.cpu);
        c.load_code(0x7000, row.code);
        EXPECT_EQ(c.run_from(0x7000).stop, Stop::kUnimplemented);
        EXPECT_STREQ(c.cpu.unimplemented, row.name);
    }
}

}  // namespace
}  // namespace uchronia::cpu::interp
