#include "tests/witness/guest.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "base/check.h"
#include "cpu/interp/block_cache.h"
#include "cpu/mmu/mmu.h"
#include "cpu/vcpu.h"

namespace uchronia::witness {

using namespace cpu;

namespace {

// Guest-physical pages: four page tables, then the data pages.
constexpr u64 kTablePage = 1, kDataPage = 8, kPageCount = 16;
constexpr u64 kEntryFlags = 0x67;  // present, writable, user, accessed, dirty
constexpr u64 kReadOnlyFlags = 0x65;
// A string instruction takes a chunk for each page and each crossing element; more is a hang.
constexpr unsigned kMostChunks = 10'000;

class Memory final : public PhysicalMemory {
  public:
    u64 page_count() const override { return kPageCount; }
    const u8* read_page(u64 number) override { return page(number); }
    u8* write_page(u64 number) override { return page(number); }

    u8* page(u64 number) {
        return number < kPageCount ? bytes_.data() + number * kPageSize : nullptr;
    }

  private:
    std::vector<u8> bytes_ = std::vector<u8>(kPageCount * kPageSize);
};

// No instruction that is compared reaches the platform.
class NoPlatform final : public Platform {
  public:
    u32 port_read(unsigned, u16, unsigned) override { CHECK(false); }
    void port_write(unsigned, u16, unsigned, u32) override { CHECK(false); }
    u64 mmio_read(unsigned, u64, unsigned) override { CHECK(false); }
    void mmio_write(unsigned, u64, unsigned, u64) override { CHECK(false); }
    MSRResult msr_read(unsigned, u32, u64&) override { CHECK(false); }
    MSRResult msr_write(unsigned, u32, u64) override { CHECK(false); }
    u64 task_priority(unsigned) override { CHECK(false); }
    void set_task_priority(unsigned, u64) override { CHECK(false); }
    bool interrupt_pending(unsigned) override { return false; }
    u8 acknowledge_interrupt(unsigned) override { CHECK(false); }
    u64 time_stamp(unsigned) override { CHECK(false); }
    u64 entropy() override { CHECK(false); }
    void hypercall(unsigned) override { CHECK(false); }
    void pause(unsigned) override {}
};

void build_page_tables(Memory& memory) {
    const auto set = [&](u64 level, u64 index, u64 value) {
        std::memcpy(memory.page(kTablePage + level) + 8 * index, &value, sizeof value);
    };
    for (u64 level = 0; level < 3; ++level) {
        const u64 index = (kData >> (39 - 9 * level)) & 511;
        set(level, index, (kTablePage + level + 1) << kPageBits | kEntryFlags);
    }
    for (u64 i = 0; i <= kWritablePages; ++i)
        set(3, ((kData >> kPageBits) & 511) + i,
            (kDataPage + i) << kPageBits | (i < kWritablePages ? kEntryFlags : kReadOnlyFlags));
}

void enter_user_mode(CPUState& state) {
    state.cr0 = cr0::kPE | cr0::kMP | cr0::kET | cr0::kNE | cr0::kWP | cr0::kAM | cr0::kPG;
    state.cr3 = kTablePage << kPageBits;
    state.cr4 = cr4::kPAE | cr4::kOSFXSR | cr4::kOSXMMEXCPT | cr4::kFSGSBASE | cr4::kOSXSAVE;
    state.xcr0 = 7;
    state.efer = efer::kLME | efer::kLMA | efer::kSCE | efer::kNXE;
    state.set_segment(kCS, {0, ~u32{0}, 0x33, 0xafb});
    state.set_segment(kSS, {0, ~u32{0}, 0x2b, 0xcf3});
    state.set_segment(kGS, {kGSBase, ~u32{0}, 0, 0xcf3});
}

void load(CPUState& state, const State& from) {
    std::copy(from.gpr.begin(), from.gpr.end(), state.gpr.begin());
    state.set_rflags(from.rflags);
    state.rip = from.rip;
    state.gpr[kPageBaseSlot] = from.rip & ~kPageMask;
    X87State& x = state.x87;
    x = {};
    x.control = from.fx.fcw;
    x.status = from.fx.fsw;
    x.empty = static_cast<u8>(~from.fx.ftw);
    for (unsigned i = 0; i < 8; ++i)
        x.registers[(x.top() + i) & 7] = {from.fx.st[i].mantissa, from.fx.st[i].exponent};
    state.mxcsr = from.fx.mxcsr;
    for (unsigned i = 0; i < 16; ++i)
        state.vectors[i].q = {from.fx.xmm[i][0], from.fx.xmm[i][1], from.upper[i][0],
                              from.upper[i][1]};
}

State save(const CPUState& state) {
    State to;
    std::copy_n(state.gpr.begin(), 16, to.gpr.begin());
    to.rflags = state.rflags();
    to.rip = state.rip;
    const X87State& x = state.x87;
    to.fx.fcw = x.control;
    to.fx.fsw = x.status;
    to.fx.ftw = static_cast<u8>(~x.empty);
    for (unsigned i = 0; i < 8; ++i) {
        to.fx.st[i].mantissa = x.registers[(x.top() + i) & 7].mantissa;
        to.fx.st[i].exponent = x.registers[(x.top() + i) & 7].exponent;
    }
    to.fx.mxcsr = state.mxcsr;
    for (unsigned i = 0; i < 16; ++i) {
        to.fx.xmm[i] = {state.vectors[i].q[0], state.vectors[i].q[1]};
        to.upper[i] = {state.vectors[i].q[2], state.vectors[i].q[3]};
    }
    return to;
}

}  // namespace

struct GuestCPU::Parts {
    Parts() : mmu(memory), vcpu(0, mmu, platform) {
        build_page_tables(memory);
        mmu.add_vcpu(vcpu);
        enter_user_mode(vcpu.state);
        mmu.update_context(vcpu);
    }

    Memory memory;
    NoPlatform platform;
    MMU mmu;
    VCPU vcpu;
    std::array<Op, 2> ops{};
};

GuestCPU::GuestCPU() : parts_(std::make_unique<Parts>()) {}
GuestCPU::~GuestCPU() = default;

std::span<u8> GuestCPU::data() {
    return {parts_->memory.page(kDataPage), kWritableBytes};
}

void GuestCPU::set_read_only_page(std::span<const u8> bytes) {
    CHECK(bytes.size() == kPageSize);
    std::copy(bytes.begin(), bytes.end(), parts_->memory.page(kDataPage + kWritablePages));
}

Outcome GuestCPU::run(std::span<const u8> instruction, const State& before) {
    VCPU& vcpu = parts_->vcpu;
    load(vcpu.state, before);
    parts_->mmu.update_context(vcpu);  // RFLAGS.AC
    Decoded decoded;
    CHECK(decode(instruction, CodeMode::k64, static_cast<u16>(before.rip & kPageMask), decoded) ==
          DecodeStatus::kDone);
    Op* const ops = parts_->ops.data();
    ops[0] = interp::bound_op(decoded);
    ops[1] = interp::end_of_block(static_cast<u16>(ops[0].offset + ops[0].length));
    const bool repeats = (decoded.attributes & attribute::kRepeat) != 0;
    vcpu.alone = false;
    vcpu.exit = Exit::kNone;
    for (unsigned chunk = 0;; ++chunk) {
        CHECK(chunk < kMostChunks);
        ops->handler(vcpu, ops);
        if (vcpu.exit == Exit::kAlone) {
            vcpu.exit = Exit::kNone;
            vcpu.alone = true;
            continue;
        }
        if (vcpu.exit != Exit::kNone || !repeats || vcpu.state.rip != before.rip)
            break;
    }
    CHECK(vcpu.exit == Exit::kNone || vcpu.exit == Exit::kFault);
    Outcome outcome;
    outcome.state = save(vcpu.state);
    if (vcpu.exit == Exit::kFault) {
        outcome.faulted = true;
        outcome.state.rip = before.rip;
        outcome.vector = static_cast<u8>(vcpu.fault.vector);
        outcome.error_code = vcpu.fault.error_code;
        outcome.fault_address = vcpu.fault.vector == Vector::kPF ? vcpu.fault.address : 0;
    }
    return outcome;
}

}  // namespace uchronia::witness
