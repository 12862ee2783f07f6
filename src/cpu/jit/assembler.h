// Writes AMD64 machine code: the few instructions that the translator makes up itself, and the
// pieces (prefixes, ModRM, SIB) from which guest instructions are encoded again.
//
// It writes through a pointer into memory that the caller has made sure of, and knows nothing of
// the guest.
//
// Source: APM vol. 3, 1 (instruction encoding).
#pragma once

#include <cstring>
#include <vector>

#include "base/types.h"

namespace uchronia::cpu::jit {

enum HostRegister : u8 {
    kHostRAX,
    kHostRCX,
    kHostRDX,
    kHostRBX,
    kHostRSP,
    kHostRBP,
    kHostRSI,
    kHostRDI,
    kHostR8,
    kHostR9,
    kHostR10,
    kHostR11,
    kHostR12,
    kHostR13,
    kHostR14,
    kHostR15,
    kNoRegister = 0xff,
};

struct Memory {
    HostRegister base = kNoRegister;
    HostRegister index = kNoRegister;
    u8 scale = 0;  // log2
    i32 displacement = 0;
    bool gs = false;
};

// The rel32 field of a jump whose target is not known yet.
struct Jump {
    u8* field = nullptr;
};

inline void patch_rel32(u8* field, const void* target) {
    const i32 distance = static_cast<i32>(static_cast<const u8*>(target) - (field + 4));
    std::memcpy(field, &distance, sizeof distance);
}

inline const u8* target_of_rel32(const u8* field) {
    i32 distance;
    std::memcpy(&distance, field, sizeof distance);
    return field + 4 + distance;
}

class Assembler {
  public:
    // `far_fields`: gets the rel32 fields that lead farther than kFar (null: nobody asks).
    explicit Assembler(u8* at = nullptr, std::vector<u8*>* far_fields = nullptr)
        : at_(at), far_fields_(far_fields) {}

    static constexpr i64 kFar = 32768;

    u8* here() const { return at_; }

    void byte(u8 value) { *at_++ = value; }
    void bytes(const u8* data, unsigned count) {
        std::memcpy(at_, data, count);
        at_ += count;
    }
    template <class T>
    void value(T v) {
        std::memcpy(at_, &v, sizeof v);
        at_ += sizeof v;
    }

    // REX bits that ModRM with these operands needs: R, X, B in the places of a REX byte.
    static u8 rex_bits(u8 reg, const Memory& m) {
        return static_cast<u8>((reg & 8) >> 1 | (m.index != kNoRegister ? (m.index & 8) >> 2 : 0) |
                               (m.base != kNoRegister ? (m.base & 8) >> 3 : 0));
    }
    static u8 rex_bits(u8 reg, u8 rm) { return static_cast<u8>((reg & 8) >> 1 | (rm & 8) >> 3); }

    void modrm_register(u8 reg, u8 rm) { byte(static_cast<u8>(0xc0 | (reg & 7) << 3 | (rm & 7))); }
    // ModRM, SIB and displacement.
    void modrm_memory(u8 reg, const Memory& m);

    // 64-bit forms unless the name says otherwise.
    void move(HostRegister to, HostRegister from) { rr(0x8b, to, from); }
    void move32(HostRegister to, HostRegister from) { rr32(0x8b, to, from); }
    void move32(HostRegister to, u32 number) {
        if ((to & 8) != 0)
            byte(0x41);
        byte(static_cast<u8>(0xb8 | (to & 7)));
        value(number);
    }
    void load(HostRegister to, const Memory& m) { rm(0x8b, to, m); }
    void load32(HostRegister to, const Memory& m) { rm32(0x8b, to, m); }
    void store(const Memory& m, HostRegister from) { rm(0x89, from, m); }
    void store32(const Memory& m, HostRegister from) { rm32(0x89, from, m); }
    // Zero-extended.
    void load8(HostRegister to, const Memory& m) { two_byte(0xb6, to, m); }
    void load16(HostRegister to, const Memory& m) { two_byte(0xb7, to, m); }
    void store16(const Memory& m, HostRegister from) {
        byte(0x66);
        store32(m, from);
    }
    void lea(HostRegister to, const Memory& m) { rm(0x8d, to, m); }
    void lea32(HostRegister to, const Memory& m) { rm32(0x8d, to, m); }
    void xor32(HostRegister to, HostRegister from) { rr32(0x33, to, from); }
    void add(HostRegister to, const Memory& m) { rm(0x03, to, m); }
    void add(HostRegister to, i32 number) { immediate(0, to, number); }
    void sub(HostRegister to, i32 number) { immediate(5, to, number); }
    void and_(HostRegister to, const Memory& m) { rm(0x23, to, m); }
    void and_(HostRegister to, i32 number) { immediate(4, to, number); }
    void and32(HostRegister to, i32 number) { immediate32(4, to, number); }
    void and_(const Memory& m, i32 number) { memory_immediate(4, m, number); }
    void add(const Memory& m, i32 number) { memory_immediate(0, m, number); }
    void or_(const Memory& m, i32 number) { memory_immediate(1, m, number); }
    void and32(const Memory& m, i32 number) { memory_immediate32(4, m, number); }
    void or32(const Memory& m, i32 number) { memory_immediate32(1, m, number); }
    void xor_(HostRegister to, const Memory& m) { rm(0x33, to, m); }
    void xor_(HostRegister to, HostRegister from) { rr(0x33, to, from); }
    void compare(HostRegister a, const Memory& m) { rm(0x3b, a, m); }
    void compare(HostRegister a, HostRegister b) { rr(0x3b, a, b); }
    void compare(HostRegister a, i32 number) { immediate(7, a, number); }
    void compare32(const Memory& m, i32 number);
    void sub(HostRegister to, const Memory& m) { rm(0x2b, to, m); }
    void test(HostRegister a, HostRegister b) { rr(0x85, a, b); }
    void test_low_byte(HostRegister a, u8 mask);
    void test32(HostRegister a, u32 mask);
    void test32(const Memory& m, i32 mask);
    void test_memory_byte(const Memory& m);  // reads a byte; clobbers flags
    void or32(HostRegister a, i32 number) { immediate32(1, a, number); }
    void negate32(HostRegister a);
    void shift_right32(HostRegister a, u8 count);
    void move_if(u8 condition, HostRegister to, HostRegister from);
    void sub(HostRegister to, HostRegister from) { rr(0x2b, to, from); }
    void shift_left32(HostRegister a, u8 count);
    void shift_left(HostRegister a, u8 count);
    void shift_right_signed(HostRegister a, u8 count);
    // Rotates right without touching the flags (BMI2).
    void rorx(HostRegister to, HostRegister from, u8 count);

    void push(HostRegister r);
    void pop(HostRegister r);
    void ret() { byte(0xc3); }
    void call(const Memory& m) { digit(0xff, 2, m); }
    void call(HostRegister r);
    void jump(const Memory& m) { digit(0xff, 4, m); }
    void jump(HostRegister r);
    Jump jump();
    Jump jump_if(u8 condition);  // the low four bits of a Jcc opcode
    void jump(const void* target) { lead(jump().field, target); }
    void jump_if(u8 condition, const void* target) { lead(jump_if(condition).field, target); }
    void bind(Jump jump) { lead(jump.field, at_); }

    // Opcode forms that the above are made of.
    void rr(u8 opcode, u8 reg, u8 rm_register);
    void rr32(u8 opcode, u8 reg, u8 rm_register);
    void rm(u8 opcode, u8 reg, const Memory& m);
    void rm32(u8 opcode, u8 reg, const Memory& m);

  private:
    void immediate(u8 operation, HostRegister to, i32 number);
    void immediate32(u8 operation, HostRegister to, i32 number);
    void immediate_tail(u8 operation, HostRegister to, i32 number);
    void memory_immediate(u8 operation, const Memory& m, i32 number) {
        rm(0x81, operation, m);
        value(number);
    }
    void memory_immediate32(u8 operation, const Memory& m, i32 number) {
        rm32(0x81, operation, m);
        value(number);
    }
    void digit(u8 opcode, u8 operation, const Memory& m);
    void two_byte(u8 opcode, u8 reg, const Memory& m);  // 0F opcode
    void prefixes32(u8 reg, const Memory& m);
    void lead(u8* field, const void* target) {
        patch_rel32(field, target);
        const i64 distance = static_cast<const u8*>(target) - field;
        if (far_fields_ != nullptr && (distance > kFar || distance < -kFar))
            far_fields_->push_back(field);
    }

    u8* at_;
    std::vector<u8*>* far_fields_;
};

namespace condition {
inline constexpr u8 kBelow = 2, kZero = 4, kNotZero = 5, kNotAbove = 6, kAbove = 7, kSign = 8;
}

}  // namespace uchronia::cpu::jit
