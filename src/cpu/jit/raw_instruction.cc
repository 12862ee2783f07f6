#include "cpu/jit/raw_instruction.h"

#include "cpu/decode/decode_table.h"

namespace uchronia::cpu::jit {
namespace {

bool is_legacy_prefix(u8 byte) {
    switch (byte) {
        case 0x26:
        case 0x2e:
        case 0x36:
        case 0x3e:
        case 0x64:
        case 0x65:
        case 0x66:
        case 0x67:
        case 0xf0:
        case 0xf2:
        case 0xf3:
            return true;
        default:
            return false;
    }
}

unsigned take_vex(const u8* bytes, unsigned at, RawInstruction& raw) {
    const bool three = bytes[at] == 0xc4;
    const u8 first = bytes[at + 1];
    const u8 last = three ? bytes[at + 2] : first;
    raw.vex = true;
    raw.reg = (first & 0x80) != 0 ? 0 : 8;
    raw.map = three ? first & 3 : 1;
    raw.rm = three && (first & 0x20) == 0 ? 8 : 0;
    raw.rex_w = three && (last & 0x80) != 0;
    raw.vvvv = static_cast<u8>(~(last >> 3) & 15);
    raw.vex_length = (last >> 2) & 1;
    raw.vex_prefix = last & 3;
    return at + (three ? 3 : 2);
}

unsigned take_prefixes(const u8* bytes, RawInstruction& raw) {
    unsigned at = 0;
    u8 rex = 0;
    for (;; ++at) {
        const u8 byte = bytes[at];
        if ((byte & 0xf0) == 0x40) {
            rex = byte;
        } else if (is_legacy_prefix(byte)) {
            rex = 0;
            if (byte == 0x66)
                raw.operand_size = true;
            if (byte == 0xf2 || byte == 0xf3)
                raw.repeat = byte;
        } else {
            break;
        }
    }
    raw.has_rex = rex != 0;
    raw.rex_w = (rex & 8) != 0;
    raw.reg = static_cast<u8>((rex & 4) << 1);
    raw.rm = static_cast<u8>((rex & 1) << 3);
    return at;
}

unsigned take_opcode(const u8* bytes, unsigned at, RawInstruction& raw) {
    if (bytes[at] == 0x0f) {
        ++at;
        raw.map = 1;
        if (bytes[at] == 0x38 || bytes[at] == 0x3a) {
            raw.map = bytes[at] == 0x38 ? 2 : 3;
            ++at;
        }
    }
    return at;
}

unsigned displacement_size(const u8* bytes, unsigned at, u8 mod, u8 rm) {
    if (mod == 1)
        return 1;
    if (mod == 2)
        return 4;
    if (rm == 5)
        return 4;  // RIP-relative
    return rm == 4 && (bytes[at] & 7) == 5 ? 4 : 0;
}

void put_opcode_map(Assembler& out, u8 map) {
    if (map != 0)
        out.byte(0x0f);
    if (map == 2)
        out.byte(0x38);
    if (map == 3)
        out.byte(0x3a);
}

// Everything before ModRM. `rex` has the bits R, X, B.
void put_head(Assembler& out, const RawInstruction& raw, LegacyPrefixes prefixes, u8 rex, u8 vvvv,
              bool force_rex, u8 opcode) {
    if (raw.vex && raw.map == 1 && !raw.rex_w && (rex & 3) == 0) {
        out.byte(0xc5);
        out.byte(static_cast<u8>((~rex & 4) << 5 | (~vvvv & 15) << 3 | raw.vex_length << 2 |
                                 raw.vex_prefix));
        out.byte(opcode);
        return;
    }
    if (raw.vex) {
        out.byte(0xc4);
        out.byte(static_cast<u8>((~rex & 7) << 5 | raw.map));
        out.byte(static_cast<u8>((raw.rex_w ? 0x80 : 0) | (~vvvv & 15) << 3 | raw.vex_length << 2 |
                                 raw.vex_prefix));
        out.byte(opcode);
        return;
    }
    if (prefixes.operand_size)
        out.byte(0x66);
    if (prefixes.repeat != 0)
        out.byte(prefixes.repeat);
    const u8 full = static_cast<u8>(rex | (raw.rex_w ? 8 : 0));
    if (full != 0 || force_rex)
        out.byte(static_cast<u8>(0x40 | full));
    put_opcode_map(out, raw.map);
    out.byte(opcode);
}

}  // namespace

RawInstruction take_apart(const u8* bytes, unsigned length) {
    RawInstruction raw;
    unsigned at = take_prefixes(bytes, raw);
    if (bytes[at] == 0xc4 || bytes[at] == 0xc5) {
        at = take_vex(bytes, at, raw);
        raw.has_modrm = !(raw.map == 1 && bytes[at] == 0x77);  // VZEROUPPER, VZEROALL
    } else {
        at = take_opcode(bytes, at, raw);
        raw.has_modrm = decode_table(CodeMode::k64)
                            .opcode(static_cast<OpcodeMap>(raw.map), bytes[at])
                            .has_modrm;
    }
    raw.opcode = bytes[at++];
    raw.opcode_register = static_cast<u8>((raw.opcode & 7) | raw.rm);
    if (raw.has_modrm) {
        const u8 modrm = bytes[at++];
        raw.mod = modrm >> 6;
        raw.reg |= (modrm >> 3) & 7;
        const u8 rm = modrm & 7;
        raw.rm |= rm;
        if (raw.mod != 3) {
            const bool sib = rm == 4;
            const unsigned size = displacement_size(bytes, at, raw.mod, rm);
            at += (sib ? 1 : 0) + size;
        }
    }
    raw.immediate = bytes + at;
    raw.immediate_size = static_cast<u8>(length - at);
    return raw;
}

void encode(Assembler& out, const RawInstruction& raw, LegacyPrefixes prefixes, u8 reg, u8 vvvv,
            const Memory& rm, bool force_rex) {
    put_head(out, raw, prefixes, Assembler::rex_bits(reg, rm), vvvv, force_rex, raw.opcode);
    out.modrm_memory(reg, rm);
    out.bytes(raw.immediate, raw.immediate_size);
}

void encode(Assembler& out, const RawInstruction& raw, LegacyPrefixes prefixes, u8 reg, u8 vvvv,
            u8 rm, bool force_rex) {
    put_head(out, raw, prefixes, Assembler::rex_bits(reg, rm), vvvv, force_rex, raw.opcode);
    out.modrm_register(reg, rm);
    out.bytes(raw.immediate, raw.immediate_size);
}

void encode_plain(Assembler& out, const RawInstruction& raw, LegacyPrefixes prefixes,
                  bool has_opcode_register, u8 reg, bool force_rex) {
    const u8 opcode =
        has_opcode_register ? static_cast<u8>((raw.opcode & ~7) | (reg & 7)) : raw.opcode;
    const u8 rex = has_opcode_register ? (reg & 8) >> 3 : 0;
    put_head(out, raw, prefixes, rex, 0, force_rex, opcode);
    out.bytes(raw.immediate, raw.immediate_size);
}

}  // namespace uchronia::cpu::jit
