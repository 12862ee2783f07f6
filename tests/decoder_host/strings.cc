#include "tests/decoder_host/strings.h"

#include <algorithm>
#include <string_view>

namespace uchronia::decoder_host {

using namespace cpu;

namespace {

// FS and GS belong to the host's threads.
u8 harmless(u8 byte) {
    return byte == 0x64 ? 0x2e : byte == 0x65 ? 0x36 : byte;
}

bool is_prefix(u8 byte) {
    switch (byte) {
        case 0x26:
        case 0x2e:
        case 0x36:
        case 0x3e:
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

struct Layout {
    std::size_t opcode = 0;  // where it begins
    bool operand_size = false, repeat = false, lock = false;
};

Layout layout_of(const String& string) {
    Layout layout;
    for (; layout.opcode < kLongest; ++layout.opcode) {
        const u8 prefix = string[layout.opcode];
        if (!is_prefix(prefix) &&
            (prefix & 0xf0) != 0x40)  // REX may stand anywhere, without effect
            break;
        layout.operand_size |= prefix == 0x66;
        layout.repeat |= prefix == 0xf2 || prefix == 0xf3;
        layout.lock |= prefix == 0xf0;
    }
    return layout;
}

// The mask registers of AVX-512: KAND to KUNPCK and KMOV to KTEST; KSHIFT.
bool is_mask_instruction(u8 map, u8 opcode) {
    if (map == 3)
        return opcode >= 0x30 && opcode < 0x34;
    return map == 1 && ((opcode >= 0x41 && opcode < 0x4c) || (opcode >= 0x90 && opcode < 0x9a));
}

// What 0F 38 has with VEX beyond AVX2: VNNI, AMX, NE-CONVERT, IFMA, SHA512, GFNI, SM3, CMPccXADD.
bool is_late_extension(u8 opcode) {
    struct Range {
        u8 first, last;
    };
    constexpr Range kRanges[] = {{0x48, 0x53}, {0x5c, 0x5e}, {0x72, 0x72}, {0xb0, 0xb5},
                                 {0xcb, 0xcf}, {0xd2, 0xd3}, {0xda, 0xda}, {0xe0, 0xef}};
    return std::any_of(std::begin(kRanges), std::end(kRanges), [&](const Range& range) {
        return opcode >= range.first && opcode <= range.last;
    });
}

// What newer hosts have: GFNI and the above. VAES and VPCLMULQDQ of 256 bits, and VPERMQ and
// VPERMPD, whose W some hosts do not look at.
bool is_foreign_vex(u8 map, u8 third, u8 opcode) {
    const bool l = (third & 4) != 0;
    const bool gfni = map == 3 && (opcode == 0xce || opcode == 0xcf);
    if (gfni || is_mask_instruction(map, opcode) || (map == 2 && is_late_extension(opcode)))
        return true;
    return (map == 2 && opcode >= 0xc8 && l) || (map == 3 && (opcode == 0x44 || opcode < 2) && l);
}

// What is undefined for us, but perhaps not for the host: EVEX, XOP, 3DNow!, SSE4a, system calls,
// the corners of the system groups; prefixes that select no instruction and that some hosts then
// ignore. A string of too many bytes may be #GP rather than #UD.
bool is_foreign(const String& string) {
    const Layout layout = layout_of(string);
    if (layout.opcode > 3)
        return true;
    const u8 first = string[layout.opcode], second = string[layout.opcode + 1],
             third = string[layout.opcode + 2];
    const bool register_form = third >= 0xc0;
    if (first == 0xc5)
        return is_mask_instruction(1, third);
    if (first == 0xc4)
        return is_foreign_vex(second & 0x1f, third, string[layout.opcode + 3]);
    if ((first == 0xc6 || first == 0xc7) && second == 0xf8)  // XABORT, XBEGIN
        return true;
    if (first == 0x62 || (first == 0x8f && (second & 0x38) != 0))
        return true;
    if (first != 0x0f)
        return false;
    if (layout.repeat || layout.operand_size || layout.lock)  // LOCK MOV CR0 is MOV CR8 for AMD
        return true;
    switch (second) {
        case 0x01:
            return register_form;
        case 0x05:
        case 0x07:
        case 0x0d:
        case 0x0f:
        case 0x34:
        case 0x35:
        case 0x37:
        case 0x78:
        case 0x79:
        case 0xae:
        case 0xc7:
            return true;
        case 0x38:
            return third >= 0xc8;  // SHA, AES key locker, MOVDIRI and the like
        case 0x3a:
            return third >= 0xcc;
        default:
            return false;
    }
}

// UD0 and UD1 may take a ModRM byte, so that they may be too long.
bool may_be_too_long(const String& string, std::string_view name) {
    return layout_of(string).opcode > 3 && (name.starts_with("UD0") || name.starts_with("UD1"));
}

// Near branches with 66h: AMD processors take 16 bits of displacement, Intel's, and our model, 32.
bool is_short_on_some_hosts(const String& string, std::string_view name) {
    return layout_of(string).operand_size && name.size() > 3 &&
           name.substr(name.size() - 3) == "_Jz";
}

}  // namespace

String make_string(witness::Random& random) {
    String string;
    for (u8& byte : string)
        byte = static_cast<u8>(random.next() >> 24);
    std::size_t at = 0;
    if (random.percent(70)) {
        static constexpr u8 kPrefixes[] = {0x66, 0x66, 0xf2, 0xf3, 0xf0,
                                           0x67, 0x2e, 0x3e, 0x26, 0x36};
        while (at < 5 && random.percent(at == 0 ? 45 : 30))
            string[at++] = random.pick(kPrefixes);
        if (random.percent(2)) {
            for (const std::size_t end = 6 + random.below(10); at < end && at < kLongest;)
                string[at++] = random.pick(kPrefixes);
        }
        if (at < kLongest && random.percent(35))
            string[at++] = static_cast<u8>(0x40 | random.below(16));
        const u32 map = random.below(100);
        if (at + 4 < kLongest && map < 35) {
            string[at++] = 0x0f;
            if (map < 14)
                string[at++] = map < 8 ? 0x38 : 0x3a;
        } else if (at + 4 < kLongest && map < 60) {
            string[at] = map < 45 ? 0xc5 : 0xc4;
            if (map >= 45)
                string[at + 1] = static_cast<u8>((string[at + 1] & 0xe0) | (1 + random.below(3)));
            if (random.percent(50))  // vvvv not used
                string[at + (map < 45 ? 1 : 2)] |= 0x78;
        }
    }
    for (u8& byte : string)
        byte = harmless(byte);
    return string;
}

bool is_left_out(const String& string, const Decoded& decoded, DecodeStatus status) {
    if (status == DecodeStatus::kDone && decoded.instruction != Instruction::kUndefined) {
        const std::string_view name = row_of(decoded.instruction).name;
        for (const std::string_view skipped :
             {"SYSCALL", "SYSRET", "INT_Ib", "HYPERCALL", "WRFSBASE_Ry", "WRGSBASE_Ry", "XBEGIN",
              "MONITOR", "MWAIT",  "XRSTOR", "FXRSTOR",   "MOV_Sw_Ew",   "LSS",         "LFS",
              "LGS",     "POP_FS", "POP_GS", "STAC",      "CLAC",        "POPF"}) {
            if (name.substr(0, skipped.size()) == skipped)
                return true;
        }
        return is_short_on_some_hosts(string, name) || may_be_too_long(string, name);
    }
    return is_foreign(string);
}

}  // namespace uchronia::decoder_host
