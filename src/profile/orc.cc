#include "profile/orc.h"

#include <algorithm>

namespace uchronia::profile {
namespace {

// Where an entry says that something is.
enum ORCRegister : u64 {
    kUndefined = 0,
    kPreviousSP = 1,
    kDX = 2,
    kDI = 3,
    kBP = 4,
    kSP = 5,
    kR10 = 6,
    kR13 = 7,
    kBPIndirect = 8,
    kSPIndirect = 9,
};

enum class FrameType : u8 { kNone, kCall, kRegisters, kPartialRegisters };

// The order of registers in the kernel's struct pt_regs, which is the ABI of ptrace(2).
constexpr cpu::Register kSavedRegisters[] = {
    cpu::kR15, cpu::kR14, cpu::kR13, cpu::kR12, cpu::kRBP, cpu::kRBX, cpu::kR11, cpu::kR10,
    cpu::kR9,  cpu::kR8,  cpu::kRAX, cpu::kRCX, cpu::kRDX, cpu::kRSI, cpu::kRDI,
};
constexpr u64 kSavedSize = 21 * 8;    // struct pt_regs
constexpr u64 kHardwareSize = 5 * 8;  // its end, which the CPU pushes: RIP, CS, RFLAGS, RSP, SS

constexpr u64 kMostEntries = 4'000'000;

u64 bits_of(u64 raw, const BTF::Member& member) {
    const u64 count = std::clamp<u64>(member.bit_count, 1, 16);
    return (raw >> std::min<u64>(member.bit_offset, 63)) & ((u64{1} << count) - 1);
}

i64 offset_at(u64 raw, u64 byte_offset) {
    return static_cast<i16>(raw >> (8 * byte_offset));
}

FrameType type_of(const ORCLayout& layout, u64 raw) {
    const u64 type = bits_of(raw, layout.type);
    if (layout.end) {
        static constexpr FrameType kTypes[] = {FrameType::kCall, FrameType::kRegisters,
                                               FrameType::kPartialRegisters};
        return type < std::size(kTypes) && bits_of(raw, *layout.end) == 0 ? kTypes[type]
                                                                          : FrameType::kNone;
    }
    static constexpr FrameType kTypes[] = {FrameType::kNone, FrameType::kNone, FrameType::kCall,
                                           FrameType::kRegisters, FrameType::kPartialRegisters};
    return type < std::size(kTypes) ? kTypes[type] : FrameType::kNone;
}

std::optional<u64> frame_address(GuestView& view, const ORCLayout& layout, u64 raw,
                                 const Registers& registers) {
    const u64 offset = static_cast<u64>(offset_at(raw, layout.sp_offset));
    u64 address = 0;
    switch (bits_of(raw, layout.sp_register)) {
        case kSP:
            return registers.gpr[cpu::kRSP] + offset;
        case kBP:
            return registers.gpr[cpu::kRBP] + offset;
        case kSPIndirect:
            if (!view.load(registers.gpr[cpu::kRSP], address))
                return std::nullopt;
            return address + offset;
        case kBPIndirect:
            if (!view.load(registers.gpr[cpu::kRBP] + offset, address))
                return std::nullopt;
            return address;
        case kDX:
            return registers.gpr[cpu::kRDX];
        case kDI:
            return registers.gpr[cpu::kRDI];
        case kR10:
            return registers.gpr[cpu::kR10];
        case kR13:
            return registers.gpr[cpu::kR13];
        default:
            return std::nullopt;
    }
}

bool load_hardware_frame(GuestView& view, u64 address, Registers& registers, bool& user) {
    u64 frame[kHardwareSize / 8];
    if (!view.load(address, frame))
        return false;
    registers.rip = frame[0];
    user = (frame[1] & 3) == 3;
    registers.gpr[cpu::kRSP] = frame[3];
    return true;
}

bool load_saved_registers(GuestView& view, u64 address, Registers& registers, bool& user) {
    u64 saved[std::size(kSavedRegisters)];
    if (!view.load(address, saved) ||
        !load_hardware_frame(view, address + kSavedSize - kHardwareSize, registers, user))
        return false;
    for (std::size_t i = 0; i < std::size(kSavedRegisters); ++i)
        registers.gpr[kSavedRegisters[i]] = saved[i];
    return true;
}

bool restore_frame_pointer(GuestView& view, const ORCLayout& layout, u64 raw, u64 frame,
                           Registers& registers) {
    const u64 offset = static_cast<u64>(offset_at(raw, layout.bp_offset));
    u64& rbp = registers.gpr[cpu::kRBP];
    switch (bits_of(raw, layout.bp_register)) {
        case kUndefined:
            return true;
        case kPreviousSP:
            return view.load(frame + offset, rbp);
        case kBP:
            return view.load(rbp + offset, rbp);
        default:
            return false;
    }
}

}  // namespace

std::optional<ORCLayout> ORCLayout::from(const BTF& types) {
    constexpr std::string_view kEntry = "orc_entry";
    const auto size = types.size_of(kEntry);
    const auto sp_offset = types.offset_of(kEntry, "sp_offset");
    const auto bp_offset = types.offset_of(kEntry, "bp_offset");
    const auto sp_register = types.member(kEntry, "sp_reg");
    const auto bp_register = types.member(kEntry, "bp_reg");
    const auto type = types.member(kEntry, "type");
    if (!size || *size > sizeof(u64) || !sp_offset || !bp_offset || !sp_register || !bp_register ||
        !type || *sp_offset > 6 || *bp_offset > 6)
        return std::nullopt;
    return ORCLayout{.entry_size = *size,
                     .sp_offset = *sp_offset,
                     .bp_offset = *bp_offset,
                     .sp_register = *sp_register,
                     .bp_register = *bp_register,
                     .type = *type,
                     .end = types.member(kEntry, "end")};
}

ORCTable ORCTable::read(GuestView& view, const ORCLayout& layout, u64 ips, u64 entries, u64 count) {
    ORCTable table;
    if (count == 0 || count > kMostEntries)
        return table;
    std::vector<u8> ip_bytes(count * sizeof(i32)), entry_bytes(count * layout.entry_size);
    if (!view.read(ips, ip_bytes) || !view.read(entries, entry_bytes))
        return table;
    for (u64 i = 0; i < count; ++i) {
        i32 distance = 0;  // from where it stands
        load(ip_bytes, i * sizeof distance, distance);
        Entry entry{ips + i * sizeof distance + static_cast<u64>(i64{distance}), 0};
        std::memcpy(&entry.raw, entry_bytes.data() + i * layout.entry_size, layout.entry_size);
        table.entries_.push_back(entry);
    }
    // They are in order; a guest that broke that must not break the search.
    std::stable_sort(table.entries_.begin(), table.entries_.end(),
                     [](const Entry& a, const Entry& b) { return a.address < b.address; });
    return table;
}

std::optional<u64> ORCTable::find(u64 address) const {
    const auto after =
        std::upper_bound(entries_.begin(), entries_.end(), address,
                         [](u64 wanted, const Entry& entry) { return wanted < entry.address; });
    if (after == entries_.begin())
        return std::nullopt;
    return (after - 1)->raw;
}

KernelStep step_by_orc(GuestView& view, const ORCLayout& layout, u64 raw, Registers& registers,
                       bool& user) {
    user = false;
    const std::optional<u64> frame = frame_address(view, layout, raw, registers);
    if (!frame)
        return KernelStep::kEnd;
    switch (type_of(layout, raw)) {
        case FrameType::kCall:
            if (!view.load(*frame - 8, registers.rip) ||
                !restore_frame_pointer(view, layout, raw, *frame, registers))
                return KernelStep::kEnd;
            registers.gpr[cpu::kRSP] = *frame;
            return KernelStep::kCall;
        case FrameType::kRegisters:
            return load_saved_registers(view, *frame, registers, user) ? KernelStep::kSignal
                                                                       : KernelStep::kEnd;
        case FrameType::kPartialRegisters:
            return load_hardware_frame(view, *frame, registers, user) ? KernelStep::kSignal
                                                                      : KernelStep::kEnd;
        case FrameType::kNone:
            return KernelStep::kEnd;
    }
    return KernelStep::kEnd;
}

}  // namespace uchronia::profile
