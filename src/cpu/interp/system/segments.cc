#include "cpu/interp/system/segments.h"

#include <algorithm>

#include "cpu/access.h"

namespace uchronia::cpu::interp {

namespace {

u32 error_code_of(u16 selector) {
    return selector & ~u32{kSelectorRPL};
}

bool fail(VCPU& cpu, const Op* op, Vector vector, u32 error_code) {
    cpu.raise(op, vector, error_code);
    return false;
}

bool check_data_segment(VCPU& cpu, const Op* op, u16 selector, const Descriptor& found) {
    const unsigned rpl = selector & kSelectorRPL;
    const bool readable =
        found.is_data() || (found.is_code() && (found.attributes() & descriptor::kReadable) != 0);
    if (!readable)
        return fail(cpu, op, Vector::kGP, error_code_of(selector));
    if (!found.is_conforming_code() && found.dpl() < std::max(cpu.state.cpl(), rpl))
        return fail(cpu, op, Vector::kGP, error_code_of(selector));
    if (!found.present())
        return fail(cpu, op, Vector::kNP, error_code_of(selector));
    return true;
}

bool check_stack_segment(VCPU& cpu, const Op* op, u16 selector, unsigned cpl,
                         const Descriptor& found) {
    const bool writable = found.is_data() && (found.attributes() & descriptor::kWritable) != 0;
    if (!writable || (selector & kSelectorRPL) != cpl || found.dpl() != cpl)
        return fail(cpu, op, Vector::kGP, error_code_of(selector));
    if (!found.present())
        return fail(cpu, op, Vector::kSS, error_code_of(selector));
    return true;
}

bool may_enter(unsigned cpl, u16 selector, Transfer transfer, const Descriptor& code) {
    const unsigned rpl = selector & kSelectorRPL;
    const bool conforming = code.is_conforming_code();
    switch (transfer) {
        case Transfer::kDirect:
            return conforming ? code.dpl() <= cpl : rpl <= cpl && code.dpl() == cpl;
        case Transfer::kGateJump:
            return conforming ? code.dpl() <= cpl : code.dpl() == cpl;
        case Transfer::kGate:
            return code.dpl() <= cpl;
        case Transfer::kReturn:
            return rpl >= cpl && (conforming ? code.dpl() <= rpl : code.dpl() == rpl);
    }
    return false;
}

bool is_long_code(const CPUState& state) {
    return (state.efer & efer::kLMA) != 0 && (state.segments[kCS].attributes & Segment::kLong) != 0;
}

bool is_long_mode(const CPUState& state) {
    return (state.efer & efer::kLMA) != 0;
}

// LDT and TSS descriptors have 16 bytes in long mode.
DescriptorSize system_descriptor_size(const CPUState& state) {
    return is_long_mode(state) ? DescriptorSize::k16 : DescriptorSize::k8;
}

bool load_stack_segment(VCPU& cpu, const Op* op, u16 selector) {
    const unsigned cpl = cpu.state.cpl();
    if (is_null(selector)) {
        // Only 64-bit code of rings 0-2 may run without a stack segment.
        if (!is_long_code(cpu.state) || cpl == 3 || (selector & kSelectorRPL) != cpl)
            return fail(cpu, op, Vector::kGP, 0);
        cpu.state.set_segment(kSS, Segment{0, 0, selector, 0});
        return true;
    }
    Descriptor found;
    if (!read_descriptor(cpu, op, selector, DescriptorSize::k8, found) ||
        !check_stack_segment(cpu, op, selector, cpl, found) || !mark_accessed(cpu, op, found))
        return false;
    cpu.state.set_segment(kSS, found.segment(selector));
    return true;
}

bool read_tss(VCPU& cpu, const Op* op, u32 offset, u64& value, u32 external) {
    const Segment& tr = cpu.state.tr;
    if (u64{offset} + sizeof value - 1 > tr.limit)
        return fail(cpu, op, Vector::kTS, error_code_of(tr.selector) | external);
    return cpu.mmu.read_system(cpu, op, tr.base + offset, &value, sizeof value);
}

}  // namespace

Lookup find_descriptor(VCPU& cpu, const Op* op, u16 selector, DescriptorSize size,
                       Descriptor& found) {
    const bool local = (selector & kSelectorTI) != 0;
    const u64 base = local ? cpu.state.ldtr.base : cpu.state.gdtr.base;
    const u32 limit = local ? cpu.state.ldtr.limit : cpu.state.gdtr.limit;
    if (local && (cpu.state.ldtr.attributes & Segment::kPresent) == 0)
        return Lookup::kOutside;
    const u32 offset = selector & ~u32{7};
    const u32 bytes = static_cast<u32>(size);
    if (offset + bytes - 1 > limit)
        return Lookup::kOutside;
    u64 words[2] = {0, 0};
    if (!cpu.mmu.read_system(cpu, op, base + offset, words, bytes))
        return Lookup::kExit;
    found = {words[0], words[1], base + offset};
    return Lookup::kFound;
}

bool read_descriptor(VCPU& cpu, const Op* op, u16 selector, DescriptorSize size, Descriptor& found,
                     u32 external) {
    const Lookup lookup = find_descriptor(cpu, op, selector, size, found);
    if (lookup == Lookup::kOutside)
        cpu.raise(op, Vector::kGP, error_code_of(selector) | external);
    return lookup == Lookup::kFound;
}

bool mark_accessed(VCPU& cpu, const Op* op, Descriptor& descriptor) {
    if ((descriptor.attributes() & descriptor::kAccessed) != 0)
        return true;
    if (cpu.waits_for_own_block(op))
        return false;
    descriptor.low |= u64{descriptor::kAccessed} << 40;
    const u8 byte = static_cast<u8>(descriptor.low >> 40);
    return cpu.mmu.write_system(cpu, op, descriptor.address + 5, &byte, sizeof byte);
}

Segment real_mode_segment(const Segment& old, u16 selector) {
    Segment segment = old;
    segment.selector = selector;
    segment.base = u64{selector} << 4;
    // A null selector of protected mode has left it without a limit.
    if ((old.attributes & Segment::kPresent) == 0) {
        segment.limit = 0xffff;
        segment.attributes = descriptor::kRealModeData;
    }
    return segment;
}

bool load_segment(VCPU& cpu, const Op* op, SegmentRegister index, u16 selector) {
    if ((cpu.state.cr0 & cr0::kPE) == 0) {
        cpu.state.set_segment(index, real_mode_segment(cpu.state.segments[index], selector));
        return true;
    }
    if (index == kSS)
        return load_stack_segment(cpu, op, selector);
    if (is_null(selector)) {
        // The base becomes 0 as CPUID's NullSelectorClearsBase promises.
        cpu.state.set_segment(index, Segment{0, 0, selector, 0});
        return true;
    }
    Descriptor found;
    if (!read_descriptor(cpu, op, selector, DescriptorSize::k8, found) ||
        !check_data_segment(cpu, op, selector, found) || !mark_accessed(cpu, op, found))
        return false;
    cpu.state.set_segment(index, found.segment(selector));
    return true;
}

bool check_code_segment(VCPU& cpu, const Op* op, u16 selector, Transfer transfer, Segment& code,
                        u32 external) {
    if (is_null(selector))
        return fail(cpu, op, Vector::kGP, external);
    Descriptor found;
    if (!read_descriptor(cpu, op, selector, DescriptorSize::k8, found, external))
        return false;
    const u32 error_code = error_code_of(selector) | external;
    constexpr u16 kLongAndBig = Segment::kLong | Segment::kBig;
    const u16 size_bits = found.attributes() & kLongAndBig;
    const bool needs_long = transfer == Transfer::kGate || transfer == Transfer::kGateJump;
    const bool valid_size = !is_long_mode(cpu.state) ||
                            (needs_long ? size_bits == Segment::kLong : size_bits != kLongAndBig);
    if (!found.is_code() || !valid_size || !may_enter(cpu.state.cpl(), selector, transfer, found))
        return fail(cpu, op, Vector::kGP, error_code);
    if (!found.present())
        return fail(cpu, op, Vector::kNP, error_code);
    if (!mark_accessed(cpu, op, found))
        return false;
    unsigned new_cpl = cpu.state.cpl();
    if (transfer == Transfer::kReturn)
        new_cpl = selector & kSelectorRPL;
    else if (transfer == Transfer::kGate && !found.is_conforming_code())
        new_cpl = found.dpl();
    code = found.segment(static_cast<u16>(error_code_of(selector) | new_cpl));
    return true;
}

bool check_return_stack(VCPU& cpu, const Op* op, u16 selector, unsigned new_cpl, bool code_is_long,
                        Segment& stack) {
    if (is_null(selector)) {
        if (!code_is_long || new_cpl == 3 || (selector & kSelectorRPL) != new_cpl)
            return fail(cpu, op, Vector::kGP, 0);
        stack = Segment{0, 0, selector, 0};
        return true;
    }
    Descriptor found;
    if (!read_descriptor(cpu, op, selector, DescriptorSize::k8, found) ||
        !check_stack_segment(cpu, op, selector, new_cpl, found) || !mark_accessed(cpu, op, found))
        return false;
    stack = found.segment(selector);
    return true;
}

void drop_inner_segments(CPUState& state) {
    for (const SegmentRegister index : {kES, kDS, kFS, kGS}) {
        const Segment& segment = state.segments[index];
        constexpr u16 kConformingCode = descriptor::kCode | descriptor::kConforming;
        const bool conforming = (segment.attributes & kConformingCode) == kConformingCode;
        // Null selectors stay: their bases may have been set by WRFSBASE or an MSR.
        if (!is_null(segment.selector) && !conforming && segment.dpl() < state.cpl())
            state.set_segment(index, Segment{});
    }
}

bool load_ldtr(VCPU& cpu, const Op* op, u16 selector) {
    if (is_null(selector)) {
        cpu.state.ldtr = Segment{0, 0, selector, 0};
        return true;
    }
    const u32 error_code = error_code_of(selector);
    if ((selector & kSelectorTI) != 0)
        return fail(cpu, op, Vector::kGP, error_code);
    Descriptor found;
    if (!read_descriptor(cpu, op, selector, system_descriptor_size(cpu.state), found))
        return false;
    if (!found.is_system() || found.type() != descriptor::kLDT || !is_canonical(found.base64()))
        return fail(cpu, op, Vector::kGP, error_code);
    if (!found.present())
        return fail(cpu, op, Vector::kNP, error_code);
    cpu.state.ldtr = {found.base64(), found.limit(), selector, found.attributes()};
    return true;
}

bool load_tr(VCPU& cpu, const Op* op, u16 selector) {
    const u32 error_code = error_code_of(selector);
    if (is_null(selector) || (selector & kSelectorTI) != 0)
        return fail(cpu, op, Vector::kGP, error_code);
    Descriptor found;
    if (!read_descriptor(cpu, op, selector, system_descriptor_size(cpu.state), found))
        return false;
    const bool is_available =
        found.type() == descriptor::kAvailableTSS ||
        (!is_long_mode(cpu.state) && found.type() == descriptor::kAvailableTSS16);
    if (!found.is_system() || !is_available || !is_canonical(found.base64()))
        return fail(cpu, op, Vector::kGP, error_code);
    if (!found.present())
        return fail(cpu, op, Vector::kNP, error_code);
    constexpr u16 kBusy = descriptor::kAvailableTSS ^ descriptor::kBusyTSS;
    const u8 byte = static_cast<u8>((found.low >> 40) | kBusy);
    if (!cpu.mmu.write_system(cpu, op, found.address + 5, &byte, sizeof byte))
        return false;
    const u16 attributes = static_cast<u16>(found.attributes() | kBusy);
    cpu.state.tr = {found.base64(), found.limit(), selector, attributes};
    return true;
}

bool read_legacy_tss_stack(VCPU& cpu, const Op* op, unsigned privilege, u16& selector, u32& pointer,
                           u32 external) {
    const Segment& tr = cpu.state.tr;
    const bool wide = (tr.attributes & 8) != 0;
    const u32 width = wide ? 4 : 2;
    const u32 offset = width * (1 + 2 * privilege);
    if (offset + 2 * width - 1 > tr.limit)
        return fail(cpu, op, Vector::kTS, error_code_of(tr.selector) | external);
    pointer = 0;
    return cpu.mmu.read_system(cpu, op, tr.base + offset, &pointer, width) &&
           cpu.mmu.read_system(cpu, op, tr.base + offset + width, &selector, sizeof selector);
}

bool check_inner_stack(VCPU& cpu, const Op* op, u16 selector, unsigned new_cpl, Segment& stack,
                       u32 external) {
    const u32 error_code = error_code_of(selector) | external;
    if (is_null(selector))
        return fail(cpu, op, Vector::kTS, error_code);
    Descriptor found;
    const Lookup lookup = find_descriptor(cpu, op, selector, DescriptorSize::k8, found);
    if (lookup == Lookup::kExit)
        return false;
    const bool writable = found.is_data() && (found.attributes() & descriptor::kWritable) != 0;
    if (lookup == Lookup::kOutside || !writable || (selector & kSelectorRPL) != new_cpl ||
        found.dpl() != new_cpl)
        return fail(cpu, op, Vector::kTS, error_code);
    if (!found.present())
        return fail(cpu, op, Vector::kSS, error_code);
    if (!mark_accessed(cpu, op, found))
        return false;
    stack = found.segment(selector);
    return true;
}

bool read_tss_stack(VCPU& cpu, const Op* op, unsigned privilege, u64& rsp, u32 external) {
    return read_tss(cpu, op, 4 + 8 * privilege, rsp, external);
}

bool read_tss_ist(VCPU& cpu, const Op* op, unsigned ist, u64& rsp, u32 external) {
    return read_tss(cpu, op, 0x1c + 8 * ist, rsp, external);
}

bool check_port_permission(VCPU& cpu, const Op* op, u16 port, unsigned size) {
    const CPUState& state = cpu.state;
    if (state.cpl() <= ((state.system_flags & rflags::kIOPL) >> 12)) [[likely]]
        return true;
    constexpr u32 kBitmapOffsetField = 0x66;
    if (state.tr.limit < kBitmapOffsetField + 1)
        return fail(cpu, op, Vector::kGP, 0);
    u16 bitmap = 0;
    if (!cpu.mmu.read_system(cpu, op, state.tr.base + kBitmapOffsetField, &bitmap, sizeof bitmap))
        return false;
    // Two bytes are read whatever the size, so the byte after the last one must be there too.
    const u32 offset = bitmap + port / 8u;
    if (offset + 1 > state.tr.limit)
        return fail(cpu, op, Vector::kGP, 0);
    u16 bits = 0;
    if (!cpu.mmu.read_system(cpu, op, state.tr.base + offset, &bits, sizeof bits))
        return false;
    if (((bits >> (port % 8)) & ((1u << size) - 1)) != 0)
        return fail(cpu, op, Vector::kGP, 0);
    return true;
}

}  // namespace uchronia::cpu::interp
