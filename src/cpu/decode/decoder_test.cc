// Hand-written corner cases of the decoder. decoder_zydis_test.cc compares it at random with
// another decoder.
#include "cpu/decode/decoder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "cpu/decode/encoding.h"
#include "cpu/state.h"

namespace uchronia::cpu {
namespace {

struct Case {
    DecodeStatus status;
    Decoded decoded;
    std::string name() const { return std::string(row_of(decoded.instruction).name); }
    const Op& op() const { return decoded.op; }
    bool has(u8 flag) const { return (decoded.op.flags & flag) != 0; }
};

Case decoded(std::initializer_list<int> list, CodeMode mode = CodeMode::k64, u16 offset = 0) {
    std::vector<u8> bytes;
    for (const int byte : list)
        bytes.push_back(static_cast<u8>(byte));
    Case result{};
    result.status = decode(bytes, mode, offset, result.decoded);
    return result;
}

void expect_undefined(std::initializer_list<int> list, CodeMode mode = CodeMode::k64) {
    const Case c = decoded(list, mode);
    EXPECT_EQ(c.status, DecodeStatus::kDone);
    EXPECT_EQ(c.name(), "kUndefined");
}

TEST(Encoding, EveryRowParses) {
    for (u16 i = 1; i < static_cast<u16>(Instruction::kCount); ++i) {
        const Result<Encoding> encoding = parse_encoding(row_of(Instruction{i}));
        EXPECT_TRUE(encoding.ok()) << (encoding.ok() ? "" : encoding.error().message);
    }
}

TEST(Encoding, NoTwoRowsHaveTheSameEncoding) {
    // But for those that 64-bit mode lacks, which may be something else there.
    std::vector<std::pair<std::string_view, bool>> encodings;
    for (u16 i = 1; i < static_cast<u16>(Instruction::kCount); ++i) {
        const InstructionRow& row = row_of(Instruction{i});
        encodings.emplace_back(row.encoding, (row.attributes & attribute::kInvalid64) != 0);
    }
    std::sort(encodings.begin(), encodings.end());
    const auto repeated = std::adjacent_find(encodings.begin(), encodings.end());
    EXPECT_TRUE(repeated == encodings.end()) << repeated->first;
}

TEST(Encoding, UnknownWordsAreErrors) {
    const auto parse = [](std::string_view encoding) {
        return parse_encoding({"X", encoding, Feature::kBase, 0, HostPolicy::kSame}).ok();
    };
    EXPECT_TRUE(parse("NP REX.W 0F AE /4 mem"));
    EXPECT_FALSE(parse("0F AE /8"));
    EXPECT_FALSE(parse("0F AE /r iq"));
    EXPECT_FALSE(parse("0F"));
    EXPECT_TRUE(parse("VEX.LIG.F3.0F3A.W1 00 /r is4"));
    EXPECT_FALSE(parse("VEX.512.NP.0F.W0 00 /r"));
    EXPECT_FALSE(parse("VEX.LZ.NP.0F 00 /r"));
    EXPECT_FALSE(parse(""));
}

TEST(Decoder, RegistersAreByteOffsets) {
    const Case add = decoded({0x49, 0x01, 0xc3});  // add r11, rax
    EXPECT_EQ(add.name(), "ADD_Ev_Gv");
    EXPECT_EQ(add.op().rm, 8 * kR11);
    EXPECT_EQ(add.op().reg, 8 * kRAX);
    EXPECT_EQ(add.op().length, 3);
    EXPECT_EQ(add.decoded.operand_size, 8);
    EXPECT_FALSE(add.has(op_flag::kMemory));
}

TEST(Decoder, HighByteRegistersOnlyWithoutREX) {
    EXPECT_EQ(decoded({0x00, 0xe7}).op().reg, 1);  // add bh, ah
    EXPECT_EQ(decoded({0x00, 0xe7}).op().rm, 25);
    EXPECT_EQ(decoded({0x40, 0x00, 0xe7}).op().reg, 8 * kRSP);  // add dil, spl
    EXPECT_EQ(decoded({0x40, 0x00, 0xe7}).op().rm, 8 * kRDI);
}

TEST(Decoder, REXCountsOnlyDirectlyBeforeTheOpcode) {
    EXPECT_EQ(decoded({0x48, 0x66, 0x01, 0xc0}).decoded.operand_size, 2);
    EXPECT_EQ(decoded({0x66, 0x48, 0x01, 0xc0}).decoded.operand_size, 8);
    EXPECT_EQ(decoded({0x48, 0x41, 0x01, 0xc0}).decoded.operand_size, 4);  // the last one counts
}

TEST(Decoder, OperandSizes) {
    EXPECT_EQ(decoded({0x50}).decoded.operand_size, 8);
    EXPECT_EQ(decoded({0x66, 0x50}).decoded.operand_size, 2);
    EXPECT_TRUE(decoded({0x66, 0x50}).has(op_flag::kOperand16));
    EXPECT_EQ(decoded({0x66, 0xe8, 0, 0, 0, 0}).decoded.operand_size, 8);
    EXPECT_EQ(decoded({0x66, 0xe8, 0, 0, 0, 0}).op().length, 6);
    EXPECT_EQ(decoded({0x66, 0x0f, 0x6e, 0xc0}).decoded.operand_size, 4);  // 66 is the opcode's
    EXPECT_EQ(decoded({0x66, 0xf3, 0x0f, 0xb8, 0xc0}).decoded.operand_size, 2);
}

TEST(Decoder, MemoryOperands) {
    const Case c =
        decoded({0x67, 0x64, 0x4b, 0x8b, 0x44, 0xe5, 0x80});  // mov rax, fs:[r13d+r12d*8-128]
    EXPECT_EQ(c.name(), "MOV_Gv_Ev");
    EXPECT_EQ(c.op().base, kR13);
    EXPECT_EQ(c.op().index, kR12);
    EXPECT_EQ(c.op().scale, 3);
    EXPECT_EQ(c.op().displacement, -128);
    EXPECT_EQ(c.op().segment, kFS);
    EXPECT_TRUE(c.has(op_flag::kAddress32));
    EXPECT_TRUE(c.has(op_flag::kMemory));
}

TEST(Decoder, SIBWithoutBaseOrIndex) {
    const Case c = decoded({0x8b, 0x04, 0x25, 0x78, 0x56, 0x34, 0x12});  // mov eax, [0x12345678]
    EXPECT_EQ(c.op().base, kZeroSlot);
    EXPECT_EQ(c.op().index, kZeroSlot);
    EXPECT_EQ(c.op().displacement, 0x12345678);
    EXPECT_EQ(c.op().segment, kFlatSegment);
}

TEST(Decoder, RIPRelativeIsRelativeToThePage) {
    const Case c = decoded({0xc7, 0x05, 0x10, 0, 0, 0, 1, 2, 3, 4}, CodeMode::k64, 0x100);
    EXPECT_EQ(c.op().base, kPageBaseSlot);
    EXPECT_EQ(c.op().displacement, 0x100 + 10 + 0x10);
    EXPECT_EQ(c.op().immediate, 0x04030201u);
    const Case narrow = decoded({0x67, 0x8b, 0x05, 0, 0, 0, 0}, CodeMode::k64, 0x100);
    EXPECT_EQ(narrow.op().base, kPageBaseSlot);
    EXPECT_TRUE(narrow.has(op_flag::kAddress32));
}

TEST(Decoder, BranchTargetsAreRelativeToThePage) {
    EXPECT_EQ(decoded({0xeb, 0xfe}, CodeMode::k64, 0x20).op().immediate, 0x20u);
    EXPECT_EQ(decoded({0xe9, 0xfb, 0xff, 0xff, 0xff}, CodeMode::k64, 0).op().immediate, 0u);
    EXPECT_EQ(decoded({0xeb, 0x80}, CodeMode::k64, 0).op().immediate, ~u64{0} - 125);
}

TEST(Decoder, Immediates) {
    EXPECT_EQ(decoded({0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8}).op().immediate, 0x0807060504030201u);
    EXPECT_EQ(decoded({0x6a, 0xff}).op().immediate, ~u64{0});
    EXPECT_EQ(decoded({0xc8, 0x34, 0x12, 0x07}).op().immediate, 0x071234u);  // enter 0x1234, 7
    const Case moffs = decoded({0x65, 0xa1, 1, 2, 3, 4, 5, 6, 7, 0xf8});
    EXPECT_EQ(moffs.op().immediate, 0xf807060504030201u);
    EXPECT_EQ(moffs.op().segment, kGS);
    EXPECT_EQ(moffs.op().base, kZeroSlot);
    EXPECT_TRUE(moffs.has(op_flag::kMemory));
    EXPECT_EQ(decoded({0x67, 0xa1, 1, 2, 3, 0xf4}).op().immediate, 0xf4030201u);
}

TEST(Decoder, MandatoryPrefixes) {
    EXPECT_EQ(decoded({0xf3, 0x0f, 0xbc, 0xc0}).name(), "TZCNT_Gv_Ev");
    EXPECT_EQ(decoded({0xf2, 0x0f, 0xbc, 0xc0}).name(), "BSF_Gv_Ev");
    EXPECT_EQ(decoded({0xf3, 0x0f, 0xb8, 0xc0}).name(), "POPCNT_Gv_Ev");
    expect_undefined({0x0f, 0xb8, 0xc0});
    EXPECT_EQ(decoded({0x66, 0xf2, 0x0f, 0x58, 0xc0}).name(), "ADDSD_Vsd_Wsd");
    EXPECT_EQ(decoded({0xf2, 0xf3, 0x0f, 0x58, 0xc0}).name(), "ADDSS_Vss_Wss");
    EXPECT_EQ(decoded({0xf3, 0xf2, 0x0f, 0x58, 0xc0}).name(), "ADDSD_Vsd_Wsd");
    expect_undefined({0x66, 0xf2, 0x0f, 0x6f, 0xc0});
    const Case crc = decoded({0x66, 0xf2, 0x0f, 0x38, 0xf1, 0xc0});
    EXPECT_EQ(crc.name(), "CRC32_Gy_Ev");
    EXPECT_EQ(crc.decoded.operand_size, 2);
    expect_undefined({0xf3, 0x0f, 0xc7, 0xf8});  // RDPID
    EXPECT_EQ(decoded({0x66, 0x0f, 0xc7, 0xf8}).name(), "RDSEED_Rv");
}

TEST(Decoder, PauseNopAndExchange) {
    EXPECT_EQ(decoded({0xf3, 0x90}).name(), "PAUSE");
    EXPECT_EQ(decoded({0x90}).name(), "XCHG_Zv_rAX");
    EXPECT_EQ(decoded({0x41, 0x90}).op().reg, 8 * kR8);
    EXPECT_EQ(decoded({0xf3, 0x41, 0x90}).name(), "XCHG_Zv_rAX");
}

TEST(Decoder, RepeatPrefixes) {
    EXPECT_TRUE(decoded({0xf3, 0xa4}).has(op_flag::kRep));
    EXPECT_TRUE(decoded({0xf2, 0xa6}).has(op_flag::kRepne));
    EXPECT_TRUE(decoded({0xf2, 0xa4}).has(op_flag::kRep));
    EXPECT_FALSE(decoded({0xf3, 0x01, 0xc0}).has(op_flag::kRep));
}

TEST(Decoder, LockNeedsALockableMemoryDestination) {
    EXPECT_TRUE(decoded({0xf0, 0x01, 0x00}).has(op_flag::kLock));
    expect_undefined({0xf0, 0x01, 0xc0});
    expect_undefined({0xf0, 0x03, 0x00});
    expect_undefined({0xf0, 0x90});
}

TEST(Decoder, UndefinedInLongMode) {
    expect_undefined({0x06});
    expect_undefined({0x62, 0xf1, 0x7c, 0x48});  // EVEX
    expect_undefined({0x8f, 0xe8, 0x78, 0xa2});  // XOP
    expect_undefined({0xce});                    // INTO
}

TEST(Decoder, VEXOperands) {
    const Case andn = decoded({0xc4, 0x42, 0x98, 0xf2, 0xc8});  // andn r9, r12, r8
    EXPECT_EQ(andn.name(), "ANDN_Gy_By_Ey");
    EXPECT_EQ(andn.op().reg, 8 * kR9);
    EXPECT_EQ(andn.op().rm, 8 * kR8);
    EXPECT_EQ(vex_vvvv(&andn.op()), 8 * kR12);
    EXPECT_EQ(andn.decoded.operand_size, 8);
    EXPECT_EQ(andn.op().length, 5);
    // rorx ecx, fs:[rip], -1: the immediate byte leaves the byte of VEX.vvvv alone.
    const Case rorx = decoded({0x64, 0xc4, 0xe3, 0x7b, 0xf0, 0x0d, 0, 0, 0, 0, 0xff});
    EXPECT_EQ(rorx.name(), "RORX_Gy_Ey_Ib");
    EXPECT_EQ(rorx.op().immediate, 0xffu);
    EXPECT_EQ(rorx.op().base, kPageBaseSlot);
    EXPECT_EQ(rorx.op().displacement, 11);
    EXPECT_EQ(rorx.op().segment, kFS);
    EXPECT_EQ(rorx.decoded.operand_size, 4);
}

TEST(Decoder, RegisterInAnImmediate) {
    const auto vblendvps = {0xc4, 0xe3, 0x71, 0x4a, 0xc2, 0xf0};
    EXPECT_EQ(vex_is4(&decoded(vblendvps).op()), 15);
    EXPECT_EQ(vex_is4(&decoded(vblendvps, CodeMode::k32).op()), 7);
}

TEST(Decoder, VEXIsUndefined) {
    EXPECT_EQ(decoded({0xc4, 0xe2, 0x38, 0xf2, 0xc0}).name(), "ANDN_Gy_By_Ey");
    for (const int prefix : {0x66, 0xf2, 0xf3, 0xf0, 0x48})
        expect_undefined({prefix, 0xc4, 0xe2, 0x38, 0xf2, 0xc0});
    expect_undefined({0xc4, 0xe2, 0x3c, 0xf2, 0xc0});        // VEX.L
    expect_undefined({0xc4, 0xe4, 0x38, 0xf2, 0xc0});        // map 4
    expect_undefined({0xc4, 0xe3, 0x73, 0xf0, 0xc0, 0x01});  // rorx with VEX.vvvv
    EXPECT_EQ(decoded({0xc5}).status, DecodeStatus::kNeedsMore);
    EXPECT_EQ(decoded({0xc4, 0xe2, 0x38}).status, DecodeStatus::kNeedsMore);
    EXPECT_EQ(decoded({0xc4, 0xe2, 0x38, 0xf2}).status, DecodeStatus::kNeedsMore);
    // LES, and VEX of eight registers, outside 64-bit mode.
    EXPECT_EQ(decoded({0xc4, 0x02, 0x38, 0xf2, 0xc0}, CodeMode::k32).name(), "LES_Gv_Mp");
    const Case legacy = decoded({0xc4, 0xc2, 0x38, 0xf2, 0xc0}, CodeMode::k32);
    EXPECT_EQ(legacy.name(), "ANDN_Gy_By_Ey");
    EXPECT_EQ(legacy.op().rm, 8 * kRAX);
}

TEST(Decoder, ControlDebugAndSegmentRegisters) {
    EXPECT_EQ(decoded({0x44, 0x0f, 0x20, 0xc0}).op().reg, 8);  // mov rax, cr8
    const Case c = decoded({0x0f, 0x20, 0x18});                // mod is ignored
    EXPECT_EQ(c.name(), "MOV_Ry_Cy");
    EXPECT_EQ(c.op().length, 3);
    EXPECT_FALSE(c.has(op_flag::kMemory));
    expect_undefined({0x0f, 0x20, 0xc8});        // CR1
    expect_undefined({0x44, 0x0f, 0x21, 0xc0});  // DR8
    expect_undefined({0x8e, 0xc8});              // mov cs, ax
    EXPECT_EQ(decoded({0x8c, 0xc8}).op().reg, kCS);
    expect_undefined({0x8c, 0xf0});
}

TEST(Decoder, FarPointersAreInMemory) {
    const Case lss = decoded({0x4c, 0x0f, 0xb2, 0x03});  // lss r8, [rbx]
    EXPECT_EQ(lss.name(), "LSS_Gv_Mp");
    EXPECT_EQ(lss.op().reg, 8 * kR8);
    EXPECT_EQ(lss.op().base, kRBX);
    EXPECT_EQ(decoded({0x0f, 0xb4, 0x03}).name(), "LFS_Gv_Mp");
    const Case lgs = decoded({0x66, 0x0f, 0xb5, 0x03});
    EXPECT_EQ(lgs.name(), "LGS_Gv_Mp");
    EXPECT_TRUE(lgs.has(op_flag::kOperand16));
    EXPECT_FALSE(decoded({0x66, 0x48, 0x0f, 0xb5, 0x03}).has(op_flag::kOperand16));
    for (const int opcode : {0xb2, 0xb4, 0xb5}) {
        expect_undefined({0x0f, opcode, 0xc3});
        expect_undefined({0xf0, 0x0f, opcode, 0x03});
    }
    EXPECT_EQ(decoded({0xc4, 0x03}, CodeMode::k32).name(), "LES_Gv_Mp");
    EXPECT_EQ(decoded({0xc5, 0x03}, CodeMode::k16).name(), "LDS_Gv_Mp");
}

TEST(Decoder, LengthLimits) {
    const auto prefixed = [](std::size_t prefix_count) {
        std::vector<u8> bytes(prefix_count, 0x66);
        bytes.push_back(0x90);
        Decoded d;
        return decode(bytes, CodeMode::k64, 0, d);
    };
    EXPECT_EQ(prefixed(14), DecodeStatus::kDone);
    EXPECT_EQ(prefixed(15), DecodeStatus::kTooLong);
    EXPECT_EQ(decoded({}).status, DecodeStatus::kNeedsMore);
    EXPECT_EQ(decoded({0x48}).status, DecodeStatus::kNeedsMore);
    EXPECT_EQ(decoded({0x0f}).status, DecodeStatus::kNeedsMore);
    EXPECT_EQ(decoded({0x8b}).status, DecodeStatus::kNeedsMore);
    EXPECT_EQ(decoded({0x8b, 0x04}).status, DecodeStatus::kNeedsMore);
    EXPECT_EQ(decoded({0x8b, 0x45}).status, DecodeStatus::kNeedsMore);
    EXPECT_EQ(decoded({0xb8, 1, 2, 3}).status, DecodeStatus::kNeedsMore);
}

TEST(Decoder, LegacyModes) {
    const Case c = decoded({0x8b, 0x45, 0x08}, CodeMode::k32);  // mov eax, [ebp+8]
    EXPECT_EQ(c.op().segment, kSS);
    EXPECT_TRUE(c.has(op_flag::kAddress32));
    EXPECT_EQ(decoded({0x3e, 0x8b, 0x45, 0x08}, CodeMode::k32).op().segment, kDS);
    EXPECT_EQ(decoded({0x8b, 0x05, 1, 0, 0, 0}, CodeMode::k32).op().base, kZeroSlot);
    EXPECT_EQ(decoded({0x01, 0xc0}, CodeMode::k16).decoded.operand_size, 2);
    EXPECT_EQ(decoded({0x66, 0x01, 0xc0}, CodeMode::k16).decoded.operand_size, 4);
    EXPECT_EQ(decoded({0xce}, CodeMode::k32).name(), "INTO");
    EXPECT_EQ(decoded({0x82, 0xc0, 0x01}, CodeMode::k32).name(), "ADD_Eb_Ib");
    EXPECT_EQ(decoded({0x63, 0xc0}, CodeMode::k32).name(), "ARPL_Ew_Gw");
    EXPECT_EQ(decoded({0x0f, 0x20, 0xc0}, CodeMode::k16).decoded.operand_size, 4);
    const Case far_jump = decoded({0xea, 0x34, 0x12, 0x78, 0x56}, CodeMode::k16);
    EXPECT_EQ(far_jump.name(), "JMPF_Ap");
    EXPECT_EQ(far_jump.op().immediate, 0x56781234u);
    const Case moffs = decoded({0xa0, 0xff, 0xff}, CodeMode::k16);
    EXPECT_EQ(moffs.op().immediate, 0xffffu);
}

TEST(Decoder, SixteenBitAddresses) {
    const Case direct = decoded({0x8b, 0x06, 0xfe, 0xff}, CodeMode::k16);  // mov ax, [0xfffe]
    EXPECT_EQ(direct.op().base, kZeroSlot);
    EXPECT_EQ(direct.op().displacement, -2);
    EXPECT_EQ(direct.op().segment, kDS);
    EXPECT_FALSE(direct.has(op_flag::kAddress32));
    EXPECT_TRUE(direct.has(op_flag::kLegacy));
    const Case both = decoded({0x8b, 0x43, 0x80}, CodeMode::k16);  // mov ax, [bp+di-128]
    EXPECT_EQ(both.op().base, kRBP);
    EXPECT_EQ(both.op().index, kRDI);
    EXPECT_EQ(both.op().displacement, -128);
    EXPECT_EQ(both.op().segment, kSS);
    EXPECT_EQ(decoded({0x67, 0x8b, 0x04}, CodeMode::k32).op().base, kRSI);
    EXPECT_EQ(decoded({0x67, 0x8b, 0x04}, CodeMode::k32).op().length, 3);
    EXPECT_TRUE(decoded({0x67, 0x8b, 0x00}, CodeMode::k16).has(op_flag::kAddress32));
    expect_undefined({0xc4, 0xe2, 0x69, 0x90, 0x04, 0x08}, CodeMode::k16);  // a gather has a SIB
}

}  // namespace
}  // namespace uchronia::cpu
