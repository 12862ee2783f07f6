#include "cpu/jit/stubs.h"

#include "cpu/jit/frame_layout.h"

namespace uchronia::cpu::jit {

using namespace frame;

namespace {

constexpr HostRegister kCalleeSaved[] = {kHostRBX, kHostRBP, kHostR12,
                                         kHostR13, kHostR14, kHostR15};

// VMOVDQU ymm<number>, [base + offset] or back.
void put_vector(Assembler& out, u8 opcode, u8 number, HostRegister base, i32 offset) {
    out.byte(0xc4);
    out.byte(static_cast<u8>((number >= 8 ? 0 : 0x80) | 0x61));
    out.byte(0x7e);
    out.byte(opcode);
    out.modrm_memory(number, Memory{.base = base, .displacement = offset});
}

void put_vectors(Assembler& out, u8 opcode) {
    for (u8 i = 0; i < 16; ++i)
        put_vector(out, opcode, i, kHostRSP, kVectors + 32 * i);
}

void put_mxcsr(Assembler& out, u8 digit, HostRegister base, i32 offset) {
    out.byte(0x0f);
    out.byte(0xae);
    out.modrm_memory(digit, Memory{.base = base, .displacement = offset});
}
constexpr u8 kLoadMXCSR = 2, kStoreMXCSR = 3;
constexpr u8 kLoadVector = 0x6f, kStoreVector = 0x7f;

// From the engine to the code in rcx: the guest's state into the host's registers.
void put_resume(Assembler& out) {
    put_mxcsr(out, kLoadMXCSR, kHostRSP, kMXCSR);
    put_vectors(out, kLoadVector);
    put_flags_load(out);
    out.load(kBudgetRegister, at(kBudget));
    for (u8 guest = 0; guest < 16; ++guest) {
        if (kHome[guest] != kNoRegister)
            out.load(kHome[guest], at(gpr(guest)));
    }
    out.jump(kScratch);
}

void put_state_away(Assembler& out) {
    for (u8 guest = 0; guest < 16; ++guest) {
        if (kHome[guest] != kNoRegister)
            out.store(at(gpr(guest)), kHome[guest]);
    }
    out.store(at(kBudget), kBudgetRegister);
    put_vectors(out, kStoreVector);
    put_mxcsr(out, kStoreMXCSR, kHostRSP, kMXCSR);
}

// enter(rdi = vCPU, rsi = code)
const u8* put_enter(Assembler& out) {
    const u8* start = out.here();
    for (const HostRegister r : kCalleeSaved)
        out.push(r);
    out.sub(kHostRSP, 8);
    out.sub(kHostRDI, -kStackPointer);
    out.store(Memory{.base = kHostRDI, .displacement = kHostStack}, kHostRSP);
    put_mxcsr(out, kStoreMXCSR, kHostRDI, kHostMXCSR);
    out.move(kHostRSP, kHostRDI);
    out.move(kScratch, kHostRSI);
    put_resume(out);
    return start;
}

// Called by a site, whose number follows the call; `spill` with the flags in the host's.
void put_leave(Assembler& out, OnSite on_site, Stubs& stubs) {
    stubs.spill = out.here();
    put_spill(out, 8);
    stubs.leave = out.here();
    out.store(at(8 + kValue), kScratch);
    out.pop(kScratch);
    put_state_away(out);
    out.move(kHostRBX, kHostRSP);
    out.lea(kHostRDI, at(-kStackPointer));
    out.load32(kHostRSI, Memory{.base = kScratch});
    out.load(kHostRSP, Memory{.base = kHostRBX, .displacement = kHostStack});
    put_mxcsr(out, kLoadMXCSR, kHostRBX, kHostMXCSR);
    out.byte(0xc5);  // VZEROUPPER
    out.byte(0xf8);
    out.byte(0x77);
    out.byte(0x48);  // MOV RAX, imm64
    out.byte(0xb8);
    out.value(reinterpret_cast<u64>(on_site));
    out.call(kHostRAX);
    out.test(kHostRAX, kHostRAX);
    const Jump ends = out.jump_if(condition::kZero);
    out.move(kHostRSP, kHostRBX);
    out.move(kScratch, kHostRAX);
    put_resume(out);
    out.bind(ends);
    out.add(kHostRSP, 8);
    for (unsigned i = std::size(kCalleeSaved); i-- > 0;)
        out.pop(kCalleeSaved[i]);
    out.ret();
}

// Returns behind the jump that follows the call.
void put_return_behind_jump(Assembler& out) {
    constexpr i32 kJumpSize = 5;
    out.pop(kScratch2);
    out.add(kScratch2, kJumpSize);
    out.jump(kScratch2);
}

// Called with a misaligned address in rcx. If the access stays in its page, computes r11 again and
// returns; else goes on behind the jump that follows the call.
const u8* put_cross(Assembler& out, unsigned size) {
    const u8* start = out.here();
    out.lea(kScratch2, Memory{.base = kScratch, .displacement = static_cast<i32>(size) - 1});
    out.xor_(kScratch2, kScratch);
    out.test32(kScratch2, kPageSize);
    const Jump crosses = out.jump_if(condition::kNotZero);
    put_index(out, kScratch, 8);
    out.ret();
    out.bind(crosses);
    put_return_behind_jump(out);
    return start;
}

// Called as a site is, with an address in rcx: goes there if the table has it.
const u8* put_lookup(Assembler& out, const void* leave) {
    const u8* start = out.here();
    put_table_look(out, 8);
    out.jump_if(condition::kNotZero, leave);
    out.add(kHostRSP, 8);
    put_table_jump(out);
    return start;
}

// Called with an address in rcx, and in r11 how far in its page it may be: makes its page the
// stack's page if it is plain writable memory, so that no access to it faults, and returns; else
// goes on behind the jump that follows the call.
const u8* put_stack(Assembler& out) {
    const u8* start = out.here();
    out.store(at(8 + kValue), kScratch2);
    out.move32(kScratch2, kScratch);
    out.and32(kScratch2, kPageMask);
    out.compare(kScratch2, at(8 + kValue));
    const Jump too_far = out.jump_if(condition::kAbove);
    out.move(kScratch2, kScratch);
    out.shift_left(kScratch2, 16);
    out.shift_right_signed(kScratch2, 16);
    out.compare(kScratch2, kScratch);
    const Jump not_canonical = out.jump_if(condition::kNotZero);
    put_index(out, kScratch, 8);
    out.load(kScratch2, table_entry(kScratch2, offsetof(TableEntry, write)));
    out.test(kScratch2, kScratch2);
    const Jump none = out.jump_if(condition::kZero);
    out.store(at(8 + kStackAddend), kScratch2);
    out.move(kScratch2, kScratch);
    out.and_(kScratch2, -static_cast<i32>(kPageSize));
    out.store(at(8 + kStackPage), kScratch2);
    out.ret();
    out.bind(none);
    out.bind(not_canonical);
    out.bind(too_far);
    put_return_behind_jump(out);
    return start;
}

constexpr Memory saved(unsigned number) {
    return at(8 + kSaved + 8 * static_cast<i32>(number));
}

// to = how many elements from `address` on lie in its page.
void put_elements_in_page(Assembler& out, HostRegister to, HostRegister address, unsigned log) {
    out.move32(to, address);
    out.or32(to, -static_cast<i32>(kPageSize));
    out.negate32(to);
    if (log != 0)
        out.shift_right32(to, static_cast<u8>(log));
}

// A chunk of REP MOVS or STOS of 1 << log bytes: host addresses in rcx (source) and r11; the first
// elements lie in plain memory. Moves the guest's rsi and rdi, and takes the chunk off its count.
const u8* put_string(Assembler& out, bool moves, unsigned log) {
    constexpr HostRegister kCount = kHostR10;
    const u8* start = out.here();
    out.store(saved(0), kHostRAX);
    out.store(saved(1), kHostRDX);
    out.store(saved(2), kHostRSI);
    out.store(saved(3), kHostRDI);
    put_elements_in_page(out, kHostRDX, kHostRDI, log);
    if (moves) {
        put_elements_in_page(out, kHostRAX, kHostRSI, log);
        out.compare(kHostRAX, kHostRDX);
        out.move_if(condition::kBelow, kHostRDX, kHostRAX);
    }
    out.compare(kCount, kHostRDX);
    out.move_if(condition::kBelow, kHostRDX, kCount);
    if (moves) {
        out.move(kHostRSI, kHostRCX);
    } else {
        out.load(kHostRAX, saved(0));
    }
    out.move(kHostRDI, kHostR11);
    out.move(kHostRCX, kHostRDX);
    out.byte(0xf3);
    if (log == 1)
        out.byte(0x66);
    if (log == 3)
        out.byte(0x48);
    out.byte(static_cast<u8>((moves ? 0xa4 : 0xaa) | (log == 0 ? 0 : 1)));
    out.sub(kCount, kHostRDX);
    const Memory by{.base = kHostRSI, .index = kHostRDX, .scale = static_cast<u8>(log)};
    out.load(kHostRSI, saved(2));
    if (moves)
        out.lea(kHostRSI, by);
    out.load(kHostRDI, saved(3));
    out.lea(kHostRDI, Memory{.base = kHostRDI, .index = kHostRDX, .scale = static_cast<u8>(log)});
    out.load(kHostRAX, saved(0));
    out.load(kHostRDX, saved(1));
    out.ret();
    return start;
}

}  // namespace

Stubs make_stubs(CodeStore& store, OnSite on_site) {
    Stubs stubs;
    Assembler out(store.cold_end());
    stubs.enter = reinterpret_cast<Stubs::Enter>(reinterpret_cast<u64>(put_enter(out)));
    put_leave(out, on_site, stubs);
    for (unsigned i = 0; i < stubs.cross.size(); ++i)
        stubs.cross[i] = put_cross(out, 2u << i);
    stubs.lookup = put_lookup(out, stubs.leave);
    stubs.stack = put_stack(out);
    for (unsigned log = 0; log < 4; ++log) {
        stubs.strings[log] = put_string(out, true, log);
        stubs.strings[4 + log] = put_string(out, false, log);
    }
    put_system_stubs(out, stubs);
    store.keep(out.here());
    return stubs;
}

}  // namespace uchronia::cpu::jit
