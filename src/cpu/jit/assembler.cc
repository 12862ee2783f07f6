#include "cpu/jit/assembler.h"

namespace uchronia::cpu::jit {
namespace {

constexpr u8 kRexW = 0x48;

bool is_byte(i32 number) {
    return number >= -128 && number <= 127;
}

}  // namespace

void Assembler::modrm_memory(u8 reg, const Memory& m) {
    const u8 field = static_cast<u8>((reg & 7) << 3);
    const bool needs_sib = m.index != kNoRegister || m.base == kNoRegister || (m.base & 7) == 4;
    if (m.base == kNoRegister) {
        byte(static_cast<u8>(field | 4));
        const u8 index = m.index == kNoRegister ? 4 : m.index & 7;
        byte(static_cast<u8>(m.scale << 6 | index << 3 | 5));
        value(m.displacement);
        return;
    }
    const bool no_displacement = m.displacement == 0 && (m.base & 7) != 5;
    const u8 mod = no_displacement ? 0 : is_byte(m.displacement) ? 0x40 : 0x80;
    byte(static_cast<u8>(mod | field | (needs_sib ? 4 : m.base & 7)));
    if (needs_sib) {
        const u8 index = m.index == kNoRegister ? 4 : m.index & 7;
        byte(static_cast<u8>(m.scale << 6 | index << 3 | (m.base & 7)));
    }
    if (mod == 0x40)
        byte(static_cast<u8>(m.displacement));
    else if (mod == 0x80)
        value(m.displacement);
}

void Assembler::rr(u8 opcode, u8 reg, u8 rm_register) {
    byte(kRexW | rex_bits(reg, rm_register));
    byte(opcode);
    modrm_register(reg, rm_register);
}

void Assembler::rr32(u8 opcode, u8 reg, u8 rm_register) {
    const u8 rex = rex_bits(reg, rm_register);
    if (rex != 0)
        byte(0x40 | rex);
    byte(opcode);
    modrm_register(reg, rm_register);
}

void Assembler::rm(u8 opcode, u8 reg, const Memory& m) {
    if (m.gs)
        byte(0x65);
    byte(kRexW | rex_bits(reg, m));
    byte(opcode);
    modrm_memory(reg, m);
}

void Assembler::prefixes32(u8 reg, const Memory& m) {
    if (m.gs)
        byte(0x65);
    const u8 rex = rex_bits(reg, m);
    if (rex != 0)
        byte(0x40 | rex);
}

void Assembler::rm32(u8 opcode, u8 reg, const Memory& m) {
    prefixes32(reg, m);
    byte(opcode);
    modrm_memory(reg, m);
}

void Assembler::two_byte(u8 opcode, u8 reg, const Memory& m) {
    prefixes32(reg, m);
    byte(0x0f);
    byte(opcode);
    modrm_memory(reg, m);
}

void Assembler::digit(u8 opcode, u8 operation, const Memory& m) {
    const u8 rex = rex_bits(operation, m);
    if (rex != 0)
        byte(0x40 | rex);
    byte(opcode);
    modrm_memory(operation, m);
}

void Assembler::immediate(u8 operation, HostRegister to, i32 number) {
    byte(kRexW | rex_bits(0, to));
    immediate_tail(operation, to, number);
}

void Assembler::immediate32(u8 operation, HostRegister to, i32 number) {
    if ((to & 8) != 0)
        byte(0x41);
    immediate_tail(operation, to, number);
}

void Assembler::immediate_tail(u8 operation, HostRegister to, i32 number) {
    byte(is_byte(number) ? 0x83 : 0x81);
    modrm_register(operation, to);
    if (is_byte(number))
        byte(static_cast<u8>(number));
    else
        value(number);
}

void Assembler::compare32(const Memory& m, i32 number) {
    digit(0x81, 7, m);
    value(number);
}

void Assembler::test_low_byte(HostRegister a, u8 mask) {
    if (a >= kHostRSP)
        byte(static_cast<u8>(0x40 | rex_bits(0, a)));
    byte(0xf6);
    modrm_register(0, a);
    byte(mask);
}

void Assembler::test32(HostRegister a, u32 mask) {
    if ((a & 8) != 0)
        byte(0x41);
    byte(0xf7);
    modrm_register(0, a);
    value(mask);
}

void Assembler::test32(const Memory& m, i32 mask) {
    digit(0xf7, 0, m);
    value(mask);
}

void Assembler::test_memory_byte(const Memory& m) {
    digit(0xf6, 0, m);
    byte(0);
}

void Assembler::negate32(HostRegister a) {
    if ((a & 8) != 0)
        byte(0x41);
    byte(0xf7);
    modrm_register(3, a);
}

void Assembler::shift_right32(HostRegister a, u8 count) {
    if ((a & 8) != 0)
        byte(0x41);
    byte(0xc1);
    modrm_register(5, a);
    byte(count);
}

void Assembler::move_if(u8 condition, HostRegister to, HostRegister from) {
    byte(kRexW | rex_bits(to, from));
    byte(0x0f);
    byte(0x40 | condition);
    modrm_register(to, from);
}

void Assembler::shift_left32(HostRegister a, u8 count) {
    if ((a & 8) != 0)
        byte(0x41);
    byte(0xc1);
    modrm_register(4, a);
    byte(count);
}

void Assembler::shift_left(HostRegister a, u8 count) {
    byte(kRexW | rex_bits(0, a));
    byte(0xc1);
    modrm_register(4, a);
    byte(count);
}

void Assembler::shift_right_signed(HostRegister a, u8 count) {
    byte(kRexW | rex_bits(0, a));
    byte(0xc1);
    modrm_register(7, a);
    byte(count);
}

void Assembler::rorx(HostRegister to, HostRegister from, u8 count) {
    // VEX.LZ.F2.0F3A.W1 F0 /r ib
    byte(0xc4);
    byte(static_cast<u8>(((to & 8) != 0 ? 0 : 0x80) | 0x40 | ((from & 8) != 0 ? 0 : 0x20) | 3));
    byte(0xfb);
    byte(0xf0);
    modrm_register(to, from);
    byte(count);
}

void Assembler::push(HostRegister r) {
    if ((r & 8) != 0)
        byte(0x41);
    byte(static_cast<u8>(0x50 | (r & 7)));
}

void Assembler::pop(HostRegister r) {
    if ((r & 8) != 0)
        byte(0x41);
    byte(static_cast<u8>(0x58 | (r & 7)));
}

void Assembler::call(HostRegister r) {
    if ((r & 8) != 0)
        byte(0x41);
    byte(0xff);
    modrm_register(2, r);
}

void Assembler::jump(HostRegister r) {
    if ((r & 8) != 0)
        byte(0x41);
    byte(0xff);
    modrm_register(4, r);
}

Jump Assembler::jump() {
    byte(0xe9);
    at_ += 4;
    return {at_ - 4};
}

Jump Assembler::jump_if(u8 condition) {
    byte(0x0f);
    byte(0x80 | condition);
    at_ += 4;
    return {at_ - 4};
}

}  // namespace uchronia::cpu::jit
