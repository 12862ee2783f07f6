// What the translator believes of the rows that the host executes, against what Zydis says of
// random instructions of these rows.
#include "cpu/jit/shape.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>

#include "cpu/decode/flag_use.h"
#include "cpu/jit/raw_instruction.h"
#include "cpu/jit/zydis_testing.h"

namespace uchronia::cpu::jit {
namespace {

constexpr u64 kSeed = 0x5eed'0010;
constexpr unsigned kSamples = 60;

// By the shape.
unsigned memory_size(const Shape& shape, const Sample& sample) {
    return memory_size(shape, sample.decoded,
                       take_apart(sample.bytes.data(), sample.decoded.op.length));
}

template <class Check>
void check_all(Check check) {
    for_each_native_sample(kSeed, kSamples, [&](const InstructionRow& row, const auto& sample) {
        ASSERT_TRUE(sample) << row.name << " has no valid instruction";
        SCOPED_TRACE(std::string(row.name) + ": " + text_of(sample->code()));
        check(*sample, shape_of(sample->decoded.instruction));
    });
}

bool is_written(const ZydisDecodedOperand& operand) {
    return (operand.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0;
}

TEST(Shape, MemoryOperandsHaveTheirSize) {
    check_all([](const Sample& sample, const Shape& shape) {
        if (!sample.has_memory())
            return;
        const ZydisDecodedOperand* memory = sample.zydis.operand(ZYDIS_OPERAND_ENCODING_MODRM_RM);
        ASSERT_NE(memory, nullptr);
        EXPECT_EQ(memory_size(shape, sample), memory->size / 8u);
    });
}

TEST(Shape, WrittenOperandsAreKnown) {
    check_all([](const Sample& sample, const Shape& shape) {
        for (const ZydisDecodedOperand& operand : sample.zydis.all()) {
            const bool memory = operand.type == ZYDIS_OPERAND_TYPE_MEMORY;
            bool expected = is_written(operand);
            switch (operand.encoding) {
                case ZYDIS_OPERAND_ENCODING_MODRM_REG:
                case ZYDIS_OPERAND_ENCODING_OPCODE:
                    expected = shape.writes_reg;
                    break;
                case ZYDIS_OPERAND_ENCODING_MODRM_RM:
                    expected = memory ? shape.writes_memory : shape.writes_rm;
                    break;
                case ZYDIS_OPERAND_ENCODING_NDSNDD:
                    expected = shape.writes_vvvv;
                    break;
                default:
                    continue;
            }
            EXPECT_EQ(expected, is_written(operand)) << "operand " << int{operand.id};
        }
    });
}

RegisterClass class_of(ZydisRegister r) {
    switch (ZydisRegisterGetClass(r)) {
        case ZYDIS_REGCLASS_GPR8:
            return RegisterClass::kByte;
        case ZYDIS_REGCLASS_GPR16:
        case ZYDIS_REGCLASS_GPR32:
        case ZYDIS_REGCLASS_GPR64:
            return RegisterClass::kGeneral;
        default:
            return RegisterClass::kVector;
    }
}

TEST(Shape, RegisterClassesAreThoseOfTheOperands) {
    check_all([](const Sample& sample, const Shape& shape) {
        for (const ZydisDecodedOperand& operand : sample.zydis.all()) {
            if (operand.type != ZYDIS_OPERAND_TYPE_REGISTER)
                continue;
            RegisterClass known = RegisterClass::kAbsent;
            switch (operand.encoding) {
                case ZYDIS_OPERAND_ENCODING_OPCODE:
                case ZYDIS_OPERAND_ENCODING_MODRM_REG:
                    known = shape.reg;
                    break;
                case ZYDIS_OPERAND_ENCODING_MODRM_RM:
                    known = shape.rm;
                    break;
                case ZYDIS_OPERAND_ENCODING_NDSNDD:
                    known = shape.vvvv;
                    break;
                default:
                    continue;
            }
            EXPECT_EQ(known, class_of(operand.reg.value)) << "operand " << int{operand.id};
        }
        // XCHG of rAX with itself names no register: it is NOP.
        const bool named = sample.zydis.operand(ZYDIS_OPERAND_ENCODING_OPCODE) != nullptr ||
                           sample.zydis.instruction.mnemonic == ZYDIS_MNEMONIC_NOP;
        EXPECT_EQ(shape.opcode_register, named);
    });
}

// A register that only an instruction's name tells is in its home, but for rcx, rsp and r8-r11; and
// memory that has no ModRM is not checked.
TEST(Shape, NothingElseIsTouched) {
    check_all([](const Sample& sample, const Shape& shape) {
        for (const ZydisDecodedOperand& operand : sample.zydis.all()) {
            if (operand.encoding != ZYDIS_OPERAND_ENCODING_NONE)
                continue;
            EXPECT_NE(operand.type, ZYDIS_OPERAND_TYPE_MEMORY);
            if (operand.type != ZYDIS_OPERAND_TYPE_REGISTER)
                continue;
            const ZydisRegister r =
                ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, operand.reg.value);
            if (ZydisRegisterGetClass(r) != ZYDIS_REGCLASS_GPR64)
                continue;
            const bool home =
                r == ZYDIS_REGISTER_RAX || r == ZYDIS_REGISTER_RDX || r == ZYDIS_REGISTER_RBX;
            const bool count =
                r == ZYDIS_REGISTER_RCX &&
                (is_written(operand) ? shape.writes_rcx : shape.uses_cl || shape.uses_rcx);
            EXPECT_TRUE(home || count) << ZydisRegisterGetString(r);
        }
    });
}

TEST(Shape, WhatVendorsComputeDifferentlyIsNotNative) {
    for (u16 i = 1; i < static_cast<u16>(Instruction::kCount); ++i) {
        const InstructionRow& row = row_of(Instruction{i});
        if (row.host == HostPolicy::kNaNChoice || row.host == HostPolicy::kApproximate ||
            row.host == HostPolicy::kTranscendental) {
            EXPECT_EQ(shape_of(Instruction{i}).kind, Kind::kHelper) << row.name;
        }
    }
}

TEST(Shape, AlignmentIsThatOfTheManuals) {
    check_all([](const Sample& sample, const Shape& shape) {
        if (!sample.has_memory())
            return;
        const std::string_view mnemonic = ZydisMnemonicGetString(sample.zydis.instruction.mnemonic);
        // Intel calls these type 4, with a note that they need no alignment.
        static constexpr std::string_view kExceptions[] = {"movupd",    "movups",    "movdqu",
                                                           "lddqu",     "pcmpestri", "pcmpestrm",
                                                           "pcmpistri", "pcmpistrm"};
        const bool excepted = std::find(std::begin(kExceptions), std::end(kExceptions), mnemonic) !=
                              std::end(kExceptions);
        const ZydisExceptionClass type = sample.zydis.instruction.meta.exception_class;
        const bool legacy = type == ZYDIS_EXCEPTION_CLASS_SSE1 ||
                            type == ZYDIS_EXCEPTION_CLASS_SSE2 ||
                            type == ZYDIS_EXCEPTION_CLASS_SSE4;
        const bool aligned = (legacy && !excepted && memory_size(shape, sample) == 16) ||
                             type == ZYDIS_EXCEPTION_CLASS_AVX1 || mnemonic == "cmpxchg16b";
        EXPECT_EQ(shape.aligned, aligned) << "exception class " << type;
    });
}

TEST(Shape, FlagsAreWrittenWhereTheyChange) {
    check_all([](const Sample& sample, const Shape& shape) {
        const FlagUse use = flag_use(sample.decoded);
        EXPECT_TRUE(shape.writes_flags || use.kills == 0) << "it kills flags";
        const ZydisAccessedFlags* flags = sample.zydis.instruction.cpu_flags;
        ASSERT_NE(flags, nullptr);
        const u32 changed = (flags->modified | flags->set_0 | flags->set_1 | flags->undefined) &
                            (ZYDIS_CPUFLAG_CF | ZYDIS_CPUFLAG_PF | ZYDIS_CPUFLAG_AF |
                             ZYDIS_CPUFLAG_ZF | ZYDIS_CPUFLAG_SF | ZYDIS_CPUFLAG_OF);
        EXPECT_EQ(shape.writes_flags, changed != 0) << "changed by Zydis: " << changed;
    });
}

TEST(Shape, OnlyDivisionsRaiseTheirFault) {
    check_all([](const Sample& sample, const Shape& shape) {
        const ZydisMnemonic mnemonic = sample.zydis.instruction.mnemonic;
        EXPECT_EQ(shape.may_divide,
                  mnemonic == ZYDIS_MNEMONIC_DIV || mnemonic == ZYDIS_MNEMONIC_IDIV);
        EXPECT_EQ(sample.zydis.instruction.attributes & ZYDIS_ATTRIB_IS_PRIVILEGED, 0u);
    });
}

TEST(Shape, BlocksEndWithTheirLastInstruction) {
    for (u16 i = 1; i < static_cast<u16>(Instruction::kCount); ++i) {
        const bool ends =
            (row_of(Instruction{i}).attributes & (attribute::kEnd | attribute::kAlone)) != 0;
        const Kind kind = shape_of(Instruction{i}).kind;
        if (kind == Kind::kSystem)
            continue;  // either; by the row's attributes
        const bool leaves =
            kind == Kind::kHelperEnd ||
            (kind >= Kind::kJump && kind != Kind::kSwapGS && kind != Kind::kPushFlags);
        EXPECT_EQ(leaves, ends) << row_of(Instruction{i}).name;
    }
}

}  // namespace
}  // namespace uchronia::cpu::jit
