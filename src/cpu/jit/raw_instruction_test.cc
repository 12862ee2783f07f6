// Random instructions taken apart and encoded again, with the same operands and with others, as
// Zydis reads them.
#include "cpu/jit/raw_instruction.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>

#include "cpu/jit/zydis_testing.h"

namespace uchronia::cpu::jit {
namespace {

constexpr u64 kSeed = 0x5eed'0011;
constexpr unsigned kSamples = 60;

HostRegister register_of(ZydisRegister r) {
    return r == ZYDIS_REGISTER_NONE ? kNoRegister
                                    : static_cast<HostRegister>(ZydisRegisterGetId(r));
}

bool is_rip_relative(const Reading& reading) {
    const auto& modrm = reading.instruction.raw.modrm;
    return (reading.instruction.attributes & ZYDIS_ATTRIB_HAS_MODRM) != 0 && modrm.mod == 0 &&
           modrm.rm == 5;
}

// Zydis 4.0 takes R13 for the base where there is none: mod 0 with SIB.base 5, which does not look
// at REX.B (APM vol. 3, 1.4.2).
bool is_base_misread(const Reading& reading) {
    const auto& raw = reading.instruction.raw;
    return raw.modrm.mod == 0 && raw.modrm.rm == 4 && raw.sib.base == 5;
}

LegacyPrefixes prefixes_of(const Sample& sample) {
    const MandatoryPrefix prefix = shape_of(sample.decoded.instruction).prefix;
    const bool operand16 = (sample.decoded.op.flags & op_flag::kOperand16) != 0;
    return {.operand_size = prefix == MandatoryPrefix::k66 || operand16,
            .repeat = static_cast<u8>(prefix == MandatoryPrefix::kF2   ? 0xf2
                                      : prefix == MandatoryPrefix::kF3 ? 0xf3
                                                                       : 0)};
}

Memory memory_of(const Reading& reading) {
    const ZydisDecodedOperand* operand = reading.operand(ZYDIS_OPERAND_ENCODING_MODRM_RM);
    const ZydisDecodedOperandMem& mem = operand->mem;
    Memory memory{.base = register_of(mem.base),
                  .index = register_of(mem.index),
                  .displacement = static_cast<i32>(mem.disp.value)};
    if (memory.index != kNoRegister)
        memory.scale = static_cast<u8>(std::countr_zero(static_cast<unsigned>(mem.scale)));
    return memory;
}

// Encoded with the same operands.
Reading again(const Sample& sample, const RawInstruction& raw, const Memory* memory) {
    std::array<u8, 32> bytes{};
    Assembler out(bytes.data());
    const Shape& shape = shape_of(sample.decoded.instruction);
    const LegacyPrefixes prefixes = prefixes_of(sample);
    if (memory != nullptr)
        encode(out, raw, prefixes, raw.reg, raw.vvvv, *memory, raw.has_rex);
    else if (raw.has_modrm)
        encode(out, raw, prefixes, raw.reg, raw.vvvv, raw.rm, raw.has_rex);
    else
        encode_plain(out, raw, prefixes, shape.opcode_register, raw.opcode_register, raw.has_rex);
    const std::size_t size = static_cast<std::size_t>(out.here() - bytes.data());
    const Reading reading = read_by_zydis({bytes.data(), size});
    EXPECT_TRUE(reading.valid) << text_of({bytes.data(), size});
    EXPECT_EQ(reading.instruction.length, size) << text_of({bytes.data(), size});
    return reading;
}

void expect_same_memory(const ZydisDecodedOperand& a, const ZydisDecodedOperand& b) {
    EXPECT_EQ(a.mem.type, b.mem.type);
    EXPECT_EQ(a.mem.base, b.mem.base);
    EXPECT_EQ(a.mem.index, b.mem.index);
    EXPECT_EQ(a.mem.disp.value, b.mem.disp.value);
    if (a.mem.index != ZYDIS_REGISTER_NONE) {
        EXPECT_EQ(a.mem.scale, b.mem.scale);
    }
}

void expect_same(const Reading& a, const Reading& b) {
    EXPECT_EQ(a.instruction.mnemonic, b.instruction.mnemonic);
    ASSERT_EQ(a.instruction.operand_count, b.instruction.operand_count);
    for (unsigned i = 0; i < a.instruction.operand_count; ++i) {
        SCOPED_TRACE("operand " + std::to_string(i));
        ASSERT_EQ(a.operands[i].type, b.operands[i].type);
        EXPECT_EQ(a.operands[i].size, b.operands[i].size);
        EXPECT_EQ(a.operands[i].actions, b.operands[i].actions);
        if (a.operands[i].type == ZYDIS_OPERAND_TYPE_REGISTER) {
            EXPECT_EQ(a.operands[i].reg.value, b.operands[i].reg.value);
        } else if (a.operands[i].type == ZYDIS_OPERAND_TYPE_MEMORY) {
            expect_same_memory(a.operands[i], b.operands[i]);
        } else if (a.operands[i].type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
            EXPECT_EQ(a.operands[i].imm.value.u, b.operands[i].imm.value.u);
        }
    }
}

template <class Check>
void for_each_sample(Check check) {
    for_each_native_sample(kSeed, kSamples, [&](const InstructionRow& row, const auto& sample) {
        ASSERT_TRUE(sample) << row.name << " has no valid instruction";
        SCOPED_TRACE(std::string(row.name) + ": " + text_of(sample->code()));
        check(*sample, take_apart(sample->bytes.data(), sample->decoded.op.length));
    });
}

TEST(RawInstruction, TakesApartAsZydisDoes) {
    for_each_sample([](const Sample& sample, const RawInstruction& raw) {
        const ZydisDecodedInstruction& zydis = sample.zydis.instruction;
        EXPECT_EQ(raw.opcode, zydis.opcode);
        EXPECT_EQ(raw.has_modrm, (zydis.attributes & ZYDIS_ATTRIB_HAS_MODRM) != 0);
        EXPECT_EQ(raw.vex, (zydis.attributes & ZYDIS_ATTRIB_HAS_VEX) != 0);
        EXPECT_EQ(raw.immediate_size * 8, zydis.raw.imm[0].size + zydis.raw.imm[1].size);
        if (!raw.vex) {
            EXPECT_EQ(raw.has_rex, (zydis.attributes & ZYDIS_ATTRIB_HAS_REX) != 0);
        }
        EXPECT_EQ(raw.rex_w, (raw.vex ? zydis.raw.vex.W : zydis.raw.rex.W) != 0);
        if (raw.has_modrm) {
            EXPECT_EQ(raw.mod, zydis.raw.modrm.mod);
            EXPECT_EQ(raw.reg & 7, zydis.raw.modrm.reg);
        }
    });
}

TEST(RawInstruction, IsTheSameWhenItIsEncodedAgain) {
    for_each_sample([](const Sample& sample, const RawInstruction& raw) {
        if (!sample.has_memory()) {
            expect_same(sample.zydis, again(sample, raw, nullptr));
        } else if (!is_rip_relative(sample.zydis) && !is_base_misread(sample.zydis)) {
            const Memory memory = memory_of(sample.zydis);
            expect_same(sample.zydis, again(sample, raw, &memory));
        }
    });
}

// With an address that the translator makes, the rest of the instruction stays what it is.
TEST(RawInstruction, KeepsItsOtherOperandsWhenTheAddressChanges) {
    static constexpr Memory kAddresses[] = {
        {.base = kHostR11, .index = kHostRCX},
        {.base = kHostR11},
        {.base = kHostRSP, .displacement = 0x1230},
    };
    for_each_sample([](const Sample& sample, const RawInstruction& raw) {
        if (!sample.has_memory())
            return;
        // A REX byte that the address needs changes the meaning of AH to BH.
        const bool high = shape_of(sample.decoded.instruction).reg == RegisterClass::kByte &&
                          !raw.has_rex && raw.reg >= 4;
        for (const Memory& address : kAddresses) {
            if (high && address.base == kHostR11)
                continue;
            Reading expected = sample.zydis;
            for (ZydisDecodedOperand& operand : expected.operands) {
                if (operand.encoding != ZYDIS_OPERAND_ENCODING_MODRM_RM)
                    continue;
                const auto name = [](u8 r) {
                    return r == kNoRegister ? ZYDIS_REGISTER_NONE
                                            : static_cast<ZydisRegister>(ZYDIS_REGISTER_RAX + r);
                };
                operand.mem.base = name(address.base);
                operand.mem.index = name(address.index);
                operand.mem.scale = 1;
                operand.mem.disp.value = address.displacement;
            }
            expect_same(expected, again(sample, raw, &address));
        }
    });
}

}  // namespace
}  // namespace uchronia::cpu::jit
