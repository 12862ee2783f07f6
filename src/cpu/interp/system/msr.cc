#include "cpu/interp/system/msr.h"

#include <array>
#include <optional>

#include "cpu/access.h"
#include "cpu/interp/system/privilege.h"
#include "cpu/mmu/page_walk.h"

namespace uchronia::cpu::interp {

namespace {

// clang-format off
namespace msr {
constexpr u32 kTSC              = 0x00000010;
constexpr u32 kMTRRVariable     = 0x00000200;  // base and mask of eight ranges
constexpr u32 kPAT              = 0x00000277;
constexpr u32 kMTRRDefaultType  = 0x000002ff;
constexpr u32 kEFER             = 0xc0000080;
constexpr u32 kFSBase           = 0xc0000100;
constexpr u32 kGSBase           = 0xc0000101;
}  // namespace msr

// What a plain register accepts.
enum class Content : u8 { kAny, kLow32, kCanonical };

struct PlainMSR {
    u32 index;
    u64 CPUState::*field;
    Content content;
};
constexpr std::array kPlain = {
    PlainMSR{0x00000174, &CPUState::sysenter_cs,    Content::kLow32},
    PlainMSR{0x00000175, &CPUState::sysenter_esp,   Content::kAny},
    PlainMSR{0x00000176, &CPUState::sysenter_eip,   Content::kAny},
    PlainMSR{0xc0000081, &CPUState::star,           Content::kAny},
    PlainMSR{0xc0000082, &CPUState::lstar,          Content::kCanonical},
    PlainMSR{0xc0000083, &CPUState::cstar,          Content::kCanonical},
    PlainMSR{0xc0000084, &CPUState::sfmask,         Content::kLow32},
    PlainMSR{0xc0000102, &CPUState::kernel_gs_base, Content::kCanonical},
    PlainMSR{0xc0000103, &CPUState::tsc_aux,        Content::kLow32},
};

struct ConstantMSR {
    u32 index;
    u64 value;
};
constexpr std::array kConstant = {
    ConstantMSR{0x0000008b, 0x0a0011d1},         // PATCH_LEVEL
    ConstantMSR{0x000000fe, 0x508},              // MTRRcap: write combining, fixed ranges, 8 others
    ConstantMSR{0x000001d9, 0},                  // DBG_CTL: no branch records
    ConstantMSR{0xc0010010, 0},                  // SYSCFG: no memory encryption
    ConstantMSR{0xc0010015, u64{1} << 24},       // HWCR: the TSC counts at the P0 frequency
    ConstantMSR{0xc001001f, u64{1} << 46},       // NB_CFG: extended configuration space on
    ConstantMSR{0xc0010114, 0x18},               // VM_CR: SVM disabled and locked
    ConstantMSR{0xc0011029, u64{1} << 1},        // DE_CFG: LFENCE serialises
};

constexpr std::array<u32, 11> kFixedRanges = {
    0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c, 0x26d, 0x26e, 0x26f,
};
// clang-format on

// Memory types (APM vol. 2, 7.7.1 and 7.8): uncached 0, write combining 1, write through 4, write
// protected 5, write back 6; uncached minus 7, in the PAT only.
constexpr u32 kMTRRTypes = 1u << 0 | 1u << 1 | 1u << 4 | 1u << 5 | 1u << 6;
constexpr u32 kPATTypes = kMTRRTypes | 1u << 7;

bool all_bytes_in(u64 value, u32 types) {
    for (unsigned i = 0; i < 64; i += 8) {
        const u64 type = (value >> i) & 0xff;
        if (type > 7 || ((types >> type) & 1) == 0)
            return false;
    }
    return true;
}

u64* memory_type_range(CPUState& state, u32 index) {
    if (index - msr::kMTRRVariable < state.mtrr_variable.size())
        return &state.mtrr_variable[index - msr::kMTRRVariable];
    for (unsigned i = 0; i < kFixedRanges.size(); ++i)
        if (kFixedRanges[i] == index)
            return &state.mtrr_fixed[i];
    return nullptr;
}

// MTRRs have no effect on a machine without caches, but keep what is written to them.
bool write_memory_type_range(u64& field, u32 index, u64 value) {
    constexpr u64 kPhysicalMask = (u64{1} << pte::kPhysicalBits) - 1;
    const bool variable = index < kFixedRanges[0];
    const bool is_mask = variable && (index & 1) != 0;
    bool valid = false;
    if (!variable)
        valid = all_bytes_in(value, kMTRRTypes);
    else if (is_mask)
        valid = (value & ~(kPhysicalMask & ~u64{0x7ff})) == 0;
    else
        valid = (value & ~(kPhysicalMask & ~u64{0xf00})) == 0 && (value & 0xff) <= 6 &&
                ((kMTRRTypes >> (value & 0xff)) & 1) != 0;
    if (valid)
        field = value;
    return valid;
}

bool write_default_type(CPUState& state, u64 value) {
    constexpr u64 kEnables = 0xc00;
    const u64 type = value & 0xff;
    if ((value & ~(kEnables | 0xff)) != 0 || type > 6 || ((kMTRRTypes >> type) & 1) == 0)
        return false;
    state.mtrr_default_type = value;
    return true;
}

bool write_efer(VCPU& cpu, u64 value) {
    CPUState& state = cpu.state;
    constexpr u64 kAutomaticIBRS = u64{1} << 21;
    constexpr u64 kWritable = efer::kSCE | efer::kLME | efer::kNXE | kAutomaticIBRS;
    if ((value & ~(kWritable | efer::kLMA)) != 0)
        return false;
    if (((value ^ state.efer) & efer::kLME) != 0 && (state.cr0 & cr0::kPG) != 0)
        return false;
    state.efer = (state.efer & efer::kLMA) | (value & kWritable);
    cpu.mmu.update_context(cpu);
    return true;
}

bool write_segment_base(CPUState& state, SegmentRegister index, u64 value) {
    if (!is_canonical(value))
        return false;
    state.segments[index].base = value;
    state.segment_base[index] = value;
    return true;
}

bool write_plain(u64& field, Content content, u64 value) {
    if (content == Content::kCanonical && !is_canonical(value))
        return false;
    field = content == Content::kLow32 ? static_cast<u32>(value) : value;
    return true;
}

// The registers with behaviour of their own; no value for all others.
std::optional<u64> read_special(VCPU& cpu, u32 index) {
    switch (index) {
        case msr::kTSC:
            return time_stamp(cpu);
        case msr::kPAT:
            return cpu.state.pat;
        case msr::kMTRRDefaultType:
            return cpu.state.mtrr_default_type;
        case msr::kEFER:
            return cpu.state.efer;
        case msr::kFSBase:
            return cpu.state.segments[kFS].base;
        case msr::kGSBase:
            return cpu.state.segments[kGS].base;
        default:
            return std::nullopt;
    }
}

std::optional<bool> write_special(VCPU& cpu, u32 index, u64 value) {
    switch (index) {
        case msr::kTSC:
            cpu.state.tsc_offset = value - cpu.platform.time_stamp(cpu.index);
            return true;
        case msr::kPAT:
            if (!all_bytes_in(value, kPATTypes))
                return false;
            cpu.state.pat = value;
            return true;
        case msr::kMTRRDefaultType:
            return write_default_type(cpu.state, value);
        case msr::kEFER:
            return write_efer(cpu, value);
        case msr::kFSBase:
            return write_segment_base(cpu.state, kFS, value);
        case msr::kGSBase:
            return write_segment_base(cpu.state, kGS, value);
        default:
            return std::nullopt;
    }
}

}  // namespace

bool read_msr(VCPU& cpu, u32 index, u64& value) {
    if (const std::optional<u64> special = read_special(cpu, index)) {
        value = *special;
        return true;
    }
    for (const PlainMSR& row : kPlain)
        if (row.index == index) {
            value = cpu.state.*row.field;
            return true;
        }
    for (const ConstantMSR& row : kConstant)
        if (row.index == index) {
            value = row.value;
            return true;
        }
    if (const u64* range = memory_type_range(cpu.state, index)) {
        value = *range;
        return true;
    }
    return cpu.platform.msr_read(cpu.index, index, value);
}

bool write_msr(VCPU& cpu, u32 index, u64 value) {
    if (const std::optional<bool> special = write_special(cpu, index, value))
        return *special;
    for (const PlainMSR& row : kPlain)
        if (row.index == index)
            return write_plain(cpu.state.*row.field, row.content, value);
    for (const ConstantMSR& row : kConstant)
        if (row.index == index)
            return row.value == value;
    if (u64* range = memory_type_range(cpu.state, index))
        return write_memory_type_range(*range, index, value);
    return cpu.platform.msr_write(cpu.index, index, value);
}

}  // namespace uchronia::cpu::interp
