// Instructions on descriptor tables and descriptors: SGDT to LTR, LAR, LSL, VERR, VERW.
// Source: APM vol. 2, 4.6 to 4.9; vol. 3, chapter 4.

#include <algorithm>

#include "cpu/interp/handlers.h"
#include "cpu/interp/system/privilege.h"
#include "cpu/interp/system/segments.h"

namespace uchronia::cpu::interp {

namespace {

// A pseudo-descriptor: limit, then base, of 64 bits in 64-bit mode and 32 elsewhere. A 16-bit LGDT
// or LIDT loads 24 of them.
constexpr u32 kLimitBytes = 2;
constexpr u32 kMostPseudoDescriptorBytes = 10;

constexpr u32 pseudo_descriptor_bytes(const Op* op) {
    return (op->flags & op_flag::kLegacy) != 0 ? 6 : kMostPseudoDescriptorBytes;
}

[[gnu::noinline]] bool store_pseudo_descriptor(VCPU& cpu, const Op* op,
                                               const DescriptorTable& table) {
    u8 bytes[kMostPseudoDescriptorBytes];
    std::memcpy(bytes, &table.limit, kLimitBytes);
    std::memcpy(bytes + kLimitBytes, &table.base, sizeof table.base);
    const u32 size = pseudo_descriptor_bytes(op);
    return write_bytes(cpu, op, linear_address(cpu, op, Access::kWrite, size), bytes, size);
}

template <DescriptorTable CPUState::*table>
void store_table(VCPU& cpu, const Op* op) {
    if (!store_pseudo_descriptor(cpu, op, cpu.state.*table))
        return;
    return next(cpu, op);
}

template <DescriptorTable CPUState::*table>
void load_table(VCPU& cpu, const Op* op) {
    if (!require_supervisor(cpu, op))
        return;
    u8 bytes[kMostPseudoDescriptorBytes] = {};
    const u32 size = pseudo_descriptor_bytes(op);
    if (!read_bytes(cpu, op, linear_address(cpu, op, Access::kRead, size), bytes, size))
        return;
    DescriptorTable loaded;
    std::memcpy(&loaded.limit, bytes, kLimitBytes);
    std::memcpy(&loaded.base, bytes + kLimitBytes, sizeof loaded.base);
    constexpr u8 kNarrow = op_flag::kLegacy | op_flag::kOperand16;
    if ((op->flags & kNarrow) == kNarrow)
        loaded.base &= 0xffffff;
    if (!is_canonical(loaded.base))
        return cpu.raise(op, Vector::kGP);
    cpu.state.*table = loaded;
    finish(cpu, op);
}

template <Segment CPUState::*segment, class T>
void store_system_selector_reg(VCPU& cpu, const Op* op) {
    if (!require_protected_mode(cpu, op))
        return;
    set_register<T>(cpu, op->rm, (cpu.state.*segment).selector);
    return next(cpu, op);
}

template <Segment CPUState::*segment>
void store_system_selector_mem(VCPU& cpu, const Op* op) {
    const u64 address = linear_address(cpu, op, Access::kWrite, 2);
    if (!require_protected_mode(cpu, op) ||
        !write_memory<u16>(cpu, op, address, (cpu.state.*segment).selector))
        return;
    return next(cpu, op);
}

template <Segment CPUState::*segment>
constexpr HandlerSet kStoreSystemSelector = {
    store_system_selector_reg<segment, u16>, store_system_selector_reg<segment, u32>,
    store_system_selector_reg<segment, u64>, store_system_selector_mem<segment>,
    store_system_selector_mem<segment>,      store_system_selector_mem<segment>};

using SystemLoad = bool (*)(VCPU&, const Op*, u16);

template <SystemLoad load>
void load_system_reg(VCPU& cpu, const Op* op) {
    if (require_protected_mode(cpu, op) && require_supervisor(cpu, op) &&
        load(cpu, op, register_at<u16>(cpu, op->rm)))
        finish(cpu, op);
}

template <SystemLoad load>
void load_system_mem(VCPU& cpu, const Op* op) {
    u16 selector = 0;
    if (require_protected_mode(cpu, op) && require_supervisor(cpu, op) &&
        read_memory(cpu, op, linear_address(cpu, op), selector) && load(cpu, op, selector))
        finish(cpu, op);
}

// A descriptor that LAR, LSL, VERR and VERW may look at; they answer with ZF and never fault for
// what is wrong with the selector.
bool is_visible(const CPUState& state, u16 selector, const Descriptor& found) {
    return found.is_conforming_code() ||
           found.dpl() >= std::max<unsigned>(state.cpl(), selector & kSelectorRPL);
}

bool is_any_tss(u16 type) {
    return type == descriptor::kAvailableTSS || type == descriptor::kBusyTSS;
}

// What a 16-bit or 32-bit system has besides.
bool is_legacy_rights(const CPUState& state, u16 type) {
    return (state.efer & efer::kLMA) == 0 &&
           (type == descriptor::kAvailableTSS16 || type == descriptor::kBusyTSS16 ||
            type == descriptor::kCallGate16 || type == descriptor::kTaskGate);
}
bool is_legacy_tss(const CPUState& state, u16 type) {
    return is_legacy_rights(state, type) &&
           (type == descriptor::kAvailableTSS16 || type == descriptor::kBusyTSS16);
}

struct AccessRights {
    static bool accepts(const CPUState& state, u16 selector, const Descriptor& found) {
        const bool known = !found.is_system() || found.type() == descriptor::kLDT ||
                           is_any_tss(found.type()) || found.type() == descriptor::kCallGate ||
                           is_legacy_rights(state, found.type());
        return known && is_visible(state, selector, found);
    }
    static u32 value(const Descriptor& found) {
        return static_cast<u32>(found.low >> 32) & 0x00ffff00;
    }
};

struct SegmentLimit {
    static bool accepts(const CPUState& state, u16 selector, const Descriptor& found) {
        const bool has_limit = !found.is_system() || found.type() == descriptor::kLDT ||
                               is_any_tss(found.type()) || is_legacy_tss(state, found.type());
        return has_limit && is_visible(state, selector, found);
    }
    static u32 value(const Descriptor& found) { return found.limit(); }
};

struct ReadAccess {
    static bool accepts(const CPUState& state, u16 selector, const Descriptor& found) {
        const bool readable =
            found.is_data() ||
            (found.is_code() && (found.attributes() & descriptor::kReadable) != 0);
        return readable && is_visible(state, selector, found);
    }
};

struct WriteAccess {
    static bool accepts(const CPUState& state, u16 selector, const Descriptor& found) {
        return found.is_data() && (found.attributes() & descriptor::kWritable) != 0 &&
               is_visible(state, selector, found);
    }
};

void set_zero_flag(VCPU& cpu, bool value) {
    u16& bits = cpu.state.flags.bits;
    bits = static_cast<u16>(value ? bits | ArithmeticFlags::kZF : bits & ~ArithmeticFlags::kZF);
}

// Sets ZF to whether the query accepts the selector. False: an exit is recorded.
template <class Query>
bool query_descriptor(VCPU& cpu, const Op* op, u16 selector, Descriptor& found) {
    Lookup lookup = Lookup::kOutside;
    if (!is_null(selector)) {
        lookup = find_descriptor(cpu, op, selector, DescriptorSize::k8, found);
        if (lookup == Lookup::kExit)
            return false;
    }
    set_zero_flag(cpu, lookup == Lookup::kFound && Query::accepts(cpu.state, selector, found));
    return true;
}

template <class Query, class T>
[[gnu::noinline]] bool load_query(VCPU& cpu, const Op* op, u16 selector) {
    Descriptor found;
    if (!query_descriptor<Query>(cpu, op, selector, found))
        return false;
    if (cpu.state.flags.zf())
        set_register<T>(cpu, op->reg, static_cast<T>(Query::value(found)));
    return true;
}

template <class Query>
[[gnu::noinline]] bool verify_query(VCPU& cpu, const Op* op, u16 selector) {
    Descriptor found;
    return query_descriptor<Query>(cpu, op, selector, found);
}

template <SystemLoad query>
void query_reg(VCPU& cpu, const Op* op) {
    if (!require_protected_mode(cpu, op) || !query(cpu, op, register_at<u16>(cpu, op->rm)))
        return;
    return next(cpu, op);
}

template <SystemLoad query>
[[gnu::noinline]] bool query_from_memory(VCPU& cpu, const Op* op) {
    u16 selector = 0;
    return read_memory(cpu, op, linear_address(cpu, op), selector) && query(cpu, op, selector);
}

template <SystemLoad query>
void query_mem(VCPU& cpu, const Op* op) {
    if (!require_protected_mode(cpu, op) || !query_from_memory<query>(cpu, op))
        return;
    return next(cpu, op);
}

template <class Query>
constexpr HandlerSet kLoadQuery = {
    query_reg<load_query<Query, u16>>, query_reg<load_query<Query, u32>>,
    query_reg<load_query<Query, u64>>, query_mem<load_query<Query, u16>>,
    query_mem<load_query<Query, u32>>, query_mem<load_query<Query, u64>>};

}  // namespace

namespace handler {
const HandlerSet SGDT_Ms = always(store_table<&CPUState::gdtr>);
const HandlerSet SIDT_Ms = always(store_table<&CPUState::idtr>);
const HandlerSet LGDT_Ms = always(load_table<&CPUState::gdtr>);
const HandlerSet LIDT_Ms = always(load_table<&CPUState::idtr>);
const HandlerSet SLDT_Ev = kStoreSystemSelector<&CPUState::ldtr>;
const HandlerSet STR_Ev = kStoreSystemSelector<&CPUState::tr>;
const HandlerSet LLDT_Ew = by_form(load_system_reg<load_ldtr>, load_system_mem<load_ldtr>);
const HandlerSet LTR_Ew = by_form(load_system_reg<load_tr>, load_system_mem<load_tr>);
const HandlerSet LAR_Gv_Ew = kLoadQuery<AccessRights>;
const HandlerSet LSL_Gv_Ew = kLoadQuery<SegmentLimit>;
const HandlerSet VERR_Ew =
    by_form(query_reg<verify_query<ReadAccess>>, query_mem<verify_query<ReadAccess>>);
const HandlerSet VERW_Ew =
    by_form(query_reg<verify_query<WriteAccess>>, query_mem<verify_query<WriteAccess>>);
}  // namespace handler

}  // namespace uchronia::cpu::interp
