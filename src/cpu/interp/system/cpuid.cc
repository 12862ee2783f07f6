#include "cpu/interp/system/cpuid.h"

#include <array>
#include <string_view>

#include "cpu/mmu/page_walk.h"

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
constexpr std::string_view kBrand = "Uchronia virtual CPU v2";
constexpr std::string_view kKVM = "KVMKVMKVM";
constexpr std::string_view kUchronia = "UchroniaVM";

// Family 19h (0fh + 0ah), model 01h, stepping 1.
constexpr u32 kSignature = 0x00a00f11;

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

constexpr u32 kFeaturesExtendedECX =
    bit(0)  |  // LAHF in 64-bit mode
    bit(8);    // PREFETCH, PREFETCHW

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

// The leaves that are constant and have no subleaves. Everything that is not listed here or below
// is reserved and reads as 0.
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
    Leaf{0x80000001, {kSignature, 0, kFeaturesExtendedECX, kFeaturesExtendedEDX}},
    Leaf{0x80000002, {text(kBrand, 0), text(kBrand, 4), text(kBrand, 8), text(kBrand, 12)}},
    Leaf{0x80000003, {text(kBrand, 16), text(kBrand, 20), text(kBrand, 24), text(kBrand, 28)}},
    Leaf{0x80000004, {text(kBrand, 32), text(kBrand, 36), text(kBrand, 40), text(kBrand, 44)}},
    // There are no caches and no TLBs, but the C library sizes its copies by them: 32 KiB of L1,
    // 64 bytes a line, 8 ways; and a large L2, so that it does not avoid REP MOVSB early.
    Leaf{0x80000005, {0xff40ff40, 0xff40ff40, 0x20080140, 0x20080140}},
    Leaf{0x80000006, {0x42004200, 0x42004200, 0x40006140, 0}},
    Leaf{0x80000007, {0, 0, 0, bit(8)}},  // invariant TSC
    Leaf{0x80000008, {pte::kPhysicalBits | 48u << 8, kFeatures80000008EBX, 0, 0}},
    Leaf{0x80000021, {kFeatures80000021EAX, 0, kFeatures80000021ECX, 0}},
};

// Leaf 1: the signature, and what depends on the vCPU and on CR4.
CPUIDResult identity(const CPUState& state, unsigned vcpu_index) {
    constexpr u32 kCacheLineQuadwords = 8, kLogicalProcessors = 1;
    const u32 ecx = kFeatures1ECX | ((state.cr4 & cr4::kOSXSAVE) != 0 ? kOSXSAVE : 0);
    return {kSignature, (vcpu_index << 24) | kLogicalProcessors << 16 | kCacheLineQuadwords << 8,
            ecx, kFeatures1EDX};
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

// Leaf 0Dh: XCR0 may be x87 and SSE; the standard format's legacy area and header.
CPUIDResult save_area(u32 subleaf) {
    constexpr u32 kX87AndSSE = 3, kSize = 576;
    switch (subleaf) {
        case 0:
            return {kX87AndSSE, kSize, kSize, 0};
        case 1:
            return {bit(0), 0, 0, 0};  // XSAVEOPT
        default:
            return {};
    }
}

// Where CPUID says that the model has a feature.
struct FeatureBit {
    Feature feature;
    u32 word;
    u32 mask;
};
constexpr std::array kFeatureBits = {
    FeatureBit{Feature::kCMOV, kFeatures1EDX, bit(15)},
    FeatureBit{Feature::kFPU, kFeatures1EDX, bit(0)},
    FeatureBit{Feature::kMMX, kFeatures1EDX, bit(23)},
    FeatureBit{Feature::kSSE, kFeatures1EDX, bit(25)},
    FeatureBit{Feature::kSSE2, kFeatures1EDX, bit(26)},
    FeatureBit{Feature::kSSE3, kFeatures1ECX, bit(0)},
    FeatureBit{Feature::kSSSE3, kFeatures1ECX, bit(9)},
    FeatureBit{Feature::kSSE41, kFeatures1ECX, bit(19)},
    FeatureBit{Feature::kSSE42, kFeatures1ECX, bit(20)},
    FeatureBit{Feature::kPOPCNT, kFeatures1ECX, bit(23)},
    FeatureBit{Feature::kCX16, kFeatures1ECX, bit(13)},
    FeatureBit{Feature::kAES, kFeatures1ECX, bit(25)},
    FeatureBit{Feature::kPCLMULQDQ, kFeatures1ECX, bit(1)},
    FeatureBit{Feature::kXSAVE, kFeatures1ECX, bit(26)},
    FeatureBit{Feature::kXSAVEOPT, bit(0), bit(0)},
    FeatureBit{Feature::kFXSR, kFeatures1EDX, bit(24)},
    FeatureBit{Feature::kRDRAND, kFeatures1ECX, bit(30)},
    FeatureBit{Feature::kRDSEED, kFeatures7EBX, bit(18)},
    FeatureBit{Feature::kRDTSCP, kFeaturesExtendedEDX, bit(27)},
    FeatureBit{Feature::kFSGSBASE, kFeatures7EBX, bit(0)},
    FeatureBit{Feature::kSMAP, kFeatures7EBX, bit(20)},
    FeatureBit{Feature::kSYSCALL, kFeaturesExtendedEDX, bit(11)},
    FeatureBit{Feature::kCLFLUSH, kFeatures1EDX, bit(19)},
    FeatureBit{Feature::kCLFLUSHOPT, kFeatures7EBX, bit(23)},
    FeatureBit{Feature::kCLWB, kFeatures7EBX, bit(24)},
    FeatureBit{Feature::kLAHF, kFeaturesExtendedECX, bit(0)},
    FeatureBit{Feature::kMONITOR, kFeatures1ECX, bit(3)},
    FeatureBit{Feature::kPREFETCHW, kFeaturesExtendedECX, bit(8)},
    FeatureBit{Feature::kSVM, kFeaturesExtendedECX, bit(2)},
    FeatureBit{Feature::kINVPCID, kFeatures7EBX, bit(10)},
    FeatureBit{Feature::kADX, kFeatures7EBX, bit(19)},
    FeatureBit{Feature::kSHA, kFeatures7EBX, bit(29)},
};

}  // namespace

CPUIDResult cpuid(const CPUState& state, unsigned vcpu_index, u32 leaf, u32 subleaf) {
    switch (leaf) {
        case 1:
            return identity(state, vcpu_index);
        case 7:
            return subleaf == 0 ? CPUIDResult{0, kFeatures7EBX, 0, 0} : CPUIDResult{};
        case 0xb:
            return topology(vcpu_index, subleaf);
        case 0xd:
            return save_area(subleaf);
        default:
            break;
    }
    for (const Leaf& row : kLeaves)
        if (row.number == leaf)
            return row.result;
    return {};
}

bool model_has(Feature feature) {
    if (feature == Feature::kBase)
        return true;
    for (const FeatureBit& row : kFeatureBits)
        if (row.feature == feature)
            return (row.word & row.mask) != 0;
    return false;
}

}  // namespace uchronia::cpu::interp
