// In what the host differs from the canon: instructions whose flags or results the manuals leave
// undefined, and processors compute differently. Found by the self-test (measure_host.h).
#pragma once

#include <array>
#include <string>

#include "base/hash.h"
#include "cpu/decode/decoder.h"
#include "cpu/decode/flag_use.h"

namespace uchronia::cpu::jit {

struct HostDifference {
    u8 flags = flag::kNone;  // computed differently for some operands
    bool result = false;     // a register differs for some operands

    bool operator==(const HostDifference&) const = default;
};

// By row and operand size.
class HostDifferences {
  public:
    const HostDifference& of(const Decoded& decoded) const {
        return rows_[static_cast<std::size_t>(decoded.instruction)][place(decoded.operand_size)];
    }
    HostDifference& at(Instruction instruction, unsigned operand_size) {
        return rows_[static_cast<std::size_t>(instruction)][place(operand_size)];
    }

    // The flags of no use: translated code inverts them after each instruction that differs in
    // them (tests: a host that is as wrong as it may be).
    bool inverts_flags() const { return inverts_flags_; }

    // All that the manuals leave undefined, as if the host got all of it wrong (tests).
    static HostDifferences everything();

    // By mnemonic, for people: "BSF: result; IMUL: ZF SF". "none" if there is none.
    std::string description() const;
    // Another one for each other set of differences.
    Digest digest() const;

  private:
    static std::size_t place(unsigned operand_size) {
        return operand_size == 2 ? 0 : operand_size == 8 ? 2 : 1;
    }

    std::array<std::array<HostDifference, 3>, static_cast<std::size_t>(Instruction::kCount)>
        rows_{};
    bool inverts_flags_ = false;
};

// Whether the manuals leave something undefined that the self-test must look at.
bool has_undefined_results(Instruction instruction);

}  // namespace uchronia::cpu::jit
