// FXSAVE, FXRSTOR, XSAVE, XSAVEOPT, XRSTOR, XGETBV, XSETBV: the standard format, in software
// (APM vol. 2, 11.4.4 and 11.5; vol. 4).
//
// Canon: the error pointers and the opcode are always saved; XSTATE_BV gets the requested
// components that are not in their initial configuration (XINUSE), computed from the state itself;
// XSAVEOPT leaves out components in their initial configuration, and never assumes that memory
// already holds the others. The legacy area's bytes 416-511 are never touched.
#include <array>
#include <cstring>

#include "cpu/interp/handlers.h"
#include "cpu/interp/state_components.h"
#include "cpu/interp/x87/unit.h"

namespace uchronia::cpu::interp {
namespace x87 {
namespace {

// Offsets in the save area.
constexpr u32 kMXCSROffset = 24, kRegistersOffset = 32, kVectorsOffset = 160, kLegacyEnd = 416;
constexpr u32 kHeaderOffset = 512, kHeaderSize = 64;

constexpr u32 kMXCSRMask = 0x0000ffff;
constexpr u64 kX87 = xstate::kX87, kSSE = xstate::kSSE, kAVX = xstate::kAVX;

struct alignas(64) Area {
    std::array<u8, kAVXOffset + kAVXSize> bytes{};

    template <class T>
    void put(u32 offset, T value) {
        std::memcpy(bytes.data() + offset, &value, sizeof value);
    }
    template <class T>
    T get(u32 offset) const {
        T value;
        std::memcpy(&value, bytes.data() + offset, sizeof value);
        return value;
    }
};

bool long_mode_code(const VCPU& cpu) {
    return (cpu.state.efer & efer::kLMA) != 0 &&
           (cpu.state.segments[kCS].attributes & Segment::kLong) != 0;
}

// XMM8-XMM15 exist in 64-bit mode only.
unsigned vector_count(const VCPU& cpu) {
    return long_mode_code(cpu) ? 16 : 8;
}

enum class Pointers : u8 { k32, k64 };  // without and with REX.W

void put_x87(Area& area, const X87State& x, Pointers pointers) {
    area.put<u16>(0, x.control);
    area.put<u16>(2, x.status);
    area.put<u16>(4, static_cast<u8>(~x.empty));
    area.put<u16>(6, x.opcode);
    const u64 mask = pointers == Pointers::k64 ? ~u64{0} : 0xffffffff;
    area.put<u64>(8, x.instruction & mask);
    area.put<u64>(16, x.data & mask);
    for (unsigned i = 0; i < 8; ++i) {
        area.put<u64>(kRegistersOffset + 16 * i, st(x, i).mantissa);
        area.put<u64>(kRegistersOffset + 16 * i + 8, st(x, i).exponent);
    }
}

void get_x87(const Area& area, X87State& x, Pointers pointers) {
    x.control = normalised_control(area.get<u16>(0));
    x.status = area.get<u16>(2);
    x.empty = static_cast<u8>(~area.get<u8>(4));
    x.opcode = area.get<u16>(6) & 0x7ff;
    const u64 mask = pointers == Pointers::k64 ? ~u64{0} : 0xffffffff;
    x.instruction = area.get<u64>(8) & mask;
    x.data = area.get<u64>(16) & mask;
    for (unsigned i = 0; i < 8; ++i) {
        Extended& value = x.registers[physical(x, i)];
        value.mantissa = area.get<u64>(kRegistersOffset + 16 * i);
        value.exponent = area.get<u16>(kRegistersOffset + 16 * i + 8);
    }
    update_summary(x);
}

// `half` 0 is the XMM registers, 1 the upper halves of the YMM registers.
void put_vectors(Area& area, const VCPU& cpu, u32 offset, unsigned half) {
    for (unsigned i = 0; i < vector_count(cpu); ++i)
        std::memcpy(area.bytes.data() + offset + 16 * i, &cpu.state.vectors[i].q[2 * half], 16);
}

void get_vectors(const Area& area, VCPU& cpu, u32 offset, unsigned half) {
    for (unsigned i = 0; i < vector_count(cpu); ++i)
        std::memcpy(&cpu.state.vectors[i].q[2 * half], area.bytes.data() + offset + 16 * i, 16);
}

void put_mxcsr(Area& area, const VCPU& cpu) {
    area.put<u32>(kMXCSROffset, cpu.state.mxcsr);
    area.put<u32>(kMXCSROffset + 4, kMXCSRMask);
}

bool vectors_in_use(const VCPU& cpu, unsigned half) {
    for (const VectorRegister& v : cpu.state.vectors)
        if ((v.q[2 * half] | v.q[2 * half + 1]) != 0)
            return true;
    return false;
}

bool x87_in_use(const X87State& x) {
    const X87State initial;
    if (x.control != initial.control || x.status != 0 || x.empty != initial.empty ||
        x.opcode != 0 || x.instruction != 0 || x.data != 0)
        return true;
    for (const Extended& value : x.registers)
        if (value.mantissa != 0 || value.exponent != 0)
            return true;
    return false;
}

u64 components_in_use(const VCPU& cpu) {
    return (x87_in_use(cpu.state.x87) ? kX87 : 0) | (vectors_in_use(cpu, 0) ? kSSE : 0) |
           (vectors_in_use(cpu, 1) ? kAVX : 0);
}

// Alignment and availability of the FXSAVE family.
bool begin_fx(VCPU& cpu, const Op* op, u64 address) {
    if (!available(cpu, op))
        return false;
    if (address % 16 == 0)
        return true;
    cpu.raise(op, Vector::kGP);
    return false;
}

template <Pointers pointers>
[[gnu::noinline]] bool fxsave(VCPU& cpu, const Op* op) {
    const u64 address = linear_address(cpu, op, Access::kWrite);
    if (!begin_fx(cpu, op, address))
        return false;
    Area area;
    put_x87(area, cpu.state.x87, pointers);
    put_mxcsr(area, cpu);
    put_vectors(area, cpu, kVectorsOffset, 0);
    const u32 size = kVectorsOffset + 16 * vector_count(cpu);
    return write_bytes(cpu, op, address, area.bytes.data(), size);
}

template <Pointers pointers>
[[gnu::noinline]] bool fxrstor(VCPU& cpu, const Op* op) {
    const u64 address = linear_address(cpu, op);
    Area area;
    if (!begin_fx(cpu, op, address) ||
        !read_bytes(cpu, op, address, area.bytes.data(), kHeaderOffset))
        return false;
    const u32 mxcsr = area.get<u32>(kMXCSROffset);
    if ((mxcsr & ~kMXCSRMask) != 0) {
        cpu.raise(op, Vector::kGP);
        return false;
    }
    cpu.state.mxcsr = mxcsr;
    get_x87(area, cpu.state.x87, pointers);
    get_vectors(area, cpu, kVectorsOffset, 0);
    return true;
}

// What XSAVE and XRSTOR check first. On success `components` is the requested-feature bitmap.
bool begin_xsave(VCPU& cpu, const Op* op, u64 address, u64& components) {
    const auto fail = [&](Vector vector) {
        cpu.raise(op, vector);
        return false;
    };
    if ((cpu.state.cr4 & cr4::kOSXSAVE) == 0)
        return fail(Vector::kUD);
    if ((cpu.state.cr0 & cr0::kTS) != 0)
        return fail(Vector::kNM);
    if (address % 64 != 0)
        return fail(Vector::kGP);
    const u64 requested = (cpu.state.gpr[kRDX] << 32) | static_cast<u32>(cpu.state.gpr[kRAX]);
    components = requested & cpu.state.xcr0;
    return true;
}

struct Piece {
    u32 offset, size;
};

// The bytes of the save area that belong to the components, in ascending order.
struct Pieces {
    std::array<Piece, 5> list{};
    u32 count = 0;

    void add(u32 offset, u32 size) { list[count++] = {offset, size}; }
};

Pieces pieces_of(const VCPU& cpu, u64 saved, u64 requested) {
    Pieces pieces;
    const u32 vectors_size = 16 * vector_count(cpu);
    if ((saved & kX87) != 0)
        pieces.add(0, kMXCSROffset);
    if ((requested & (kSSE | kAVX)) != 0)
        pieces.add(kMXCSROffset, 8);
    if ((saved & kX87) != 0)
        pieces.add(kRegistersOffset, kVectorsOffset - kRegistersOffset);
    if ((saved & kSSE) != 0)
        pieces.add(kVectorsOffset, vectors_size);
    if ((saved & kAVX) != 0)
        pieces.add(kAVXOffset, vectors_size);
    return pieces;
}

bool write_pieces(VCPU& cpu, const Op* op, u64 address, const Area& area, const Pieces& pieces) {
    for (u32 i = 0; i < pieces.count; ++i) {
        const Piece& piece = pieces.list[i];
        if (!check_writable(cpu, op, address + piece.offset, piece.size))
            return false;
    }
    for (u32 i = 0; i < pieces.count; ++i) {
        const Piece& piece = pieces.list[i];
        if (!write_bytes(cpu, op, address + piece.offset, area.bytes.data() + piece.offset,
                         piece.size))
            return false;
    }
    return true;
}

enum class Optimised : u8 { kNo, kYes };

template <Pointers pointers, Optimised optimised>
[[gnu::noinline]] bool xsave(VCPU& cpu, const Op* op) {
    const u64 address = linear_address(cpu, op, Access::kWrite);
    u64 requested;
    if (!begin_xsave(cpu, op, address, requested))
        return false;
    u64 header;
    const u64 header_address = address + kHeaderOffset;
    if (!check_writable(cpu, op, header_address, 8) ||
        !read_memory(cpu, op, header_address, header))
        return false;
    const u64 in_use = components_in_use(cpu);
    const u64 saved = optimised == Optimised::kYes ? requested & in_use : requested;
    Area area;
    put_x87(area, cpu.state.x87, pointers);
    put_mxcsr(area, cpu);
    put_vectors(area, cpu, kVectorsOffset, 0);
    put_vectors(area, cpu, kAVXOffset, 1);
    if (!write_pieces(cpu, op, address, area, pieces_of(cpu, saved, requested)))
        return false;
    return write_memory(cpu, op, header_address, (header & ~requested) | (requested & in_use));
}

// The header's rules of the standard format, and MXCSR's.
bool valid_for_restore(const VCPU& cpu, const Area& area, u64 requested) {
    const u64 present = area.get<u64>(kHeaderOffset);
    if ((present & ~cpu.state.xcr0) != 0)
        return false;
    if (area.get<u64>(kHeaderOffset + 8) != 0 || area.get<u64>(kHeaderOffset + 16) != 0)
        return false;
    return (requested & (kSSE | kAVX)) == 0 || (area.get<u32>(kMXCSROffset) & ~kMXCSRMask) == 0;
}

template <Pointers pointers>
[[gnu::noinline]] bool xrstor(VCPU& cpu, const Op* op) {
    const u64 address = linear_address(cpu, op);
    u64 requested;
    Area area;
    if (!begin_xsave(cpu, op, address, requested) ||
        !read_bytes(cpu, op, address, area.bytes.data(), kHeaderOffset + kHeaderSize))
        return false;
    const u64 present = area.get<u64>(kHeaderOffset);
    if (!valid_for_restore(cpu, area, requested)) {
        cpu.raise(op, Vector::kGP);
        return false;
    }
    if ((requested & present & kAVX) != 0 &&
        !read_bytes(cpu, op, address + kAVXOffset, area.bytes.data() + kAVXOffset, kAVXSize))
        return false;
    // What is requested but not present gets its initial configuration.
    const Area initial;
    if ((requested & kX87) != 0) {
        cpu.state.x87 = X87State{};
        if ((present & kX87) != 0)
            get_x87(area, cpu.state.x87, pointers);
    }
    if ((requested & (kSSE | kAVX)) != 0)
        cpu.state.mxcsr = area.get<u32>(kMXCSROffset);
    if ((requested & kSSE) != 0)
        get_vectors((present & kSSE) != 0 ? area : initial, cpu, kVectorsOffset, 0);
    if ((requested & kAVX) != 0)
        get_vectors((present & kAVX) != 0 ? area : initial, cpu, kAVXOffset, 1);
    return true;
}

void xgetbv(VCPU& cpu, const Op* op) {
    if ((cpu.state.cr4 & cr4::kOSXSAVE) == 0)
        return cpu.raise(op, Vector::kUD);
    if (static_cast<u32>(cpu.state.gpr[kRCX]) != 0)
        return cpu.raise(op, Vector::kGP);
    cpu.state.gpr[kRAX] = static_cast<u32>(cpu.state.xcr0);
    cpu.state.gpr[kRDX] = cpu.state.xcr0 >> 32;
    return next(cpu, op);
}

bool valid_xcr0(CPUModel model, u64 value) {
    if ((value & kX87) == 0 || (value & ~supported_components(model)) != 0)
        return false;
    return (value & kAVX) == 0 || (value & kSSE) != 0;
}

void xsetbv(VCPU& cpu, const Op* op) {
    if ((cpu.state.cr4 & cr4::kOSXSAVE) == 0)
        return cpu.raise(op, Vector::kUD);
    const u64 value = (cpu.state.gpr[kRDX] << 32) | static_cast<u32>(cpu.state.gpr[kRAX]);
    if (cpu.state.cpl() != 0 || static_cast<u32>(cpu.state.gpr[kRCX]) != 0 ||
        !valid_xcr0(cpu.platform.cpu_model(), value))
        return cpu.raise(op, Vector::kGP);
    cpu.state.xcr0 = value;
    cpu.state.rip = cpu.address_after(op);
}

}  // namespace
}  // namespace x87

namespace handler {

using enum x87::Pointers;
using x87::Optimised;

const HandlerSet FXSAVE_m = always(x87::run<x87::fxsave<k32>>);
const HandlerSet FXSAVE64_m = always(x87::run<x87::fxsave<k64>>);
const HandlerSet FXRSTOR_m = always(x87::run<x87::fxrstor<k32>>);
const HandlerSet FXRSTOR64_m = always(x87::run<x87::fxrstor<k64>>);
const HandlerSet XSAVE_m = always(x87::run<x87::xsave<k32, Optimised::kNo>>);
const HandlerSet XSAVE64_m = always(x87::run<x87::xsave<k64, Optimised::kNo>>);
const HandlerSet XSAVEOPT_m = always(x87::run<x87::xsave<k32, Optimised::kYes>>);
const HandlerSet XSAVEOPT64_m = always(x87::run<x87::xsave<k64, Optimised::kYes>>);
const HandlerSet XRSTOR_m = always(x87::run<x87::xrstor<k32>>);
const HandlerSet XRSTOR64_m = always(x87::run<x87::xrstor<k64>>);
const HandlerSet XGETBV = always(x87::xgetbv);
const HandlerSet XSETBV = always(x87::xsetbv);

}  // namespace handler
}  // namespace uchronia::cpu::interp
