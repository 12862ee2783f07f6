// For the tests of this folder: random valid instructions of a row, and what Zydis (an independent
// decoder) says of bytes.
#pragma once

#include <Zydis/Zydis.h>

#include <array>
#include <cstdio>
#include <optional>
#include <span>
#include <string>

#include "base/prng.h"
#include "cpu/decode/decoder.h"
#include "cpu/decode/encoding.h"
#include "cpu/jit/shape.h"

namespace uchronia::cpu::jit {

class Random {
  public:
    explicit Random(u64 seed) : seed_(seed) {}
    u32 below(u32 limit) { return static_cast<u32>(random_word(seed_, 0, counter_++) % limit); }
    bool one_in(u32 n) { return below(n) == 0; }
    u8 byte() { return static_cast<u8>(below(256)); }

  private:
    const u64 seed_;
    u64 counter_ = 0;
};

// Bytes as Zydis reads them in 64-bit mode.
struct Reading {
    bool valid = false;
    ZydisDecodedInstruction instruction;
    std::array<ZydisDecodedOperand, ZYDIS_MAX_OPERAND_COUNT> operands;

    std::span<const ZydisDecodedOperand> all() const {
        return {operands.data(), instruction.operand_count};
    }
    const ZydisDecodedOperand* operand(ZydisOperandEncoding encoding) const {
        for (const ZydisDecodedOperand& operand : all()) {
            if (operand.encoding == encoding)
                return &operand;
        }
        return nullptr;
    }
};

inline Reading read_by_zydis(std::span<const u8> bytes) {
    ZydisDecoder decoder;
    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    Reading reading;
    reading.valid = ZYAN_SUCCESS(ZydisDecoderDecodeFull(
        &decoder, bytes.data(), bytes.size(), &reading.instruction, reading.operands.data()));
    return reading;
}

inline std::string text_of(std::span<const u8> bytes) {
    std::string text;
    for (const u8 byte : bytes) {
        char digits[4];
        std::snprintf(digits, sizeof digits, "%02x ", byte);
        text += digits;
    }
    return text;
}

struct Sample {
    std::array<u8, 20> bytes{};
    Decoded decoded{};
    Reading zydis{};

    std::span<const u8> code() const { return {bytes.data(), decoded.op.length}; }
    bool has_memory() const { return (decoded.op.flags & op_flag::kMemory) != 0; }
};

namespace sampling {

inline std::size_t put_vex(Random& random, const Encoding& encoding, u8* bytes, std::size_t at) {
    const auto w = encoding.rex_w == RexW::kAny ? random.below(2) : encoding.rex_w == RexW::k1;
    const auto l = encoding.length == VectorLength::kAny ? random.below(2)
                                                         : encoding.length == VectorLength::k256;
    const auto vvvv = encoding.vvvv == RegisterClass::kAbsent ? 15 : random.below(16);
    const unsigned pp = encoding.prefix == MandatoryPrefix::k66   ? 1
                        : encoding.prefix == MandatoryPrefix::kF3 ? 2
                        : encoding.prefix == MandatoryPrefix::kF2 ? 3
                                                                  : 0;
    const unsigned map = static_cast<unsigned>(encoding.map) - unsigned(OpcodeMap::kVEX0F) + 1;
    const unsigned low = vvvv << 3 | unsigned(l) << 2 | pp;
    if (map == 1 && !w && random.one_in(2)) {
        bytes[at++] = 0xc5;
        bytes[at++] = static_cast<u8>(random.below(2) << 7 | low);
        return at;
    }
    bytes[at++] = 0xc4;
    bytes[at++] = static_cast<u8>(random.below(8) << 5 | map);
    bytes[at++] = static_cast<u8>(unsigned(w) << 7 | low);
    return at;
}

inline std::size_t put_legacy(Random& random, const Encoding& encoding, u8* bytes, std::size_t at) {
    if (encoding.prefix == MandatoryPrefix::k66 || random.one_in(4))
        bytes[at++] = 0x66;
    if (encoding.prefix == MandatoryPrefix::kF2)
        bytes[at++] = 0xf2;
    if (encoding.prefix == MandatoryPrefix::kF3)
        bytes[at++] = 0xf3;
    if (encoding.rex_w == RexW::k1)
        bytes[at++] = static_cast<u8>(0x48 | random.below(8));
    else if (random.one_in(2))
        bytes[at++] = static_cast<u8>(0x40 | random.below(16));
    if (encoding.map != OpcodeMap::kOneByte)
        bytes[at++] = 0x0f;
    if (encoding.map == OpcodeMap::k0F38)
        bytes[at++] = 0x38;
    if (encoding.map == OpcodeMap::k0F3A)
        bytes[at++] = 0x3a;
    return at;
}

// Random bytes that likely are an instruction of the row.
inline void put_instruction(Random& random, const Encoding& encoding, std::span<u8> bytes) {
    for (u8& byte : bytes)
        byte = random.byte();
    std::size_t at = is_vex(encoding.map) ? put_vex(random, encoding, bytes.data(), 0)
                                          : put_legacy(random, encoding, bytes.data(), 0);
    bytes[at++] =
        static_cast<u8>(encoding.opcode | (encoding.opcode_register ? random.below(8) : 0));
    u8& modrm = bytes[at];
    if (encoding.modrm == ModRMUse::kWhole)
        modrm = encoding.modrm_value;
    else if (encoding.modrm == ModRMUse::kDigit)
        modrm = static_cast<u8>((modrm & 0xc7) | encoding.modrm_value << 3);
    if (encoding.modrm != ModRMUse::kAbsent && encoding.form == RMForm::kRegister)
        modrm |= 0xc0;
    if (encoding.form == RMForm::kMemory && modrm >= 0xc0)
        modrm = static_cast<u8>((modrm & 0x3f) | random.below(3) << 6);
}

}  // namespace sampling

// A random instruction of the row, without address-size and segment prefixes.
inline std::optional<Sample> sample_of(Random& random, Instruction instruction) {
    const Result<Encoding> encoding = parse_encoding(row_of(instruction));
    for (unsigned attempt = 0; encoding && attempt < 100; ++attempt) {
        Sample sample;
        sampling::put_instruction(random, *encoding, sample.bytes);
        if (decode({sample.bytes.data(), 15}, CodeMode::k64, 0, sample.decoded) !=
                DecodeStatus::kDone ||
            sample.decoded.instruction != instruction)
            continue;
        sample.zydis = read_by_zydis(sample.code());
        if (sample.zydis.valid)
            return sample;
    }
    return std::nullopt;
}

// Calls function(row, sample) for `count` random instructions of each row that the host executes.
template <class Function>
void for_each_native_sample(u64 seed, unsigned count, Function function) {
    for (u16 i = 1; i < static_cast<u16>(Instruction::kCount); ++i) {
        const Instruction instruction{i};
        if (shape_of(instruction).kind != Kind::kNative)
            continue;
        Random random(seed + i);
        for (unsigned n = 0; n < count; ++n) {
            const std::optional<Sample> sample = sample_of(random, instruction);
            function(row_of(instruction), sample);
        }
    }
}

}  // namespace uchronia::cpu::jit
