#include "cpu/interp/system/cpuid.h"

#include <array>
#include <string_view>

#include "cpu/interp/state_components.h"
#include "cpu/mmu/page_walk.h"
#include "cpu/model.h"

namespace uchronia::cpu::interp {

namespace {

constexpr u32 bit(unsigned n) {
    return u32{1} << n;
}
// Four characters as CPUID packs them into a register.
constexpr u32 text(std::string_view s, std::size_t at) {
    u32 value = 0;
    for (std::size_t i = 0; i < 4 && at + i < s.size(); ++i)
        value |= static_cast<u32>(static_cast<u8>(s[at + i])) << (8 * i);
    return value;
}

constexpr u32 kHighestStandard = 0x16;
constexpr u32 kHighestExtended = 0x80000021;
constexpr u32 kHighestKVM = 0x40000001;
constexpr u32 kHighestUchronia = 0x40000100;

constexpr std::string_view kVendor = "AuthenticAMD";
constexpr std::string_view kBrands[] = {"Uchronia virtual CPU v2", "Uchronia virtual CPU v3"};
constexpr std::string_view kKVM = "KVMKVMKVM";
constexpr std::string_view kUchronia = "UchroniaVM";

// clang-format off
constexpr u32 kFeatures1ECX =
    bit(0)  |  // SSE3
    bit(1)  |  // PCLMULQDQ
    bit(9)  |  // SSSE3
    bit(13) |  // CMPXCHG16B
    bit(19) |  // SSE4.1
    bit(20) |  // SSE4.2
    bit(21) |  // x2APIC
    bit(23) |  // POPCNT
    bit(24) |  // TSC deadline timer
    bit(25) |  // AES
    bit(26) |  // XSAVE
    bit(30) |  // RDRAND
    bit(31);   // hypervisor present
constexpr u32 kOSXSAVE = bit(27);
constexpr u32 kV3Features1ECX =
    bit(12) |  // FMA
    bit(22) |  // MOVBE
    bit(28) |  // AVX
    bit(29);   // F16C

constexpr u32 kFeatures1EDX =
    bit(0)  |  // x87
    bit(2)  |  // debugging extensions
    bit(3)  |  // page size extensions
    bit(4)  |  // TSC
    bit(5)  |  // MSRs
    bit(6)  |  // PAE
    bit(8)  |  // CMPXCHG8B
    bit(9)  |  // APIC
    bit(12) |  // MTRRs
    bit(13) |  // global pages
    bit(15) |  // CMOV
    bit(16) |  // PAT
    bit(19) |  // CLFLUSH
    bit(23) |  // MMX
    bit(24) |  // FXSAVE
    bit(25) |  // SSE
    bit(26);   // SSE2

constexpr u32 kFeatures7EBX =
    bit(0)  |  // FSGSBASE
    bit(7)  |  // SMEP
    bit(9)  |  // ERMS: REP MOVSB is the fastest copy here
    bit(18) |  // RDSEED
    bit(20) |  // SMAP
    bit(23) |  // CLFLUSHOPT
    bit(24);   // CLWB

constexpr u32 kV3Features7EBX =
    bit(3) |  // BMI1
    bit(5) |  // AVX2
    bit(8);   // BMI2

constexpr u32 kFeaturesExtendedECX =
    bit(0)  |  // LAHF in 64-bit mode
    bit(8);    // PREFETCH, PREFETCHW

constexpr u32 kV3FeaturesExtendedECX =
    bit(5);  // LZCNT

constexpr u32 kFeaturesExtendedEDX =
    (kFeatures1EDX & 0x0183f3ff) |  // the bits that this leaf repeats
    bit(11) |  // SYSCALL
    bit(20) |  // no-execute
    bit(22) |  // MMX extensions
    bit(26) |  // 1 GiB pages
    bit(27) |  // RDTSCP
    bit(29);   // long mode

constexpr u32 kFeatures80000008EBX =
    bit(2)  |  // FXSAVE and FXRSTOR always treat the error pointers
    bit(26) |  // not affected by speculative store bypass
    bit(29);   // not affected by branch type confusion

constexpr u32 kFeatures80000021EAX =
    bit(0)  |  // no nested data breakpoints
    bit(2)  |  // LFENCE always serialises
    bit(6)  |  // a null selector clears the base
    bit(8)  |  // automatic IBRS (EFER bit 21): no retpolines needed
    bit(29);   // not affected by speculative return stack overflow
constexpr u32 kFeatures80000021ECX =
    bit(1)  |  // not affected by TSA-SQ
    bit(2);    // not affected by TSA-L1

constexpr u32 kFeaturesKVM =
    bit(1)  |  // no delay after port accesses
    bit(3)  |  // clock source with the new MSRs
    bit(24);   // clock source is the same on all vCPUs
// clang-format on

struct Leaf {
    u32 number;
    CPUIDResult result;
};

// The leaves that are constant, the same in all models, and have no subleaves. Everything that is
// not listed here or below is reserved and reads as 0.
constexpr std::array kLeaves = {
    Leaf{0, {kHighestStandard, text(kVendor, 0), text(kVendor, 8), text(kVendor, 4)}},
    Leaf{6, {bit(2), 0, 0, 0}},  // the APIC timer always runs
    // The TSC as a ratio to the crystal, in Hz; and the nominal frequencies, in MHz.
    Leaf{0x15, {1, 1, kTimeStampFrequency, 0}},
    Leaf{0x16, {kTimeStampFrequency / 1000000, kTimeStampFrequency / 1000000, 100, 0}},
    Leaf{0x40000000, {kHighestKVM, text(kKVM, 0), text(kKVM, 4), text(kKVM, 8)}},
    Leaf{0x40000001, {kFeaturesKVM, 0, 0, 0}},
    Leaf{0x40000100,
         {kHighestUchronia, text(kUchronia, 0), text(kUchronia, 4), text(kUchronia, 8)}},
    Leaf{0x80000000, {kHighestExtended, text(kVendor, 0), text(kVendor, 8), text(kVendor, 4)}},
    // There are no caches and no TLBs, but the C library sizes its copies by them: 32 KiB of L1,
    // 64 bytes a line, 8 ways; and a large L2, so that it does not avoid REP MOVSB early.
    Leaf{0x80000005, {0xff40ff40, 0xff40ff40, 0x20080140, 0x20080140}},
    Leaf{0x80000006, {0x42004200, 0x42004200, 0x40006140, 0}},
    Leaf{0x80000007, {0, 0, 0, bit(8)}},  // invariant TSC
    Leaf{0x80000008, {pte::kPhysicalBits | 48u << 8, kFeatures80000008EBX, 0, 0}},
    Leaf{0x80000021, {kFeatures80000021EAX, 0, kFeatures80000021ECX, 0}},
};

// Words of feature bits that the models differ in.
struct ModelWords {
    u32 features_1_ecx, features_7_ebx, extended_ecx;
};
constexpr ModelWords kV2Words = {kFeatures1ECX, kFeatures7EBX, kFeaturesExtendedECX};
constexpr ModelWords kV3Words = {kFeatures1ECX | kV3Features1ECX, kFeatures7EBX | kV3Features7EBX,
                                 kFeaturesExtendedECX | kV3FeaturesExtendedECX};

const ModelWords& words_of(CPUModel model) {
    return model == CPUModel::kV2 ? kV2Words : kV3Words;
}

// Leaf 1: the signature, and what depends on the vCPU and on CR4.
CPUIDResult identity(CPUModel model, const CPUState& state, unsigned vcpu_index) {
    constexpr u32 kCacheLineQuadwords = 8, kLogicalProcessors = 1;
    const u32 ecx =
        words_of(model).features_1_ecx | ((state.cr4 & cr4::kOSXSAVE) != 0 ? kOSXSAVE : 0);
    return {kProcessorSignature,
            (vcpu_index << 24) | kLogicalProcessors << 16 | kCacheLineQuadwords << 8, ecx,
            kFeatures1EDX};
}

// Leaves 80000002h to 80000004h.
CPUIDResult brand(CPUModel model, u32 leaf) {
    const std::string_view name = kBrands[model == CPUModel::kV2 ? 0 : 1];
    const std::size_t at = (leaf - 0x80000002) * std::size_t{16};
    return {text(name, at), text(name, at + 4), text(name, at + 8), text(name, at + 12)};
}

// Leaf 0Bh: one thread in a core, one core in a package.
CPUIDResult topology(unsigned vcpu_index, u32 subleaf) {
    constexpr u32 kThreadLevel = 1 << 8, kCoreLevel = 2 << 8;
    switch (subleaf) {
        case 0:
            return {0, 1, kThreadLevel | 0, vcpu_index};
        case 1:
            return {0, 1, kCoreLevel | 1, vcpu_index};
        default:
            return {0, 0, subleaf & 0xff, vcpu_index};
    }
}

// Leaf 0Dh: what XCR0 may be, and the size of the standard format: for the present XCR0, and for
// the largest (APM vol. 3, E.3.8).
CPUIDResult save_area(CPUModel model, const CPUState& state, u32 subleaf) {
    const u64 supported = supported_components(model);
    const auto size_for = [](u64 components) {
        return (components & xstate::kAVX) != 0 ? kAVXOffset + kAVXSize : kAVXOffset;
    };
    switch (subleaf) {
        case 0:
            return {static_cast<u32>(supported), size_for(state.xcr0), size_for(supported), 0};
        case 1:
            return {bit(0), 0, 0, 0};  // XSAVEOPT
        case 2:
            return (supported & xstate::kAVX) != 0 ? CPUIDResult{kAVXSize, kAVXOffset, 0, 0}
                                                   : CPUIDResult{};
        default:
            return {};
    }
}

// Where CPUID says that the model has a feature, in the words that models differ in.
struct FeatureBit {
    Feature feature;
    u32 ModelWords::*word;
    u32 mask;
};
constexpr std::array kFeatureBits = {
    FeatureBit{Feature::kSSE3, &ModelWords::features_1_ecx, bit(0)},
    FeatureBit{Feature::kSSSE3, &ModelWords::features_1_ecx, bit(9)},
    FeatureBit{Feature::kSSE41, &ModelWords::features_1_ecx, bit(19)},
    FeatureBit{Feature::kSSE42, &ModelWords::features_1_ecx, bit(20)},
    FeatureBit{Feature::kPOPCNT, &ModelWords::features_1_ecx, bit(23)},
    FeatureBit{Feature::kCX16, &ModelWords::features_1_ecx, bit(13)},
    FeatureBit{Feature::kAES, &ModelWords::features_1_ecx, bit(25)},
    FeatureBit{Feature::kPCLMULQDQ, &ModelWords::features_1_ecx, bit(1)},
    FeatureBit{Feature::kXSAVE, &ModelWords::features_1_ecx, bit(26)},
    FeatureBit{Feature::kRDRAND, &ModelWords::features_1_ecx, bit(30)},
    FeatureBit{Feature::kRDSEED, &ModelWords::features_7_ebx, bit(18)},
    FeatureBit{Feature::kFSGSBASE, &ModelWords::features_7_ebx, bit(0)},
    FeatureBit{Feature::kSMAP, &ModelWords::features_7_ebx, bit(20)},
    FeatureBit{Feature::kCLFLUSHOPT, &ModelWords::features_7_ebx, bit(23)},
    FeatureBit{Feature::kCLWB, &ModelWords::features_7_ebx, bit(24)},
    FeatureBit{Feature::kLAHF, &ModelWords::extended_ecx, bit(0)},
    FeatureBit{Feature::kPREFETCHW, &ModelWords::extended_ecx, bit(8)},
    FeatureBit{Feature::kAVX, &ModelWords::features_1_ecx, bit(28)},
    FeatureBit{Feature::kFMA, &ModelWords::features_1_ecx, bit(12)},
    FeatureBit{Feature::kMOVBE, &ModelWords::features_1_ecx, bit(22)},
    FeatureBit{Feature::kF16C, &ModelWords::features_1_ecx, bit(29)},
    FeatureBit{Feature::kBMI1, &ModelWords::features_7_ebx, bit(3)},
    FeatureBit{Feature::kAVX2, &ModelWords::features_7_ebx, bit(5)},
    FeatureBit{Feature::kBMI2, &ModelWords::features_7_ebx, bit(8)},
    FeatureBit{Feature::kLZCNT, &ModelWords::extended_ecx, bit(5)},
};

// And in the words that are the same in all models.
struct CommonFeature {
    Feature feature;
    bool present;
};
constexpr std::array kCommonFeatures = {
    CommonFeature{Feature::kBase, true},
    CommonFeature{Feature::kCMOV, (kFeatures1EDX & bit(15)) != 0},
    CommonFeature{Feature::kFPU, (kFeatures1EDX & bit(0)) != 0},
    CommonFeature{Feature::kMMX, (kFeatures1EDX & bit(23)) != 0},
    CommonFeature{Feature::kSSE, (kFeatures1EDX & bit(25)) != 0},
    CommonFeature{Feature::kSSE2, (kFeatures1EDX & bit(26)) != 0},
    CommonFeature{Feature::kXSAVEOPT, (bit(0) & bit(0)) != 0},
    CommonFeature{Feature::kFXSR, (kFeatures1EDX & bit(24)) != 0},
    CommonFeature{Feature::kRDTSCP, (kFeaturesExtendedEDX & bit(27)) != 0},
    CommonFeature{Feature::kSYSCALL, (kFeaturesExtendedEDX & bit(11)) != 0},
    CommonFeature{Feature::kCLFLUSH, (kFeatures1EDX & bit(19)) != 0},
};

}  // namespace

CPUIDResult cpuid(CPUModel model, const CPUState& state, unsigned vcpu_index, u32 leaf,
                  u32 subleaf) {
    switch (leaf) {
        case 1:
            return identity(model, state, vcpu_index);
        case 7:
            return subleaf == 0 ? CPUIDResult{0, words_of(model).features_7_ebx, 0, 0}
                                : CPUIDResult{};
        case 0xb:
            return topology(vcpu_index, subleaf);
        case 0xd:
            return save_area(model, state, subleaf);
        case 0x80000001:
            return {kProcessorSignature, 0, words_of(model).extended_ecx, kFeaturesExtendedEDX};
        case 0x80000002:
        case 0x80000003:
        case 0x80000004:
            return brand(model, leaf);
        default:
            break;
    }
    for (const Leaf& row : kLeaves)
        if (row.number == leaf)
            return row.result;
    return {};
}

bool model_has(CPUModel model, Feature feature) {
    for (const CommonFeature& row : kCommonFeatures)
        if (row.feature == feature)
            return row.present;
    for (const FeatureBit& row : kFeatureBits)
        if (row.feature == feature)
            return (words_of(model).*row.word & row.mask) != 0;
    return false;
}

}  // namespace uchronia::cpu::interp
