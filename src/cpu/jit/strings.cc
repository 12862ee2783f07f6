// MOVS and STOS, alone and repeated. A repeated one moves a chunk for each tick, by the rules of
// interp/integer/string_chunk.h: as many elements as lie in the pages of the first ones. The other
// string instructions, downward ones, and those with a segment or 32-bit addresses are the
// interpreter's.
#include "cpu/jit/block_translator.h"
#include "cpu/jit/frame_layout.h"

namespace uchronia::cpu::jit {

using namespace frame;

namespace {

constexpr i32 kDirection = 1 << 10;  // RFLAGS.DF

unsigned log_of(unsigned size) {
    return size == 1 ? 0 : size == 2 ? 1 : size == 4 ? 2 : 3;
}

// MOV between [base] and a register, of 1, 2, 4 or 8 bytes.
void put_sized_store(Assembler& out, HostRegister base, HostRegister from, unsigned size) {
    const Memory m{.base = base};
    if (size == 8)
        return out.store(m, from);
    if (size == 2)
        out.byte(0x66);
    out.rm32(size == 1 ? 0x88 : 0x89, from, m);
}
void put_sized_load(Assembler& out, HostRegister to, HostRegister base, unsigned size) {
    const Memory m{.base = base};
    if (size == 8)
        return out.load(to, m);
    if (size == 4)
        return out.load32(to, m);
    if (size == 2)
        return out.load16(to, m);
    out.load8(to, m);
}

}  // namespace

bool BlockTranslator::is_plain_string(const Item& item) const {
    const Op& op = item.decoded.op;
    return op.segment == kFlatSegment && (op.flags & op_flag::kAddress32) == 0 &&
           next_page_number_ == kNoPage;
}

void BlockTranslator::put_string(unsigned index) {
    const Item& item = items_[index];
    const bool moves = item.kind == Kind::kMoveString;
    const bool bytes = item.decoded.instruction == Instruction::MOVS_Yb_Xb ||
                       item.decoded.instruction == Instruction::STOS_Yb_AL;
    const bool repeats = (item.decoded.op.flags & (op_flag::kRep | op_flag::kRepne)) != 0;
    const unsigned size = bytes ? 1 : item.decoded.operand_size;
    const i32 step = static_cast<i32>(size);
    const Memory operand{.base = kScratch2, .index = kScratch};
    save_flags_if_live(index);
    hot_.test32(at(kSystemFlags), kDirection);
    put_miss_if(condition::kNotZero);
    Jump done;
    if (repeats) {
        hot_.test(kHome[kRCX], kHome[kRCX]);
        done = hot_.jump_if(condition::kZero);
    }
    // Host addresses: of the source in rcx, of the destination in r11.
    if (moves) {
        hot_.move(kScratch, kHostRSI);
        put_check(kScratch, size, AccessKind::kRead, Alignment::kAny);
        hot_.lea(kScratch, operand);
        hot_.store(at(kValue), kScratch);
    }
    hot_.move(kScratch, kHostRDI);
    put_check(kScratch, size, AccessKind::kWrite, Alignment::kAny);
    hot_.lea(kScratch2, operand);
    if (moves)
        hot_.load(kScratch, at(kValue));
    if (repeats) {
        // The stub has no sites: a fault must come here.
        if (moves) {
            note_access();
            hot_.test_memory_byte(Memory{.base = kScratch});
        }
        note_access();
        hot_.test_memory_byte(Memory{.base = kScratch2});
        hot_.call(at(kStringStubs + 8 * static_cast<i32>(log_of(size) + (moves ? 0 : 4))));
        hot_.test(kHome[kRCX], kHome[kRCX]);
        const Jump again = hot_.jump_if(condition::kNotZero);
        put_link(index, again, item.offset);
        hot_.bind(done);
    } else {
        if (moves) {
            note_access();
            put_sized_load(hot_, kScratch, kScratch, size);
        }
        note_access();
        put_sized_store(hot_, kScratch2, moves ? kScratch : kHostRAX, size);
        if (moves)
            hot_.lea(kHostRSI, Memory{.base = kHostRSI, .displacement = step});
        hot_.lea(kHostRDI, Memory{.base = kHostRDI, .displacement = step});
    }
    put_edge(index, item.offset + item.decoded.op.length);
    put_slow_paths(index, SiteKind::kEnd);
}

}  // namespace uchronia::cpu::jit
