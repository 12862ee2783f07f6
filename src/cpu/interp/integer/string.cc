// MOVS, CMPS, STOS, LODS, SCAS, alone and repeated (APM vol. 3, 3; vol. 1, 3.3.7 and APM vol.
// 3, 1.2.6 for the repeat prefixes). string_chunk.h says what a chunk is.
//
// A string instruction ends its block. If iterations remain after a chunk, RIP stays on the
// instruction. A fault leaves the registers as of the iterations before it, which are committed.
// F2 repeats MOVS, STOS and LODS as F3 does, as on every processor.
#include "cpu/interp/integer/alu.h"
#include "cpu/interp/integer/forms.h"
#include "cpu/interp/integer/string_chunk.h"
#include "cpu/interp/string_register.h"

namespace uchronia::cpu::interp::integer {
namespace {

// The operands of a string instruction as the registers give them now.
struct StringOperands {
    u64 mask;  // of the address size: rSI, rDI and rCX are that wide
    u64 source_base;
    Direction direction;
    bool legacy;  // outside 64-bit mode: segments are checked, and the destination's is ES
    u8 source_segment;
    u8 size;                    // of an element
    Access destination_access;  // what is done to it

    StringOperands(const VCPU& cpu, const Op* op, u8 size_, Access destination_access_)
        : mask(string_mask(op)),
          source_base(cpu.state.segment_base[op->segment]),
          direction((cpu.state.system_flags & rflags::kDF) != 0 ? Direction::kDown
                                                                : Direction::kUp),
          legacy((op->flags & op_flag::kLegacy) != 0),
          source_segment(op->segment),
          size(size_),
          destination_access(destination_access_) {}

    u64 source(const VCPU& cpu) const {
        const u64 offset = cpu.state.gpr[kRSI] & mask;
        if (legacy) [[unlikely]]
            return segmented_address(cpu, source_segment, offset, Access::kRead, size);
        return offset + source_base;
    }
    u64 destination(const VCPU& cpu) const {
        const u64 offset = cpu.state.gpr[kRDI] & mask;
        if (legacy) [[unlikely]]
            return segmented_address(cpu, kES, offset, destination_access, size);
        return offset;
    }
    u64 count(const VCPU& cpu) const { return cpu.state.gpr[kRCX] & mask; }
    void count_down(VCPU& cpu, u64 done) const {
        set_string_register(cpu, kRCX, cpu.state.gpr[kRCX] - done, mask);
    }
    // Moves a pointer register over `count` elements.
    void advance(VCPU& cpu, Register pointer, u64 count) const {
        const u64 distance = count * size;
        const u64 value = cpu.state.gpr[pointer];
        set_string_register(
            cpu, pointer, direction == Direction::kUp ? value + distance : value - distance, mask);
    }
    // Whether the elements after one that its segment allows may lie outside it.
    bool has_limits(const VCPU& cpu) const {
        constexpr u32 kNone = ~u32{0};
        return legacy && (cpu.state.segments[source_segment].limit != kNone ||
                          cpu.state.segments[kES].limit != kNone);
    }
};

// Host address of `count` elements from a linear address on, all in one page, or null if they are
// not plain memory.
const u8* readable_elements(const VCPU& cpu, u64 address, u64 size) {
    const TableEntry& entry = table_entry(cpu, address);
    if (entry.read == 0 || !fits_in_page(address, size) || !is_canonical(address))
        return nullptr;
    return reinterpret_cast<const u8*>(address + entry.read);
}
u8* writable_elements(const VCPU& cpu, u64 address, u64 size) {
    const TableEntry& entry = table_entry(cpu, address);
    if (entry.write == 0 || !fits_in_page(address, size) || !is_canonical(address))
        return nullptr;
    return reinterpret_cast<u8*>(address + entry.write);
}

// One element through the MMU.
template <class T>
bool load_element_at(VCPU& cpu, const Op* op, u64 address, T& value) {
    return load_implicit<Place::kSlowMemory, Vector::kGP>(cpu, op, address, value);
}
template <class T>
bool store_element_at(VCPU& cpu, const Op* op, u64 address, T value) {
    return store_implicit<Place::kSlowMemory, Vector::kGP>(cpu, op, address, value);
}

// What an instruction does is two functions:
//   slow(): one iteration through the MMU; false if it faulted (nothing of it happened).
//   fast(): up to `count` iterations, all in one page, through host pointers; returns how many, 0
//   if
//           there is no pointer.
// Neither moves the pointer registers. stops() says whether REPE or REPNE ends after an iteration.
struct NeverStops {
    static bool stops(const VCPU&, const Op*) { return false; }
};

struct MoveString : NeverStops {
    static constexpr bool kSource = true, kDestination = true;
    static constexpr Access kAccess = Access::kWrite;  // to the destination

    template <class T>
    static bool slow(VCPU& cpu, const Op* op, const StringOperands& operands) {
        T value;
        return load_element_at(cpu, op, operands.source(cpu), value) &&
               store_element_at(cpu, op, operands.destination(cpu), value);
    }
    template <class T>
    static u64 fast(VCPU& cpu, const Op*, const StringOperands& operands, u64 count) {
        const u8* const source = readable_elements(cpu, operands.source(cpu), sizeof(T));
        u8* const destination = writable_elements(cpu, operands.destination(cpu), sizeof(T));
        if (source == nullptr || destination == nullptr)
            return 0;
        move_elements<T>(destination, source, count, operands.direction);
        return count;
    }
};

struct StoreString : NeverStops {
    static constexpr bool kSource = false, kDestination = true;
    static constexpr Access kAccess = Access::kWrite;  // to the destination

    template <class T>
    static bool slow(VCPU& cpu, const Op* op, const StringOperands& operands) {
        return store_element_at(cpu, op, operands.destination(cpu),
                                register_at<T>(cpu, kOffsetRAX));
    }
    template <class T>
    static u64 fast(VCPU& cpu, const Op*, const StringOperands& operands, u64 count) {
        u8* const destination = writable_elements(cpu, operands.destination(cpu), sizeof(T));
        if (destination == nullptr)
            return 0;
        fill_elements<T>(destination, register_at<T>(cpu, kOffsetRAX), count, operands.direction);
        return count;
    }
};

struct LoadString : NeverStops {
    static constexpr bool kSource = true, kDestination = false;
    static constexpr Access kAccess = Access::kRead;  // to the destination

    template <class T>
    static bool slow(VCPU& cpu, const Op* op, const StringOperands& operands) {
        T value;
        if (!load_element_at(cpu, op, operands.source(cpu), value))
            return false;
        set_register<T>(cpu, kOffsetRAX, value);
        return true;
    }
    // Only the last element stays.
    template <class T>
    static u64 fast(VCPU& cpu, const Op*, const StringOperands& operands, u64 count) {
        const u8* source = readable_elements(cpu, operands.source(cpu), sizeof(T));
        if (source == nullptr)
            return 0;
        const u64 distance = (count - 1) * sizeof(T);
        source = operands.direction == Direction::kUp ? source + distance : source - distance;
        set_register<T>(cpu, kOffsetRAX, load_element<T>(source));
        return count;
    }
};

// REPE (F3) goes on while ZF is 1, REPNE (F2) while it is 0.
struct StopsByZero {
    static bool stops(const VCPU& cpu, const Op* op) {
        return cpu.state.flags.zf() != ((op->flags & op_flag::kRep) != 0);
    }
};

struct CompareStrings : StopsByZero {
    static constexpr bool kSource = true, kDestination = true;
    static constexpr Access kAccess = Access::kRead;  // to the destination

    template <class T>
    static bool slow(VCPU& cpu, const Op* op, const StringOperands& operands) {
        T first, second;
        if (!load_element_at(cpu, op, operands.source(cpu), first) ||
            !load_element_at(cpu, op, operands.destination(cpu), second))
            return false;
        Subtract::apply<T>(first, second, cpu.state.flags);
        return true;
    }
    template <class T>
    static u64 fast(VCPU& cpu, const Op* op, const StringOperands& operands, u64 count) {
        const u8* source = readable_elements(cpu, operands.source(cpu), sizeof(T));
        const u8* destination = readable_elements(cpu, operands.destination(cpu), sizeof(T));
        if (source == nullptr || destination == nullptr)
            return 0;
        const bool while_equal = (op->flags & op_flag::kRep) != 0;
        const i64 step = operands.direction == Direction::kUp ? i64{sizeof(T)} : -i64{sizeof(T)};
        u64 done = 1;
        while (done < count &&
               (load_element<T>(source) == load_element<T>(destination)) == while_equal) {
            source += step;
            destination += step;
            ++done;
        }
        Subtract::apply<T>(load_element<T>(source), load_element<T>(destination), cpu.state.flags);
        return done;
    }
};

struct ScanString : StopsByZero {
    static constexpr bool kSource = false, kDestination = true;
    static constexpr Access kAccess = Access::kRead;  // to the destination

    template <class T>
    static bool slow(VCPU& cpu, const Op* op, const StringOperands& operands) {
        T value;
        if (!load_element_at(cpu, op, operands.destination(cpu), value))
            return false;
        Subtract::apply<T>(register_at<T>(cpu, kOffsetRAX), value, cpu.state.flags);
        return true;
    }
    template <class T>
    static u64 fast(VCPU& cpu, const Op* op, const StringOperands& operands, u64 count) {
        const u8* destination = readable_elements(cpu, operands.destination(cpu), sizeof(T));
        if (destination == nullptr)
            return 0;
        const T wanted = register_at<T>(cpu, kOffsetRAX);
        const bool while_equal = (op->flags & op_flag::kRep) != 0;
        const i64 step = operands.direction == Direction::kUp ? i64{sizeof(T)} : -i64{sizeof(T)};
        u64 done = 1;
        while (done < count && (load_element<T>(destination) == wanted) == while_equal) {
            destination += step;
            ++done;
        }
        Subtract::apply<T>(wanted, load_element<T>(destination), cpu.state.flags);
        return done;
    }
};

// Iterations of the chunk that begins now: at least 1 if `count` is not 0.
template <class Instruction, class T>
u64 chunk_size(const VCPU& cpu, const StringOperands& operands, u64 count) {
    if ((cpu.state.system_flags & rflags::kTF) != 0 || operands.has_limits(cpu))
        return std::min<u64>(count, 1);
    const auto limit = [&](u64 address) {
        count = std::min(count, iterations_in_page(address, sizeof(T), operands.direction));
    };
    if constexpr (Instruction::kSource) {
        limit(operands.source(cpu));
        if (operands.mask != ~u64{0})
            limit(cpu.state.gpr[kRSI]);
    }
    if constexpr (Instruction::kDestination) {
        limit(operands.destination(cpu));
        if (operands.mask != ~u64{0})
            limit(cpu.state.gpr[kRDI]);
    }
    return count;
}

template <class Instruction>
void advance_pointers(VCPU& cpu, const StringOperands& operands, u64 count) {
    if constexpr (Instruction::kSource)
        operands.advance(cpu, kRSI, count);
    if constexpr (Instruction::kDestination)
        operands.advance(cpu, kRDI, count);
}

// Up to `count` iterations that lie in one page: how many were done, 0 if the first faulted.
template <class Instruction, class T>
u64 iterate(VCPU& cpu, const Op* op, const StringOperands& operands, u64 count) {
    u64 done = Instruction::template fast<T>(cpu, op, operands, count);
    if (done == 0)
        done = Instruction::template slow<T>(cpu, op, operands) ? 1 : 0;
    if (done != 0)
        advance_pointers<Instruction>(cpu, operands, done);
    return done;
}

template <class Instruction, class T>
void run_chunk(VCPU& cpu, const Op* op, const StringOperands& operands) {
    u64 left = chunk_size<Instruction, T>(cpu, operands, operands.count(cpu));
    while (left != 0) {
        const u64 done = iterate<Instruction, T>(cpu, op, operands, left);
        if (done == 0)
            return;
        operands.count_down(cpu, done);
        left -= done;
        if (Instruction::stops(cpu, op)) {
            cpu.state.rip = cpu.address_after(op);
            return;
        }
        if (cpu.breakpoint_hits != 0)
            break;
    }
    cpu.state.rip = operands.count(cpu) == 0 ? cpu.address_after(op) : cpu.address_of(op);
}

template <class Instruction>
struct String {
    template <class T, Place>
    static void run(VCPU& cpu, const Op* op) {
        const StringOperands operands(cpu, op, sizeof(T), Instruction::kAccess);
        if ((op->flags & (op_flag::kRep | op_flag::kRepne)) != 0)
            return run_chunk<Instruction, T>(cpu, op, operands);
        if (iterate<Instruction, T>(cpu, op, operands, 1) != 0)
            cpu.state.rip = cpu.address_after(op);
    }
};

}  // namespace
}  // namespace uchronia::cpu::interp::integer

namespace uchronia::cpu::interp::handler {

using namespace integer;

constexpr HandlerSet MOVS_Yb_Xb = b_rows_at<String<MoveString>, Place::kMemory>();
constexpr HandlerSet MOVS_Yv_Xv = v_rows_at<String<MoveString>, Place::kMemory>();
constexpr HandlerSet CMPS_Xb_Yb = b_rows_at<String<CompareStrings>, Place::kMemory>();
constexpr HandlerSet CMPS_Xv_Yv = v_rows_at<String<CompareStrings>, Place::kMemory>();
constexpr HandlerSet STOS_Yb_AL = b_rows_at<String<StoreString>, Place::kMemory>();
constexpr HandlerSet STOS_Yv_rAX = v_rows_at<String<StoreString>, Place::kMemory>();
constexpr HandlerSet LODS_AL_Xb = b_rows_at<String<LoadString>, Place::kMemory>();
constexpr HandlerSet LODS_rAX_Xv = v_rows_at<String<LoadString>, Place::kMemory>();
constexpr HandlerSet SCAS_AL_Yb = b_rows_at<String<ScanString>, Place::kMemory>();
constexpr HandlerSet SCAS_rAX_Yv = v_rows_at<String<ScanString>, Place::kMemory>();

}  // namespace uchronia::cpu::interp::handler
