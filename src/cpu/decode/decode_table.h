// The instruction table turned around: from opcode bytes to the rows that they may mean.
//
// Immutable; there is one for 64-bit code and one for legacy code, built on first use. A lookup
// goes by opcode map and byte, then by ModRM.reg and whether ModRM.rm is memory, and leaves the few
// rows that only prefixes, or the whole ModRM byte, tell apart: the first that matches is meant.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "cpu/decode/encoding.h"
#include "cpu/op.h"

namespace uchronia::cpu {

// A row as the decoder needs it.
struct Form {
    Encoding encoding;
    Instruction instruction = Instruction::kUndefined;
    u16 attributes = 0;
    bool without_rex_b = false;  // NOP and PAUSE: with REX.B the byte is XCHG with r8
};

// What selects among the rows of an opcode.
struct Selector {
    MandatoryPrefix prefix;  // kNone, k66, kF2 or kF3
    u8 rex;                  // 0 if there is none; from VEX: its W, R, X and B
    u8 modrm;                // 0 if there is none
    bool vex_l;              // VEX.L
};

class DecodeTable {
  public:
    explicit DecodeTable(CodeMode mode);

    struct Opcode {
        u16 first_list = 0;
        bool defined = false;  // some row has it
        bool has_modrm = false;
    };
    const Opcode& opcode(OpcodeMap map, u8 byte) const {
        return opcodes_[static_cast<std::size_t>(map)][byte];
    }

    // The form that is meant, or null (#UD).
    const Form* find(const Opcode& opcode, Selector selector) const;

  private:
    struct List {
        u16 begin = 0;
        u16 count = 0;
    };

    static constexpr unsigned kListsPerOpcode = 16;  // ModRM.reg, and memory or register

    void add_opcode(OpcodeMap map, u8 byte, std::span<const Form> forms);
    void add_list(std::span<const Form> forms, unsigned list_index);

    std::array<std::array<Opcode, 256>, kOpcodeMapCount> opcodes_{};
    std::vector<List> lists_;
    std::vector<Form> forms_;
};

const DecodeTable& decode_table(CodeMode mode);

}  // namespace uchronia::cpu
