// For the tests of this folder: a machine with a page of memory, the family's rows, and
// deterministic operands.
#pragma once

#include <array>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "cpu/decode/decoder.h"
#include "cpu/interp/handlers.h"
#include "cpu/interp/test_support/family_rows.h"
#include "cpu/interp/test_support/page_machine.h"
#include "cpu/interp/x87/unit.h"

namespace uchronia::cpu::interp::x87 {

using test_support::FamilyRow;

class TestMachine : public test_support::PageMachine {
  public:
    TestMachine() {
        cpu.state.cr0 = cr0::kPE | cr0::kNE | cr0::kMP;
        cpu.state.cr4 = cr4::kOSFXSR | cr4::kOSXSAVE;
        cpu.state.efer = efer::kLMA | efer::kLME;
        cpu.state.segments[kCS].attributes = Segment::kLong;
        cpu.state.gpr[kRDX] = kMemory;
    }

    // Runs one instruction whose memory operand, if any, is addressed as the caller arranged.
    void run(const HandlerSet& set, const Op& op) {
        const bool in_memory = (op.flags & op_flag::kMemory) != 0;
        const bool narrow = (op.flags & op_flag::kOperand16) != 0;
        PageMachine::run(
            in_memory ? (narrow ? set.mem16 : set.mem32) : (narrow ? set.reg16 : set.reg32), op);
    }

    // An Op for [RDX + displacement], or for ST(i).
    static Op memory_op(i32 displacement = 0, u8 flags = 0) {
        Op op{};
        op.base = kRDX;
        op.index = kZeroSlot;
        op.segment = kFlatSegment;
        op.displacement = displacement;
        op.flags = static_cast<u8>(op_flag::kMemory | flags);
        op.length = 2;
        return op;
    }
    static Op register_op(unsigned i = 0) {
        Op op{};
        op.rm = static_cast<u8>(i);
        op.base = op.index = kZeroSlot;
        op.segment = kFlatSegment;
        op.length = 2;
        return op;
    }

    X87State& x87() { return cpu.state.x87; }
};

// Operands that reach the corners of the formats, from a fixed seed.
class Operands {
  public:
    explicit Operands(u64 seed) : random_(seed) {}

    u64 bits() { return random_(); }
    u64 below(u64 n) { return random_() % n; }

    Extended extended() {
        static constexpr u16 kExponents[] = {0,      1,      2,      0x3fff, 0x3ffe, 0x4000,
                                             0x7ffe, 0x7fff, 0x403e, 0x403d, 0x401e, 0x3fc0};
        static constexpr u64 kMantissas[] = {0,
                                             1,
                                             kIntegerBit,
                                             kIntegerBit | 1,
                                             kIntegerBit | kQuietBit,
                                             ~u64{0},
                                             ~u64{0} << 11,
                                             ~u64{0} << 40,
                                             kIntegerBit | (u64{1} << 39),
                                             kIntegerBit | (u64{1} << 10)};
        Extended value{};
        switch (below(6)) {
            case 0:
                value.exponent = static_cast<u16>(bits());
                break;
            case 1:
            case 2:
                value.exponent = kExponents[below(std::size(kExponents))];
                break;
            default:
                value.exponent = static_cast<u16>(0x3fff - 70 + below(140));
        }
        value.mantissa = below(3) == 0 ? kMantissas[below(std::size(kMantissas))] : bits();
        if (below(16) != 0)
            value.mantissa |= value.exponent == 0 ? 0 : kIntegerBit;
        if (below(4) == 0)
            value.mantissa &= ~u64{0} << below(64);
        value.exponent = static_cast<u16>((value.exponent & 0x7fff) | (below(2) << 15));
        return value;
    }

    // Ten bytes that are interesting as some memory format.
    Bytes10 memory() {
        switch (below(4)) {
            case 0: {
                const Extended value = extended();
                return {value.mantissa, value.exponent};
            }
            case 1:
                return {u64{single()} | (u64{single()} << 32), static_cast<u16>(bits())};
            case 2:
                return {double_bits(), static_cast<u16>(bits())};
            default:
                return {decimal(), static_cast<u16>(decimal() & 0x80ff)};
        }
    }

  private:
    u32 single() {
        const u32 exponents[] = {0, 1, 127, 254, 255, static_cast<u32>(below(256))};
        const u32 fraction = below(3) == 0 ? static_cast<u32>(below(2)) : static_cast<u32>(bits());
        return (static_cast<u32>(below(2)) << 31) | (exponents[below(6)] << 23) |
               (fraction & 0x7fffff);
    }
    u64 double_bits() {
        const u64 exponents[] = {0, 1, 1023, 2046, 2047, below(2048)};
        const u64 fraction = below(3) == 0 ? below(2) : bits();
        return (below(2) << 63) | (exponents[below(6)] << 52) | (fraction & ((u64{1} << 52) - 1));
    }
    u64 decimal() {
        u64 value = 0;
        for (unsigned i = 0; i < 16; ++i)
            value |= below(10) << (4 * i);
        return value;
    }

    std::mt19937_64 random_;
};

}  // namespace uchronia::cpu::interp::x87
