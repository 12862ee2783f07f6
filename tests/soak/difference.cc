#include "tests/soak/difference.h"

#include <array>
#include <cstdio>

#include "base/state_io.h"
#include "cpu/decode/decoder.h"
#include "cpu/execution.h"
#include "cpu/mmu/mmu.h"

namespace uchronia::soak {
namespace {

using Number = unsigned long long;
constexpr unsigned kShownBytes = 16, kShownFields = 40;

// What vCPU `index` would execute next.
void print_instruction(machine::Machine& machine, unsigned index) {
    const cpu::VCPU& cpu = machine.vcpu(index);
    std::array<u8, cpu::kLongestInstruction> bytes{};
    u32 size = 0;
    for (; size < bytes.size(); ++size) {
        const u64 address = cpu.state.rip + size;
        const u8* page = machine.mmu().probe_page(machine.vcpu(index), address);
        if (page == nullptr)
            break;
        bytes[size] = page[address & kPageMask];
    }
    cpu::Decoded decoded{};
    const cpu::DecodeStatus status =
        cpu::decode({bytes.data(), size}, cpu::code_mode(cpu.state), 0, decoded);
    std::printf("  vCPU %u at %016llx, cpl %u:", index, static_cast<Number>(cpu.state.rip),
                cpu.state.cpl());
    const u32 shown = status == cpu::DecodeStatus::kDone ? decoded.op.length : size;
    for (u32 i = 0; i < shown && i < size; ++i)
        std::printf(" %02x", bytes[i]);
    const std::string name(cpu::row_of(decoded.instruction).name);
    std::printf("  %s\n", status == cpu::DecodeStatus::kDone ? name.c_str() : "(not decoded)");
}

std::vector<FieldValue> fields_of(machine::Machine& machine) {
    ListingVisitor listing;
    machine.fields(listing);
    return listing.values();
}

void print_memory(machine::Machine& one, machine::Machine& other) {
    unsigned shown = 0;
    for (u64 page = 0; page < one.ram().page_count() && shown < kShownBytes; ++page) {
        const u8* a = one.ram().read_page(page);
        const u8* b = other.ram().read_page(page);
        for (u64 i = 0; i < kPageSize && shown < kShownBytes; ++i) {
            if (a[i] == b[i])
                continue;
            std::printf("  memory %llx: %02x != %02x\n", static_cast<Number>(page * kPageSize + i),
                        a[i], b[i]);
            ++shown;
        }
    }
}

}  // namespace

bool show_first_difference(const Manner& one, const Manner& other, u64 begin, u64 end) {
    const auto differs_at = [&](u64 tick) {
        const auto a = one.run(tick), b = other.run(tick);
        return a->ticks() != b->ticks() ||
               a->machine().state_digest() != b->machine().state_digest();
    };
    if (!differs_at(end))
        return false;
    u64 equal = begin, different = end;
    while (different - equal > 1) {
        const u64 middle = equal + (different - equal) / 2;
        (differs_at(middle) ? different : equal) = middle;
    }
    std::printf("first different at tick %llu: %s != %s, after\n", static_cast<Number>(different),
                one.name, other.name);
    const auto before = one.run(equal);
    for (unsigned i = 0; i < before->machine().config().vcpu_count; ++i)
        print_instruction(before->machine(), i);
    const auto a = one.run(different), b = other.run(different);
    unsigned shown = 0;
    for (const std::string& line :
         differing_fields(fields_of(a->machine()), fields_of(b->machine()))) {
        if (shown++ < kShownFields)
            std::printf("  %s\n", line.c_str());
    }
    print_memory(a->machine(), b->machine());
    return true;
}

}  // namespace uchronia::soak
