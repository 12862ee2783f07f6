// What makes up for differences between the host and the canon (docs/decisions/0012).
//
// Only flags that are live after the instruction count. Those that the canon knows without the
// result are mended behind the instruction; for the rest, and for results, the interpreter's
// function does the whole.
#include "cpu/jit/block_translator.h"
#include "cpu/jit/fix_up.h"
#include "cpu/jit/frame_layout.h"

namespace uchronia::cpu::jit {

using namespace frame;

namespace {

// EAX op= number
void put_eax(Assembler& out, u8 opcode, u32 number) {
    out.byte(opcode);
    out.value(number);
}
constexpr u8 kOr = 0x0d, kAnd = 0x25, kXor = 0x35;

// The host's flags as ArithmeticFlags to AX; rAX waits in r11.
void put_take_flags(Assembler& out) {
    out.move(kScratch2, kHostRAX);
    out.byte(kLAHF);
    out.byte(0x0f);  // SETO AL
    out.byte(0x90);
    out.byte(0xc0);
}

// AL bit 0 := SF ^ CF of AH. The bits above it are not defined.
void put_sign_xor_carry(Assembler& out) {
    static constexpr u8 kCode[] = {0x8a, 0xc4,        // MOV AL, AH
                                   0xc0, 0xe8, 0x07,  // SHR AL, 7
                                   0x32, 0xc4};       // XOR AL, AH
    out.bytes(kCode, sizeof kCode);
}

}  // namespace

HostDifference BlockTranslator::difference_of(const Item& item) const {
    const HostDifference& difference = differences_.of(item.decoded);
    if (difference.flags != flag::kNone && is_shift_by_zero(item.decoded))
        return {.flags = flag::kNone, .result = difference.result};
    return difference;
}

u8 BlockTranslator::flags_to_fix(const Item& item) {
    const u8 flags = difference_of(item).flags;
    if (flags == flag::kNone)
        return flag::kNone;
    return flags & live_at(static_cast<u16>(item.offset + item.decoded.op.length));
}

bool BlockTranslator::can_be_fixed(const Item& item) {
    if (difference_of(item).result)
        return false;
    const u8 flags = flags_to_fix(item);
    return flags == flag::kNone || (flags & ~fix_up_of(item.decoded).known()) == 0;
}

// Behind the instruction, whose flags are in the host's; those before it are in CPUState::flags as
// far as they are live. Leaves the canon's in CPUState::flags.
void BlockTranslator::put_fix_up(const Item& item) {
    if (differences_.inverts_flags() && difference_of(item).flags != flag::kNone)
        put_inversion(difference_of(item).flags);
    const u8 flags = flags_to_fix(item);
    if (flags == flag::kNone)
        return;
    const FixUp fix_up = fix_up_of(item.decoded);
    const u8 kept = fix_up.kept & flags, set = fix_up.set & flags;
    const bool overflow = fix_up.overflow_is_sign_and_carry && (flags & flag::kOF) != 0;
    u8 hosts = static_cast<u8>(~flags & kAllFlags);
    put_take_flags(hot_);
    if (overflow) {
        put_sign_xor_carry(hot_);
        hosts |= flag::kOF;
    }
    put_eax(hot_, kAnd, u32{arithmetic_bits(hosts)} | ArithmeticFlags::kFixed);
    if (kept != flag::kNone) {
        hot_.load16(kScratch, at(kFlags));
        hot_.and32(kScratch, arithmetic_bits(kept));
        hot_.rr32(0x0b, kHostRAX, kScratch);
    }
    if (set != flag::kNone)
        put_eax(hot_, kOr, arithmetic_bits(set));
    hot_.store16(at(kFlags), kHostRAX);
    hot_.move(kHostRAX, kScratch2);
    flags_ = Where::kMemory;
}

void BlockTranslator::put_inversion(u8 flags) {
    put_take_flags(hot_);
    put_eax(hot_, kXor, arithmetic_bits(flags));
    hot_.byte(0x04);  // ADD AL, 7Fh
    hot_.byte(0x7f);
    hot_.byte(kSAHF);
    hot_.move(kHostRAX, kScratch2);
}

}  // namespace uchronia::cpu::jit
