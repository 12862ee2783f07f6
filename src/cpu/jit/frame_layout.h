// Where translated code finds things: offsets from rsp, which points into the CPUState.
//
// A displacement of one byte reaches from 128 bytes below rsp to 127 above. That is all of the
// TranslatorFrame and, of the state, the general registers that live in memory, the page base and
// the flags. A signal leaves the 128 bytes below rsp alone; a call overwrites the 8 bytes there, in
// the place of RBX, which is in its home meanwhile.
#pragma once

#include <cstddef>

#include "cpu/jit/assembler.h"
#include "cpu/jit/jump_tables.h"
#include "cpu/vcpu.h"

namespace uchronia::cpu::jit::frame {

inline constexpr i32 place(i32 base, std::size_t offset) {
    return base + static_cast<i32>(offset);
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winvalid-offsetof"
inline constexpr i32 kStackPointer = 128;  // where rsp points to in the vCPU
inline constexpr i32 kState = place(-kStackPointer, offsetof(VCPU, state));
inline constexpr i32 kFrame = place(-kStackPointer, offsetof(VCPU, translation));
inline constexpr i32 kFarFrame = place(-kStackPointer, offsetof(VCPU, far_translation));
inline constexpr i32 kBudget = place(-kStackPointer, offsetof(VCPU, budget));
inline constexpr i32 kAttention = place(-kStackPointer, offsetof(VCPU, attention));
inline constexpr i32 kTables = place(-kStackPointer, offsetof(VCPU, tables));
inline constexpr i32 kFetchKeys = place(-kStackPointer, offsetof(VCPU, fetch_keys));
inline constexpr i32 kViews = place(-kStackPointer, offsetof(VCPU, views));
static_assert(offsetof(VCPU, translation) == 0);
#pragma GCC diagnostic pop

inline constexpr i32 gpr(u8 slot) {
    return place(kState, offsetof(CPUState, gpr)) + 8 * slot;
}
static_assert(gpr(kRBX) == -8);
inline constexpr i32 kPageBase = gpr(kPageBaseSlot);
inline constexpr i32 kFlags = place(kState, offsetof(CPUState, flags));
static_assert(kPageBase < 128 && kFlags < 128);
inline constexpr i32 kSystemFlags = place(kState, offsetof(CPUState, system_flags));
inline constexpr i32 kRIP = place(kState, offsetof(CPUState, rip));
inline constexpr i32 kCR0 = place(kState, offsetof(CPUState, cr0));
inline constexpr i32 kCR2 = place(kState, offsetof(CPUState, cr2));
inline constexpr i32 kCR3 = place(kState, offsetof(CPUState, cr3));
inline constexpr i32 kCR4 = place(kState, offsetof(CPUState, cr4));
inline constexpr i32 kEFER = place(kState, offsetof(CPUState, efer));
inline constexpr i32 kSTAR = place(kState, offsetof(CPUState, star));
inline constexpr i32 kLSTAR = place(kState, offsetof(CPUState, lstar));
inline constexpr i32 kSFMASK = place(kState, offsetof(CPUState, sfmask));
inline constexpr i32 kTSCOffset = place(kState, offsetof(CPUState, tsc_offset));
inline constexpr i32 kTSCAux = place(kState, offsetof(CPUState, tsc_aux));
inline constexpr i32 kKernelGSBase = place(kState, offsetof(CPUState, kernel_gs_base));
inline constexpr i32 segment(u8 number, std::size_t part) {
    return place(kState, offsetof(CPUState, segments) + number * sizeof(Segment) + part);
}
inline constexpr i32 segment_base(u8 number) {
    return segment(number, offsetof(Segment, base));
}
inline constexpr i32 segment_selector(u8 number) {
    return segment(number, offsetof(Segment, selector));
}
inline constexpr i32 kGSBase = segment_base(kGS);
inline constexpr i32 kMXCSR = place(kState, offsetof(CPUState, mxcsr));
inline constexpr i32 kVectors = place(kState, offsetof(CPUState, vectors));
inline constexpr i32 kSegmentBases = place(kState, offsetof(CPUState, segment_base));

inline constexpr i32 kIndexMask = place(kFrame, offsetof(TranslatorFrame, index_mask));
inline constexpr i32 kLeaveStub = place(kFrame, offsetof(TranslatorFrame, leave_stub));
inline constexpr i32 kSpillStub = place(kFrame, offsetof(TranslatorFrame, spill_stub));
inline constexpr i32 kLinkKey = place(kFrame, offsetof(TranslatorFrame, link_key));
inline constexpr i32 kJumps = place(kFrame, offsetof(TranslatorFrame, jumps));
inline constexpr i32 kStackPage = place(kFrame, offsetof(TranslatorFrame, stack_page));
inline constexpr i32 kStackAddend = place(kFrame, offsetof(TranslatorFrame, stack_addend));
inline constexpr i32 kLookupStub = place(kFrame, offsetof(TranslatorFrame, lookup_stub));
inline constexpr i32 kValue = place(kFrame, offsetof(TranslatorFrame, value));
inline constexpr i32 kStringStubs = place(kFarFrame, offsetof(TranslatorFarFrame, string_stubs));
inline constexpr i32 kStackStub = place(kFarFrame, offsetof(TranslatorFarFrame, stack_stub));
inline constexpr i32 kSaved = place(kFarFrame, offsetof(TranslatorFarFrame, saved));
inline constexpr i32 kHostStack = place(kFarFrame, offsetof(TranslatorFarFrame, host_stack));
inline constexpr i32 kClockStart = place(kFarFrame, offsetof(TranslatorFarFrame, clock_start));
inline constexpr i32 kClockParts = place(kFarFrame, offsetof(TranslatorFarFrame, clock_parts));
inline constexpr i32 kClockPartsOfTick =
    place(kFarFrame, offsetof(TranslatorFarFrame, clock_parts_of_tick));
inline constexpr i32 kTickBase = place(kFarFrame, offsetof(TranslatorFarFrame, tick_base));
inline constexpr i32 kTimeStub = place(kFarFrame, offsetof(TranslatorFarFrame, time_stub));
inline constexpr i32 kMode = place(kFrame, offsetof(TranslatorFrame, mode));
inline constexpr i32 prepared_key(bool kernel, std::size_t part) {
    return place(kFarFrame, offsetof(TranslatorFarFrame, prepared_keys) +
                                (kernel ? sizeof(PreparedKey) : 0) + part);
}
inline constexpr i32 kPresentTable = place(kFarFrame, offsetof(TranslatorFarFrame, present_table));
inline constexpr i32 kSystemCallStub =
    place(kFarFrame, offsetof(TranslatorFarFrame, system_call_stub));
inline constexpr i32 kSystemReturnStub =
    place(kFarFrame, offsetof(TranslatorFarFrame, system_return_stub));
inline constexpr i32 kAccessStubs = place(kFarFrame, offsetof(TranslatorFarFrame, access_stubs));
inline constexpr i32 kHostMXCSR = place(kFarFrame, offsetof(TranslatorFarFrame, host_mxcsr));
// For an access of 1 << log bytes, 1 to 3.
inline constexpr i32 cross_stub(unsigned log) {
    return place(kFrame, offsetof(TranslatorFrame, cross_stubs) + 8 * (log - 1));
}

inline constexpr Memory at(i32 offset) {
    return {.base = kHostRSP, .displacement = offset};
}

// The host register that holds a guest register, or kNoRegister for those in memory.
inline constexpr HostRegister kHome[16] = {
    kHostRAX,    kHostR10,    kHostRDX,    kHostRBX,    kHostR9,  kHostRBP, kHostRSI, kHostRDI,
    kNoRegister, kNoRegister, kNoRegister, kNoRegister, kHostR12, kHostR13, kHostR14, kHostR15};
inline constexpr HostRegister kBudgetRegister = kHostR8;
inline constexpr HostRegister kStackRegister = kHostR9;
inline constexpr HostRegister kScratch = kHostRCX;  // the address, in checks
inline constexpr HostRegister kScratch2 = kHostR11;

// r11 = the offset of an address's entry in the FSPT; `pushed`: what was pushed onto rsp.
inline void put_index(Assembler& out, HostRegister address, i32 pushed) {
    out.rorx(kScratch2, address, 8);
    out.and_(kScratch2, at(pushed + kIndexMask));
}
inline constexpr Memory table_entry(HostRegister index, std::size_t part) {
    return {.base = index, .displacement = static_cast<i32>(part), .gs = true};
}

inline constexpr u8 kLAHF = 0x9f, kSAHF = 0x9e;

// The host's flags to CPUState::flags. Clobbers r11.
inline void put_spill(Assembler& out, i32 pushed) {
    out.move(kScratch2, kHostRAX);
    out.byte(kLAHF);
    out.byte(0x0f);  // SETO AL
    out.byte(0x90);
    out.byte(0xc0);
    out.byte(0x66);
    out.rm32(0x89, kHostRAX, at(pushed + kFlags));
    out.move(kHostRAX, kScratch2);
}

// CPUState::flags to the host's, by way of rax.
inline void put_flags_load(Assembler& out) {
    out.load16(kHostRAX, at(kFlags));
    out.byte(0x04);  // ADD AL, 7Fh: sets OF if AL is 1
    out.byte(0x7f);
    out.byte(kSAHF);
}

// rcx = RFLAGS, from where its parts are kept. Clobbers r11 and the host's flags.
inline void put_flags_image(Assembler& out, i32 pushed) {
    out.load16(kScratch, at(pushed + kFlags));
    out.move32(kScratch2, kScratch);
    out.and32(kScratch2, ArithmeticFlags::kOF);
    out.shift_left32(kScratch2, 11);
    out.shift_right32(kScratch, 8);
    out.and32(kScratch, static_cast<i32>(rflags::kArithmetic & 0xff));
    out.rr32(0x0b, kScratch, kScratch2);  // OR
    out.rm(0x0b, kScratch, at(pushed + kSystemFlags));
}

// to = the offset of an address's place in a jump table.
inline void put_table_place(Assembler& out, HostRegister to, HostRegister address) {
    static_assert(sizeof(JumpEntry) == 16);
    out.rorx(to, address, 64 - 4);
    out.and32(to, (JumpTables::kCount - 1) << 4);
}

// r11 = the entry in the jump table for the address in rcx; compares its address.
inline void put_table_look(Assembler& out, i32 pushed) {
    static_assert(offsetof(JumpEntry, rip) == 0);
    put_table_place(out, kScratch2, kScratch);
    out.add(kScratch2, at(pushed + kJumps));
    out.compare(kScratch, Memory{.base = kScratch2});
}
// Goes there.
inline void put_table_jump(Assembler& out) {
    out.and_(kScratch, ~static_cast<i32>(kPageMask));
    out.store(at(kPageBase), kScratch);
    out.jump(Memory{.base = kScratch2, .displacement = offsetof(JumpEntry, code)});
}

}  // namespace uchronia::cpu::jit::frame
