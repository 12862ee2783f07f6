#include "tests/witness/rules.h"

#include <cpuid.h>

#include <algorithm>

#include "cpu/state.h"

namespace uchronia::witness {

using namespace cpu;
using namespace cpu::rflags;

namespace {

struct NamedExemption {
    std::string_view name;
    std::string_view reason;
};

constexpr std::string_view kFar =
    "far transfer: needs descriptor tables of ours; tested in cpu/interp/system";
constexpr std::string_view kSegmentLoad =
    "loads a segment register: needs descriptor tables of ours; tested in cpu/interp/system";
constexpr std::string_view kSoftwareInterrupt =
    "delivered through the IDT; tested in cpu/interp/system";

constexpr NamedExemption kExemptions[] = {
    {"CALLF_Mp", kFar},
    {"JMPF_Mp", kFar},
    {"RETF_Iw", kFar},
    {"RETF", kFar},
    {"IRET", kFar},
    {"MOV_Sw_Ew", kSegmentLoad},
    {"LSS_Gv_Mp", kSegmentLoad},
    {"LFS_Gv_Mp", kSegmentLoad},
    {"LGS_Gv_Mp", kSegmentLoad},
    {"POP_FS", kSegmentLoad},
    {"POP_GS", kSegmentLoad},
    {"SYSCALL", "enters the host's kernel"},
    {"INT3", kSoftwareInterrupt},
    {"INT_Ib", kSoftwareInterrupt},
    {"INT1", kSoftwareInterrupt},
};

// System instructions that the host can witness: those that fault in user mode, those of the flags,
// and those that read selectors (the guest has Linux's).
bool is_witnessed_in_user_mode(const InstructionRow& row) {
    constexpr std::string_view kNames[] = {"PUSHF", "POPF",    "CLI",     "STI",      "CLAC",
                                           "STAC",  "PUSH_FS", "PUSH_GS", "MOV_Ev_Sw"};
    if ((row.attributes & attribute::kPrivileged) != 0)
        return true;
    const std::string_view mnemonic = row.name.substr(0, row.name.find('_'));
    constexpr std::string_view kPorts[] = {"IN", "OUT", "INS", "OUTS"};
    return std::find(std::begin(kNames), std::end(kNames), row.name) != std::end(kNames) ||
           std::find(std::begin(kPorts), std::end(kPorts), mnemonic) != std::end(kPorts);
}

std::string_view exemption_of(HostPolicy host) {
    switch (host) {
        case HostPolicy::kApproximate:
            return "vendors compute different approximations";
        case HostPolicy::kTranscendental:
            return "vendors round x87 functions differently";
        case HostPolicy::kState:
            return "reads or writes state that is not the guest's on the host";
        case HostPolicy::kIdentity:
            return "answers differ by CPU model";
        case HostPolicy::kTime:
            return "reads time";
        case HostPolicy::kEntropy:
            return "reads randomness";
        case HostPolicy::kPrivilegedState:
            return "system instruction";
        case HostPolicy::kSame:
        case HostPolicy::kUndefinedFlags:
        case HostPolicy::kUndefinedResult:
        case HostPolicy::kNaNChoice:
        case HostPolicy::kControl:
        case HostPolicy::kFaulting:
            return {};
    }
    return {};
}

std::string_view mnemonic_of(const InstructionRow& row) {
    return row.name.substr(0, row.name.find('_'));
}

bool is_any(std::string_view mnemonic, std::initializer_list<std::string_view> list) {
    return std::find(list.begin(), list.end(), mnemonic) != list.end();
}

// The count of a shift or rotate as it is masked, and its operand's width in bits.
struct Shift {
    unsigned count;
    unsigned width;
};
Shift shift_of(const Case& c, const InstructionRow& row) {
    const unsigned width =
        row.name.find("_Eb") != std::string_view::npos ? 8 : 8u * c.decoded.operand_size;
    u64 count = 1;
    if (row.name.ends_with("_Ib"))
        count = c.decoded.op.immediate;
    else if (row.name.ends_with("_CL"))
        count = c.before.gpr[kRCX];
    return {static_cast<unsigned>(count & (width == 64 ? 63 : 31)), width};
}

// SHL, SHR, SAR: AF is undefined; OF but for a count of 1; CF for counts beyond the width, but SAR.
u64 undefined_of_shift(const Shift& shift, std::string_view mnemonic) {
    if (shift.count == 0)
        return 0;
    u64 undefined = kAF;
    if (shift.count != 1)
        undefined |= kOF;
    if (mnemonic != "SAR" && shift.count >= shift.width)
        undefined |= kCF;
    return undefined;
}

// SHLD, SHRD: as SHL; everything if the count exceeds the width.
u64 undefined_of_double_shift(const Shift& shift) {
    if (shift.count == 0)
        return 0;
    if (shift.count > shift.width)
        return kArithmetic;
    return kAF | (shift.count != 1 ? kOF : 0);
}

}  // namespace

std::string_view exemption(const InstructionRow& row) {
    if ((row.attributes & attribute::kInvalid64) != 0)
        return "not a 64-bit instruction";
    for (const NamedExemption& named : kExemptions)
        if (named.name == row.name)
            return named.reason;
    if (is_witnessed_in_user_mode(row))
        return {};
    return exemption_of(row.host);
}

bool always_faults(const InstructionRow& row) {
    constexpr std::string_view kUserMode[] = {"PUSHF", "POPF", "PUSH_FS", "PUSH_GS", "MOV_Ev_Sw"};
    if ((row.attributes & attribute::kPrivileged) != 0 || row.host == HostPolicy::kFaulting)
        return true;
    return row.host == HostPolicy::kPrivilegedState &&
           std::find(std::begin(kUserMode), std::end(kUserMode), row.name) == std::end(kUserMode);
}

bool host_has(Feature feature) {
    unsigned a = 0, b7 = 0, c1 = 0, c7 = 0, ce = 0, d = 0;
    unsigned b = 0;
    __get_cpuid(1, &a, &b, &c1, &d);
    __get_cpuid_count(7, 0, &a, &b7, &c7, &d);
    __get_cpuid(0x80000001, &a, &b, &ce, &d);
    switch (feature) {
        case Feature::kSSE3:
            return (c1 & bit_SSE3) != 0;
        case Feature::kSSSE3:
            return (c1 & bit_SSSE3) != 0;
        case Feature::kSSE41:
            return (c1 & bit_SSE4_1) != 0;
        case Feature::kSSE42:
            return (c1 & bit_SSE4_2) != 0;
        case Feature::kPOPCNT:
            return (c1 & bit_POPCNT) != 0;
        case Feature::kCX16:
            return (c1 & bit_CMPXCHG16B) != 0;
        case Feature::kAES:
            return (c1 & bit_AES) != 0;
        case Feature::kPCLMULQDQ:
            return (c1 & bit_PCLMUL) != 0;
        case Feature::kCLFLUSHOPT:
            return (b7 & bit_CLFLUSHOPT) != 0;
        case Feature::kCLWB:
            return (b7 & bit_CLWB) != 0;
        case Feature::kAVX:
            return (c1 & bit_AVX) != 0;
        case Feature::kAVX2:
            return (b7 & bit_AVX2) != 0;
        case Feature::kFMA:
            return (c1 & bit_FMA) != 0;
        case Feature::kF16C:
            return (c1 & bit_F16C) != 0;
        case Feature::kBMI1:
            return (b7 & bit_BMI) != 0;
        case Feature::kBMI2:
            return (b7 & bit_BMI2) != 0;
        case Feature::kLZCNT:
            return (ce & bit_LZCNT) != 0;
        case Feature::kMOVBE:
            return (c1 & bit_MOVBE) != 0;
        default:
            return true;  // of every AMD64 processor, or of rows that are exempt
    }
}

u64 undefined_flags(const Case& c) {
    const InstructionRow& row = row_of(c.decoded.instruction);
    const std::string_view mnemonic = mnemonic_of(row);
    if (is_any(mnemonic, {"AND", "OR", "XOR", "TEST", "TEST1"}))
        return kAF;
    if (is_any(mnemonic, {"MUL", "IMUL"}))
        return kSF | kZF | kAF | kPF;
    if (is_any(mnemonic, {"DIV", "IDIV"}))
        return kArithmetic;
    if (is_any(mnemonic, {"SHL", "SAL", "SHR", "SAR"}))
        return undefined_of_shift(shift_of(c, row), mnemonic);
    if (is_any(mnemonic, {"SHLD", "SHRD"}))
        return undefined_of_double_shift(shift_of(c, row));
    if (is_any(mnemonic, {"ROL", "ROR", "RCL", "RCR"}))
        return shift_of(c, row).count == 1 ? 0 : kOF;
    if (is_any(mnemonic, {"BT", "BTS", "BTR", "BTC"}))
        return kOF | kSF | kAF | kPF;
    if (is_any(mnemonic, {"BSF", "BSR"}))
        return kCF | kOF | kSF | kAF | kPF;
    if (is_any(mnemonic, {"TZCNT", "LZCNT"}))
        return kOF | kSF | kAF | kPF;
    if (is_any(mnemonic, {"ANDN", "BLSI", "BLSMSK", "BLSR", "BZHI"}))
        return kAF | kPF;
    if (mnemonic == "BEXTR")
        return kSF | kAF | kPF;
    return 0;
}

bool has_undefined_result(const Case& c, const Outcome& native) {
    const InstructionRow& row = row_of(c.decoded.instruction);
    const std::string_view mnemonic = mnemonic_of(row);
    if (is_any(mnemonic, {"SHLD", "SHRD"})) {
        const Shift shift = shift_of(c, row);
        return shift.count > shift.width;
    }
    if (is_any(mnemonic, {"BSF", "BSR"}))  // of 0
        return (native.state.rflags & kZF) != 0;
    return mnemonic == "BSWAP" && c.decoded.operand_size == 2;
}

}  // namespace uchronia::witness
