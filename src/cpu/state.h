// The architectural state of one vCPU: everything that an AMD64 program can see of it.
//
// Plain data, shared by both engines. The general registers are one array that operands address by
// byte offset (Op::reg, Op::rm), followed by two slots that are not architectural: a constant zero
// for "no base or index register" and the page base for RIP-relative operands.
//
// Source: AMD64 Architecture Programmer's Manual (APM), volumes 1 and 2.
#pragma once

#include <array>

#include "base/fields.h"
#include "base/types.h"

namespace uchronia::cpu {

enum Register : u8 {
    kRAX,
    kRCX,
    kRDX,
    kRBX,
    kRSP,
    kRBP,
    kRSI,
    kRDI,
    kR8,
    kR9,
    kR10,
    kR11,
    kR12,
    kR13,
    kR14,
    kR15,
    kZeroSlot,
    kPageBaseSlot,
    kRegisterSlotCount
};

enum SegmentRegister : u8 { kES, kCS, kSS, kDS, kFS, kGS, kFlatSegment, kSegmentSlotCount = 8 };

// RFLAGS bits (APM vol. 2, 3.1.6).
namespace rflags {
inline constexpr u64 kCF = 1u << 0;
inline constexpr u64 kFixed = 1u << 1;
inline constexpr u64 kPF = 1u << 2;
inline constexpr u64 kAF = 1u << 4;
inline constexpr u64 kZF = 1u << 6;
inline constexpr u64 kSF = 1u << 7;
inline constexpr u64 kTF = 1u << 8;
inline constexpr u64 kIF = 1u << 9;
inline constexpr u64 kDF = 1u << 10;
inline constexpr u64 kOF = 1u << 11;
inline constexpr u64 kIOPL = 3u << 12;
inline constexpr u64 kNT = 1u << 14;
inline constexpr u64 kRF = 1u << 16;
inline constexpr u64 kVM = 1u << 17;
inline constexpr u64 kAC = 1u << 18;
inline constexpr u64 kVIF = 1u << 19;
inline constexpr u64 kVIP = 1u << 20;
inline constexpr u64 kID = 1u << 21;
inline constexpr u64 kArithmetic = kCF | kPF | kAF | kZF | kSF | kOF;
}  // namespace rflags

// The six arithmetic flags in the form that LAHF and SETO give them: AH in the high byte
// (SF ZF 0 AF 0 PF 1 CF), OF in bit 0. This is what the engines keep between instructions.
struct ArithmeticFlags {
    u16 bits = kFixed;

    static constexpr u16 kCF = 1u << 8;
    static constexpr u16 kFixed = 1u << 9;
    static constexpr u16 kPF = 1u << 10;
    static constexpr u16 kAF = 1u << 12;
    static constexpr u16 kZF = 1u << 14;
    static constexpr u16 kSF = 1u << 15;
    static constexpr u16 kOF = 1u << 0;

    bool cf() const { return (bits & kCF) != 0; }
    bool pf() const { return (bits & kPF) != 0; }
    bool af() const { return (bits & kAF) != 0; }
    bool zf() const { return (bits & kZF) != 0; }
    bool sf() const { return (bits & kSF) != 0; }
    bool of() const { return (bits & kOF) != 0; }

    // To and from the positions of RFLAGS.
    u64 to_rflags() const {
        return ((bits >> 8) & (rflags::kArithmetic & 0xff)) | (of() ? rflags::kOF : 0);
    }
    static ArithmeticFlags from_rflags(u64 value) {
        const u16 high = static_cast<u16>((value & rflags::kArithmetic & 0xff) << 8);
        return {static_cast<u16>(high | kFixed | ((value & rflags::kOF) != 0 ? kOF : 0))};
    }
};

// Control register and EFER bits that we use (APM vol. 2, 3.1).
namespace cr0 {
inline constexpr u64 kPE = 1u << 0, kMP = 1u << 1, kEM = 1u << 2, kTS = 1u << 3, kET = 1u << 4,
                     kNE = 1u << 5, kWP = 1u << 16, kAM = 1u << 18, kPG = 1u << 31;
}
namespace cr4 {
inline constexpr u64 kTSD = 1u << 2, kDE = 1u << 3, kPSE = 1u << 4, kPAE = 1u << 5, kPGE = 1u << 7,
                     kOSFXSR = 1u << 9, kOSXMMEXCPT = 1u << 10, kUMIP = 1u << 11,
                     kFSGSBASE = 1u << 16, kOSXSAVE = 1u << 18, kSMEP = 1u << 20, kSMAP = 1u << 21;
}
namespace efer {
inline constexpr u64 kSCE = 1u << 0, kLME = 1u << 8, kLMA = 1u << 10, kNXE = 1u << 11;
}

// A segment register with its hidden part. `attributes` is the descriptor's type and flags as in
// bits 40-47 and 52-55 of the descriptor, packed to 12 bits (APM vol. 2, 4.7).
struct Segment {
    u64 base = 0;
    u32 limit = 0;
    u16 selector = 0;
    u16 attributes = 0;

    static constexpr u16 kPresent = 1u << 7;
    static constexpr u16 kLong = 1u << 9;
    static constexpr u16 kBig = 1u << 10;
    static constexpr u16 kGranular = 1u << 11;

    unsigned dpl() const { return (attributes >> 5) & 3u; }
    void fields(FieldVisitor& v);
};

struct DescriptorTable {
    u64 base = 0;
    u16 limit = 0;
    void fields(FieldVisitor& v);
};

// x87 (APM vol. 1, 6): registers by physical number, not by stack position. MMX registers are their
// mantissas.
struct X87State {
    u16 control = 0x37f;
    u16 status = 0;   // with TOP in bits 11-13
    u8 empty = 0xff;  // one bit a physical register: 1 = empty
    u16 opcode = 0;
    u64 instruction = 0;
    u64 data = 0;
    struct Extended {
        u64 mantissa = 0;
        u16 exponent = 0;  // with the sign in bit 15
    };
    std::array<Extended, 8> registers{};

    unsigned top() const { return (status >> 11) & 7u; }
    void fields(FieldVisitor& v);
};

// A vector register as wide as AVX needs; legacy SSE leaves the upper half alone.
struct alignas(32) VectorRegister {
    std::array<u64, 4> q{};
};

struct CPUState {
    std::array<u64, kRegisterSlotCount> gpr{};
    ArithmeticFlags flags;
    u64 rip = 0;                        // up to date between blocks only
    u64 system_flags = rflags::kFixed;  // all other RFLAGS bits

    std::array<Segment, 6> segments{};
    // The bases again, indexed by Op::segment: 0 for kFlatSegment. Kept equal by set_segment.
    std::array<u64, kSegmentSlotCount> segment_base{};
    Segment ldtr, tr;
    DescriptorTable gdtr, idtr;

    u64 cr0 = 0, cr2 = 0, cr3 = 0, cr4 = 0;
    u64 efer = 0;
    u64 xcr0 = 1;
    std::array<u64, 4> dr{};
    u64 dr6 = 0xffff0ff0, dr7 = 0x400;

    // MSRs that belong to the CPU proper (the local APIC's belong to the device).
    u64 star = 0, lstar = 0, cstar = 0, sfmask = 0, kernel_gs_base = 0;
    u64 sysenter_cs = 0, sysenter_esp = 0, sysenter_eip = 0;
    u64 tsc_aux = 0;
    u64 tsc_offset = 0;  // TSC = ticks in time + this (WRMSR to TSC changes it)
    u64 pat = 0x0007040600070406;
    u64 misc_enable = 0;
    u64 mtrr_default_type = 0;
    std::array<u64, 16> mtrr_variable{};
    std::array<u64, 11> mtrr_fixed{};

    X87State x87;
    u32 mxcsr = 0x1f80;
    std::array<VectorRegister, 16> vectors{};

    bool halted = false;            // HLT, waiting for an interrupt
    bool interrupt_shadow = false;  // the instruction after STI or MOV SS
    bool nmi_pending = false;
    bool nmi_masked = false;  // from NMI delivery to IRET

    // In real mode it is 0, whatever the selector.
    unsigned cpl() const { return (cr0 & cr0::kPE) != 0 ? segments[kCS].selector & 3u : 0; }

    u64 rflags() const { return system_flags | flags.to_rflags(); }
    void set_rflags(u64 value) {
        flags = ArithmeticFlags::from_rflags(value);
        system_flags = (value & ~rflags::kArithmetic) | rflags::kFixed;
    }
    void set_segment(SegmentRegister index, const Segment& segment) {
        segments[index] = segment;
        segment_base[index] = segment.base;
    }

    void fields(FieldVisitor& v);
};

}  // namespace uchronia::cpu
