// What the assembler writes, as Zydis reads it.
#include "cpu/jit/assembler.h"

#include <gtest/gtest.h>

#include <functional>

#include "cpu/jit/zydis_testing.h"

namespace uchronia::cpu::jit {
namespace {

constexpr u64 kSeed = 0x5eed'0012;

ZydisRegister name64(u8 r) {
    return r == kNoRegister ? ZYDIS_REGISTER_NONE
                            : static_cast<ZydisRegister>(ZYDIS_REGISTER_RAX + r);
}
ZydisRegister name32(u8 r) {
    return static_cast<ZydisRegister>(ZYDIS_REGISTER_EAX + r);
}

// The one instruction that `write` writes.
Reading written(const std::function<void(Assembler&)>& write) {
    std::array<u8, 32> bytes{};
    Assembler out(bytes.data());
    write(out);
    const std::size_t size = static_cast<std::size_t>(out.here() - bytes.data());
    const Reading reading = read_by_zydis({bytes.data(), size});
    EXPECT_TRUE(reading.valid) << text_of({bytes.data(), size});
    EXPECT_EQ(reading.instruction.length, size) << text_of({bytes.data(), size});
    return reading;
}

void expect_register(const ZydisDecodedOperand& operand, ZydisRegister r) {
    ASSERT_EQ(operand.type, ZYDIS_OPERAND_TYPE_REGISTER);
    EXPECT_EQ(operand.reg.value, r) << ZydisRegisterGetString(operand.reg.value);
}

void expect_memory(const ZydisDecodedOperand& operand, const Memory& m, unsigned bits) {
    ASSERT_EQ(operand.type, ZYDIS_OPERAND_TYPE_MEMORY);
    EXPECT_EQ(operand.mem.base, name64(m.base));
    EXPECT_EQ(operand.mem.index, name64(m.index));
    EXPECT_EQ(operand.mem.disp.value, m.displacement);
    if (m.index != kNoRegister) {
        EXPECT_EQ(operand.mem.scale, 1 << m.scale);
    }
    if (operand.mem.type == ZYDIS_MEMOP_TYPE_MEM) {
        EXPECT_EQ(operand.size, bits);
        EXPECT_EQ(operand.mem.segment == ZYDIS_REGISTER_GS, m.gs);
    }
}

void expect_number(const ZydisDecodedOperand& operand, i64 number) {
    ASSERT_EQ(operand.type, ZYDIS_OPERAND_TYPE_IMMEDIATE);
    EXPECT_EQ(operand.imm.value.s, number);
}

std::vector<Memory> addresses() {
    std::vector<Memory> all;
    Random random(kSeed);
    static constexpr i32 kDisplacements[] = {0, 1, -1, 127, 128, -128, -129, 0x1234'5678};
    for (unsigned base = 0; base <= 16; ++base) {
        for (unsigned index = 0; index <= 16; ++index) {
            if (index == kHostRSP)
                continue;
            Memory m;
            m.base = base == 16 ? kNoRegister : static_cast<HostRegister>(base);
            m.index = index == 16 ? kNoRegister : static_cast<HostRegister>(index);
            m.scale = index == 16 ? u8{0} : static_cast<u8>(random.below(4));
            m.displacement = kDisplacements[random.below(std::size(kDisplacements))];
            m.gs = random.one_in(4);
            all.push_back(m);
        }
    }
    return all;
}

template <class Check>
void for_each_register(Check check) {
    for (u8 r = 0; r < 16; ++r)
        check(static_cast<HostRegister>(r));
}

TEST(Assembler, OperationsOnTwoRegisters) {
    struct Row {
        ZydisMnemonic mnemonic;
        void (*write)(Assembler&, HostRegister, HostRegister);
        unsigned bits;
    };
    static constexpr Row kRows[] = {
        {ZYDIS_MNEMONIC_MOV, [](Assembler& out, auto a, auto b) { out.move(a, b); }, 64},
        {ZYDIS_MNEMONIC_MOV, [](Assembler& out, auto a, auto b) { out.move32(a, b); }, 32},
        {ZYDIS_MNEMONIC_XOR, [](Assembler& out, auto a, auto b) { out.xor_(a, b); }, 64},
        {ZYDIS_MNEMONIC_CMP, [](Assembler& out, auto a, auto b) { out.compare(a, b); }, 64},
    };
    for (const Row& row : kRows) {
        for_each_register([&](HostRegister a) {
            for_each_register([&](HostRegister b) {
                const Reading reading = written([&](Assembler& out) { row.write(out, a, b); });
                EXPECT_EQ(reading.instruction.mnemonic, row.mnemonic);
                expect_register(reading.operands[0], row.bits == 64 ? name64(a) : name32(a));
                expect_register(reading.operands[1], row.bits == 64 ? name64(b) : name32(b));
            });
        });
    }
}

TEST(Assembler, TestOfTwoRegistersHasNoOrder) {
    for_each_register([](HostRegister a) {
        const Reading reading = written([&](Assembler& out) { out.test(a, kHostR9); });
        EXPECT_EQ(reading.instruction.mnemonic, ZYDIS_MNEMONIC_TEST);
        expect_register(reading.operands[0], ZYDIS_REGISTER_R9);
        expect_register(reading.operands[1], name64(a));
    });
}

TEST(Assembler, OperationsOnMemory) {
    struct Row {
        ZydisMnemonic mnemonic;
        void (*write)(Assembler&, HostRegister, const Memory&);
        unsigned bits;
        unsigned memory;  // which operand it is
    };
    static constexpr Row kRows[] = {
        {ZYDIS_MNEMONIC_MOV, [](Assembler& o, auto r, auto& m) { o.load(r, m); }, 64, 1},
        {ZYDIS_MNEMONIC_MOV, [](Assembler& o, auto r, auto& m) { o.load32(r, m); }, 32, 1},
        {ZYDIS_MNEMONIC_MOV, [](Assembler& o, auto r, auto& m) { o.store(m, r); }, 64, 0},
        {ZYDIS_MNEMONIC_MOV, [](Assembler& o, auto r, auto& m) { o.store32(m, r); }, 32, 0},
        {ZYDIS_MNEMONIC_LEA, [](Assembler& o, auto r, auto& m) { o.lea(r, m); }, 64, 1},
        {ZYDIS_MNEMONIC_ADD, [](Assembler& o, auto r, auto& m) { o.add(r, m); }, 64, 1},
        {ZYDIS_MNEMONIC_AND, [](Assembler& o, auto r, auto& m) { o.and_(r, m); }, 64, 1},
        {ZYDIS_MNEMONIC_XOR, [](Assembler& o, auto r, auto& m) { o.xor_(r, m); }, 64, 1},
        {ZYDIS_MNEMONIC_CMP, [](Assembler& o, auto r, auto& m) { o.compare(r, m); }, 64, 1},
    };
    Random random(kSeed);
    for (const Row& row : kRows) {
        for (const Memory& m : addresses()) {
            const HostRegister r = static_cast<HostRegister>(random.below(16));
            const Reading reading = written([&](Assembler& out) { row.write(out, r, m); });
            EXPECT_EQ(reading.instruction.mnemonic, row.mnemonic);
            expect_memory(reading.operands[row.memory], m, row.bits);
            expect_register(reading.operands[1 - row.memory],
                            row.bits == 64 ? name64(r) : name32(r));
        }
    }
}

TEST(Assembler, BranchesThroughMemory) {
    for (Memory m : addresses()) {
        m.gs = false;
        const Reading call = written([&](Assembler& out) { out.call(m); });
        EXPECT_EQ(call.instruction.mnemonic, ZYDIS_MNEMONIC_CALL);
        expect_memory(call.operands[0], m, 64);
        const Reading jump = written([&](Assembler& out) { out.jump(m); });
        EXPECT_EQ(jump.instruction.mnemonic, ZYDIS_MNEMONIC_JMP);
        expect_memory(jump.operands[0], m, 64);
        const Reading compare = written([&](Assembler& out) { out.compare32(m, -5); });
        EXPECT_EQ(compare.instruction.mnemonic, ZYDIS_MNEMONIC_CMP);
        expect_memory(compare.operands[0], m, 32);
        expect_number(compare.operands[1], -5);
    }
}

TEST(Assembler, OperationsWithANumber) {
    struct Row {
        ZydisMnemonic mnemonic;
        void (*write)(Assembler&, HostRegister, i32);
        unsigned bits;
    };
    static constexpr Row kRows[] = {
        {ZYDIS_MNEMONIC_ADD, [](Assembler& out, auto r, i32 n) { out.add(r, n); }, 64},
        {ZYDIS_MNEMONIC_SUB, [](Assembler& out, auto r, i32 n) { out.sub(r, n); }, 64},
        {ZYDIS_MNEMONIC_AND, [](Assembler& out, auto r, i32 n) { out.and_(r, n); }, 64},
        {ZYDIS_MNEMONIC_AND, [](Assembler& out, auto r, i32 n) { out.and32(r, n); }, 32},
        {ZYDIS_MNEMONIC_TEST,
         [](Assembler& out, auto r, i32 n) { out.test32(r, static_cast<u32>(n)); }, 32},
    };
    for (const Row& row : kRows) {
        for_each_register([&](HostRegister r) {
            for (const i32 number : {0, 1, -1, 127, 128, -128, -129, 0x7fff'ffff}) {
                const Reading reading = written([&](Assembler& out) { row.write(out, r, number); });
                EXPECT_EQ(reading.instruction.mnemonic, row.mnemonic);
                expect_register(reading.operands[0], row.bits == 64 ? name64(r) : name32(r));
                if (row.bits == 64)
                    expect_number(reading.operands[1], number);
                else
                    EXPECT_EQ(static_cast<i32>(reading.operands[1].imm.value.s), number);
            }
        });
    }
}

TEST(Assembler, TestOfALowByte) {
    for_each_register([](HostRegister r) {
        const Reading reading = written([&](Assembler& out) { out.test_low_byte(r, 0x1f); });
        EXPECT_EQ(reading.instruction.mnemonic, ZYDIS_MNEMONIC_TEST);
        ASSERT_EQ(reading.operands[0].size, 8);
        const ZydisRegister whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64,
                                                                     reading.operands[0].reg.value);
        EXPECT_EQ(whole, name64(r));
        EXPECT_TRUE(reading.operands[0].reg.value < ZYDIS_REGISTER_AH ||
                    reading.operands[0].reg.value > ZYDIS_REGISTER_BH);
        EXPECT_EQ(reading.operands[1].imm.value.u & 0xff, 0x1fu);
    });
}

TEST(Assembler, Shifts) {
    struct Row {
        ZydisMnemonic mnemonic;
        void (*write)(Assembler&, HostRegister, u8);
        unsigned bits;
    };
    static constexpr Row kRows[] = {
        {ZYDIS_MNEMONIC_SHL, [](Assembler& out, auto r, u8 n) { out.shift_left(r, n); }, 64},
        {ZYDIS_MNEMONIC_SHL, [](Assembler& out, auto r, u8 n) { out.shift_left32(r, n); }, 32},
        {ZYDIS_MNEMONIC_SAR, [](Assembler& out, auto r, u8 n) { out.shift_right_signed(r, n); },
         64},
    };
    for (const Row& row : kRows) {
        for_each_register([&](HostRegister r) {
            const Reading reading = written([&](Assembler& out) { row.write(out, r, 13); });
            EXPECT_EQ(reading.instruction.mnemonic, row.mnemonic);
            expect_register(reading.operands[0], row.bits == 64 ? name64(r) : name32(r));
            expect_number(reading.operands[1], 13);
        });
    }
}

TEST(Assembler, Rotations) {
    for_each_register([](HostRegister to) {
        for_each_register([&](HostRegister from) {
            const Reading reading = written([&](Assembler& out) { out.rorx(to, from, 11); });
            EXPECT_EQ(reading.instruction.mnemonic, ZYDIS_MNEMONIC_RORX);
            expect_register(reading.operands[0], name64(to));
            expect_register(reading.operands[1], name64(from));
            expect_number(reading.operands[2], 11);
        });
    });
}

TEST(Assembler, OperationsOnOneRegister) {
    struct Row {
        ZydisMnemonic mnemonic;
        void (*write)(Assembler&, HostRegister);
    };
    static constexpr Row kRows[] = {
        {ZYDIS_MNEMONIC_PUSH, [](Assembler& out, auto r) { out.push(r); }},
        {ZYDIS_MNEMONIC_POP, [](Assembler& out, auto r) { out.pop(r); }},
        {ZYDIS_MNEMONIC_CALL, [](Assembler& out, auto r) { out.call(r); }},
        {ZYDIS_MNEMONIC_JMP, [](Assembler& out, auto r) { out.jump(r); }},
    };
    for (const Row& row : kRows) {
        for_each_register([&](HostRegister r) {
            const Reading reading = written([&](Assembler& out) { row.write(out, r); });
            EXPECT_EQ(reading.instruction.mnemonic, row.mnemonic);
            expect_register(reading.operands[0], name64(r));
        });
    }
}

TEST(Assembler, BranchesLeadToTheirTargets) {
    std::array<u8, 64> bytes{};
    Assembler out(bytes.data());
    const Jump forward = out.jump();
    const Jump conditional = out.jump_if(condition::kSign);
    const u8* back = out.here();
    out.jump(bytes.data());
    const u8* back_if = out.here();
    out.jump_if(condition::kZero, back);
    out.bind(forward);
    out.bind(conditional);
    const u8* end = out.here();

    const auto target = [&](const u8* at, ZydisMnemonic mnemonic) -> const u8* {
        const Reading reading = read_by_zydis({at, 15});
        EXPECT_TRUE(reading.valid);
        EXPECT_EQ(reading.instruction.mnemonic, mnemonic);
        return at + reading.instruction.length + reading.operands[0].imm.value.s;
    };
    EXPECT_EQ(target(bytes.data(), ZYDIS_MNEMONIC_JMP), end);
    EXPECT_EQ(target(bytes.data() + 5, ZYDIS_MNEMONIC_JS), end);
    EXPECT_EQ(target(back, ZYDIS_MNEMONIC_JMP), bytes.data());
    EXPECT_EQ(target(back_if, ZYDIS_MNEMONIC_JZ), back);
}

}  // namespace
}  // namespace uchronia::cpu::jit
