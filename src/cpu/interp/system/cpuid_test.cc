#include "cpu/interp/system/cpuid.h"

#include <gtest/gtest.h>

#include <string>

namespace uchronia::cpu::interp {
namespace {

using enum CPUModel;

std::string text_of(std::initializer_list<u32> words) {
    std::string text;
    for (const u32 word : words)
        for (unsigned i = 0; i < 4; ++i)
            text.push_back(static_cast<char>(word >> (8 * i)));
    return text.substr(0, text.find('\0'));
}

TEST(CPUID, NamesTheVendorTheBrandAndTheHypervisors) {
    const CPUState state;
    const CPUIDResult vendor = cpuid(kV3, state, 0, 0, 0);
    EXPECT_EQ(text_of({vendor.ebx, vendor.edx, vendor.ecx}), "AuthenticAMD");
    const CPUIDResult extended = cpuid(kV3, state, 0, 0x80000000, 0);
    EXPECT_EQ(text_of({extended.ebx, extended.edx, extended.ecx}), "AuthenticAMD");
    std::string brand;
    for (u32 leaf = 0x80000002; leaf <= 0x80000004; ++leaf) {
        const CPUIDResult part = cpuid(kV3, state, 0, leaf, 0);
        brand += text_of({part.eax, part.ebx, part.ecx, part.edx});
    }
    EXPECT_EQ(brand, "Uchronia virtual CPU v3");
    const CPUIDResult kvm = cpuid(kV3, state, 0, 0x40000000, 0);
    EXPECT_EQ(text_of({kvm.ebx, kvm.ecx, kvm.edx}), "KVMKVMKVM");
    const CPUIDResult own = cpuid(kV3, state, 0, 0x40000100, 0);
    EXPECT_EQ(text_of({own.ebx, own.ecx, own.edx}), "UchroniaVM");
}

TEST(CPUID, IsFamily19hModel1) {
    const u32 signature = cpuid(kV3, {}, 0, 1, 0).eax;
    EXPECT_EQ(((signature >> 8) & 0xf) + ((signature >> 20) & 0xff), 0x19u);
    EXPECT_EQ(((signature >> 4) & 0xf) | ((signature >> 12) & 0xf0), 1u);
    EXPECT_EQ(cpuid(kV3, {}, 0, 0x80000001, 0).eax, signature);
}

TEST(CPUID, HasWhatX8664V2Needs) {
    for (const Feature feature :
         {Feature::kCMOV, Feature::kFPU, Feature::kMMX, Feature::kSSE, Feature::kSSE2,
          Feature::kSSE3, Feature::kSSSE3, Feature::kSSE41, Feature::kSSE42, Feature::kPOPCNT,
          Feature::kCX16, Feature::kLAHF, Feature::kFXSR, Feature::kSYSCALL, Feature::kXSAVE,
          Feature::kFSGSBASE, Feature::kSMAP, Feature::kRDRAND, Feature::kRDSEED})
        EXPECT_TRUE(model_has(kV2, feature)) << static_cast<int>(feature);
}

TEST(CPUID, LacksWhatHasNoRows) {
    constexpr u32 kMONITOR = 1u << 3, kSVM = 1u << 2, kINVPCID = 1u << 10, kADX = 1u << 19,
                  kSHA = 1u << 29, kRDPID = 1u << 22;
    EXPECT_EQ(cpuid(kV3, {}, 0, 1, 0).ecx & kMONITOR, 0u);
    EXPECT_EQ(cpuid(kV3, {}, 0, 7, 0).ebx & (kINVPCID | kADX | kSHA), 0u);
    EXPECT_EQ(cpuid(kV3, {}, 0, 7, 0).ecx & kRDPID, 0u);
    EXPECT_EQ(cpuid(kV3, {}, 0, 0x80000001, 0).ecx & kSVM, 0u);
}

TEST(CPUID, HasWhatX8664V3Needs) {
    for (const Feature feature :
         {Feature::kAVX, Feature::kAVX2, Feature::kFMA, Feature::kF16C, Feature::kBMI1,
          Feature::kBMI2, Feature::kLZCNT, Feature::kMOVBE}) {
        EXPECT_TRUE(model_has(kV3, feature)) << static_cast<int>(feature);
        EXPECT_FALSE(model_has(kV2, feature)) << static_cast<int>(feature);
    }
    for (u32 leaf = 0; leaf < 0x17; ++leaf) {
        if (leaf != 1 && leaf != 7 && leaf != 0xd) {
            EXPECT_EQ(cpuid(kV2, {}, 0, leaf, 0), cpuid(kV3, {}, 0, leaf, 0)) << leaf;
        }
    }
}

TEST(CPUID, HasTheFeatureOfEveryRow) {
    for (u16 i = 1; i < static_cast<u16>(Instruction::kCount); ++i) {
        const InstructionRow& row = row_of(static_cast<Instruction>(i));
        EXPECT_TRUE(model_has(kV3, row.feature)) << row.name;
    }
}

TEST(CPUID, RepeatsTheCommonBitsInTheExtendedLeaf) {
    const u32 standard = cpuid(kV3, {}, 0, 1, 0).edx;
    const u32 extended = cpuid(kV3, {}, 0, 0x80000001, 0).edx;
    constexpr u32 kCommon = 0x0183f3ff;
    EXPECT_EQ(extended & kCommon, standard & kCommon);
}

TEST(CPUID, GivesZeroBeyondTheHighestLeaves) {
    const CPUIDResult zero;
    const u32 standard = cpuid(kV3, {}, 0, 0, 0).eax;
    const u32 extended = cpuid(kV3, {}, 0, 0x80000000, 0).eax;
    EXPECT_EQ(cpuid(kV3, {}, 0, standard + 1, 0), zero);
    EXPECT_EQ(cpuid(kV3, {}, 0, extended + 1, 0), zero);
    EXPECT_EQ(cpuid(kV3, {}, 0, 0x40000002, 0), zero);
    EXPECT_EQ(cpuid(kV3, {}, 0, 0xffffffff, 0), zero);
}

TEST(CPUID, FollowsTheStateInOSXSAVEOnly) {
    CPUState state;
    const CPUIDResult without = cpuid(kV3, state, 0, 1, 0);
    state.cr4 |= cr4::kOSXSAVE;
    const CPUIDResult with = cpuid(kV3, state, 0, 1, 0);
    EXPECT_EQ(with.ecx ^ without.ecx, 1u << 27);
    EXPECT_EQ(with.edx, without.edx);
}

TEST(CPUID, DescribesTheStandardSaveArea) {
    EXPECT_EQ(cpuid(kV2, {}, 0, 0xd, 0), (CPUIDResult{3, 576, 576, 0}));
    EXPECT_EQ(cpuid(kV2, {}, 0, 0xd, 1).eax, 1u);
    EXPECT_EQ(cpuid(kV2, {}, 0, 0xd, 2), CPUIDResult{});
    CPUState state;
    EXPECT_EQ(cpuid(kV3, state, 0, 0xd, 0), (CPUIDResult{7, 576, 832, 0}));
    EXPECT_EQ(cpuid(kV3, state, 0, 0xd, 1).eax, 1u);
    EXPECT_EQ(cpuid(kV3, state, 0, 0xd, 2), (CPUIDResult{256, 576, 0, 0}));
    EXPECT_EQ(cpuid(kV3, state, 0, 0xd, 3), CPUIDResult{});
    state.xcr0 = 7;
    EXPECT_EQ(cpuid(kV3, state, 0, 0xd, 0), (CPUIDResult{7, 832, 832, 0}));
}

TEST(CPUID, GivesEachVCPUItsOwnAPICNumber) {
    for (const unsigned index : {0u, 1u, 7u}) {
        EXPECT_EQ(cpuid(kV3, {}, index, 1, 0).ebx >> 24, index);
        for (const u32 subleaf : {0u, 1u, 2u})
            EXPECT_EQ(cpuid(kV3, {}, index, 0xb, subleaf).edx, index);
    }
}

TEST(CPUID, AgreesOnTheTimeStampFrequency) {
    const CPUIDResult ratio = cpuid(kV3, {}, 0, 0x15, 0);
    EXPECT_EQ(u64{ratio.ecx} * ratio.ebx / ratio.eax, kTimeStampFrequency);
    EXPECT_EQ(cpuid(kV3, {}, 0, 0x16, 0).eax, kTimeStampFrequency / 1000000);
}

}  // namespace
}  // namespace uchronia::cpu::interp
