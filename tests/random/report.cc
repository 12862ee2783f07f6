#include "tests/random/report.h"

#include <Zydis/Zydis.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string>

namespace uchronia::random {
namespace {

constexpr u64 kShownInstructions = 24;

using Number = unsigned long long;

// One line, and the instruction's length.
unsigned print_instruction(const u8* bytes, std::size_t size, u64 address) {
    ZydisDisassembledInstruction instruction;
    std::string text = "(bad)";
    unsigned length = 1;
    if (ZYAN_SUCCESS(ZydisDisassembleIntel(ZYDIS_MACHINE_MODE_LONG_64, address, bytes, size,
                                           &instruction))) {
        text = instruction.text;
        length = instruction.info.length;
    }
    std::string hex;
    for (unsigned i = 0; i < length; ++i) {
        char digits[4];
        std::snprintf(digits, sizeof digits, "%02x ", bytes[i]);
        hex += digits;
    }
    std::printf("  %016llx  %-32s %s\n", static_cast<Number>(address), hex.c_str(), text.c_str());
    return length;
}

// The reference, one instruction at a time, up to `end`.
void print_last_instructions(Computer& reference, const Subject& subject, u64 end) {
    const u64 first = end > kShownInstructions ? end - kShownInstructions : 0;
    std::printf("the last instructions of the interpreter:\n");
    for (u64 tick = first; tick < end; ++tick) {
        run(reference, subject, Way::kInterpreter, tick);
        if (reference.ended())
            break;
        const cpu::CPUState& state = reference.vcpu().state;
        std::array<u8, 15> bytes{};
        std::size_t size = 0;
        for (; size < bytes.size(); ++size) {
            const u8* page = reference.mmu().probe_page(reference.vcpu(), state.rip + size);
            if (page == nullptr)
                break;
            bytes[size] = page[(state.rip + size) & kPageMask];
        }
        std::printf("%6llu cpl %u flags %06llx", static_cast<Number>(tick), state.cpl(),
                    static_cast<Number>(state.rflags()));
        print_instruction(bytes.data(), size, state.rip);
    }
}

void print_memory_difference(Computer& reference, Computer& other) {
    for (u64 page = 0; page < reference.ram().page_count(); ++page) {
        const u8* wanted = reference.ram().read_page(page);
        const u8* found = other.ram().read_page(page);
        unsigned shown = 0;
        for (u64 i = 0; i < kPageSize && shown < 8; ++i) {
            if (wanted[i] == found[i])
                continue;
            std::printf("  memory %llx: %02x != %02x\n", static_cast<Number>(page * kPageSize + i),
                        wanted[i], found[i]);
            ++shown;
        }
    }
}

}  // namespace

void print_program(const Program& program, const Mask& mask, const Image& image) {
    const std::vector<u64> places = program.places();
    const cpu::CPUState& s = image.state;
    std::printf(
        "begins at %llx, cpl %u, rflags %llx, cr0 %llx, cr4 %llx, dr7 %llx, mxcsr %x, fs "
        "%llx, gs %llx; %llu ticks, compared every %llu, heat %u\n",
        static_cast<Number>(s.rip), s.cpl(), static_cast<Number>(s.rflags()),
        static_cast<Number>(s.cr0), static_cast<Number>(s.cr4), static_cast<Number>(s.dr7), s.mxcsr,
        static_cast<Number>(s.segment_base[cpu::kFS]),
        static_cast<Number>(s.segment_base[cpu::kGS]), static_cast<Number>(program.ticks),
        static_cast<Number>(program.interval), program.heat);
    for (std::size_t i = 0; i < program.pieces.size(); ++i) {
        if (!mask[i])
            continue;
        std::printf("piece %zu:\n", i);
        std::vector<u8> bytes;
        for (const Image::Part& part : image.parts) {
            if (places[i] >= part.address && places[i] < part.address + part.bytes.size())
                bytes.assign(part.bytes.begin() + static_cast<i64>(places[i] - part.address),
                             part.bytes.end());
        }
        bytes.resize(program.pieces[i].bytes.size());
        for (std::size_t at = 0; at < bytes.size();)
            at += print_instruction(bytes.data() + at, bytes.size() - at, places[i] + at);
    }
}

void print_difference(Computer& reference, Computer& other, const Subject& subject, Way way) {
    const std::optional<u64> tick = first_difference(reference, other, subject, way);
    if (!tick) {
        std::printf("no difference\n");
        return;
    }
    print_last_instructions(reference, subject, *tick);
    run(reference, subject, Way::kInterpreter, *tick);
    run(other, subject, way, *tick);
    std::printf("tick %llu: interpreter != %s\n", static_cast<Number>(*tick), name_of(way));
    for (const std::string& line : differing_fields(reference.state_fields(), other.state_fields()))
        std::printf("  %s\n", line.c_str());
    print_memory_difference(reference, other);
}

}  // namespace uchronia::random
