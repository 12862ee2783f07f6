#include "cpu/reset.h"

#include "cpu/flat_segments.h"
#include "cpu/model.h"

namespace uchronia::cpu {
namespace {

constexpr u64 kKeptOfCR0 = u64{3} << 29;  // NW, CD
constexpr u16 kLDT = Segment::kPresent | 2, kBusyTSS16 = Segment::kPresent | 3;

}  // namespace

void reset_by_init(CPUState& state) {
    state.gpr = {};
    state.gpr[kRDX] = kProcessorSignature;
    state.rip = 0xfff0;
    state.set_rflags(rflags::kFixed);
    for (const SegmentRegister index : {kES, kSS, kDS, kFS, kGS})
        state.set_segment(index, {0, 0xffff, 0, descriptor::kRealModeData});
    state.set_segment(kCS, {0xffff0000, 0xffff, 0xf000, descriptor::kRealModeCode});
    state.ldtr = {0, 0xffff, 0, kLDT};
    state.tr = {0, 0xffff, 0, kBusyTSS16};
    state.gdtr = state.idtr = {0, 0xffff};
    state.cr0 = (state.cr0 & kKeptOfCR0) | cr0::kET;
    state.cr2 = state.cr3 = state.cr4 = 0;
    state.efer = 0;
    state.dr = {};
    state.dr6 = 0xffff0ff0;
    state.dr7 = 0x400;
    state.halted = state.interrupt_shadow = false;
    state.nmi_pending = state.nmi_masked = false;
}

void start_at_page(CPUState& state, u8 vector) {
    state.set_segment(
        kCS, {u64{vector} << 12, 0xffff, static_cast<u16>(vector << 8), descriptor::kRealModeCode});
    state.rip = 0;
}

}  // namespace uchronia::cpu
