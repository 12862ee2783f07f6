// SYSCALL, SYSRET, CLAC and STAC, without the engine: a change of privilege between two address
// spaces and keys that the engine has prepared (VCPU::views, TranslatorFarFrame::prepared_keys).
//
// Whatever is not as usual (a pending interrupt, a trap, a target that is not in the jump table) is
// found before anything has changed, and left to the instruction's interpreter function.
// Source: APM vol. 3, SYSCALL, SYSRET, CLAC, STAC.
#include "cpu/flat_segments.h"
#include "cpu/jit/frame_layout.h"
#include "cpu/jit/jump_tables.h"
#include "cpu/jit/stubs.h"

namespace uchronia::cpu::jit {

using namespace frame;

namespace {

constexpr i32 kPushed = 8;  // the return address, behind which the site's number stands
constexpr u8 kAboveOrEqual = 3, kNotSign = 9;
constexpr HostRegister kFree1 = kHostRAX, kFree2 = kHostRDX;  // saved first

constexpr Memory there(i32 offset) {
    return at(kPushed + offset);
}
constexpr Memory of(HostRegister base, std::size_t offset) {
    return {.base = base, .displacement = static_cast<i32>(offset)};
}
constexpr Memory view(unsigned number, std::size_t offset) {
    return there(place(kViews, number * sizeof(VCPU::View) + offset));
}

void put_number(Assembler& out, HostRegister to, u64 number) {
    out.byte(static_cast<u8>(0x48 | to >> 3));
    out.byte(static_cast<u8>(0xb8 | (to & 7)));
    out.value(number);
}
void put_zero(Assembler& out, i32 offset) {
    out.rm(0xc7, 0, there(offset));
    out.value(i32{0});
}
void put_shift_right(Assembler& out, HostRegister a, u8 count) {
    out.byte(static_cast<u8>(0x48 | a >> 3));
    out.byte(0xc1);
    out.modrm_register(5, a);
    out.byte(count);
}
void put_multiply(Assembler& out, HostRegister to, HostRegister by) {
    out.byte(static_cast<u8>(0x48 | (to >> 3) << 2 | by >> 3));
    out.byte(0x0f);
    out.byte(0xaf);
    out.modrm_register(to, by);
}
void put_set_gs(Assembler& out, HostRegister base) {  // WRGSBASE
    out.byte(0xf3);
    out.byte(static_cast<u8>(0x48 | base >> 3));
    out.byte(0x0f);
    out.byte(0xae);
    out.modrm_register(3, base);
}

// A change of privilege, as far as both directions are the same.
class Transition {
  public:
    Transition(Assembler& out, const void* leave) : out_(out), leave_(leave) {
        out.store(there(kSaved), kFree1);
        out.store(there(kSaved + 8), kFree2);
        out.test32(there(kAttention), 0xff);
        fail_if(condition::kNotZero);
        out.test32(there(kEFER), static_cast<i32>(efer::kSCE));
        fail_if(condition::kZero);
    }

    void fail_if(u8 condition) { fails_[fail_count_++] = out_.jump_if(condition); }

    // Compares what has been prepared for the other privilege with what it is.
    void check_key(bool to_kernel) {
        constexpr i32 kKernel = mode_bit::kKernel;
        const unsigned half = to_kernel ? 1 : 0;
        const unsigned to = to_kernel ? VCPU::kKernelView : VCPU::kUserView;
        out_.load32(kFree1, there(kMode));
        out_.rr32(0x8b, kFree2, kFree1);
        out_.and32(kFree2, kKernel | static_cast<i32>(mode_bit::kBoundary));
        out_.compare(kFree2, to_kernel ? 0 : kKernel);
        fail_if(condition::kNotZero);
        if (to_kernel)
            out_.or32(kFree1, kKernel);
        else
            out_.and32(kFree1, ~kKernel);
        out_.rm32(0x3b, kFree1, prepared(to_kernel, offsetof(PreparedKey, mode)));
        fail_if(condition::kNotZero);
        out_.load(kFree1, view(to, offsetof(VCPU::View, fetch_keys) + 8 * half));
        out_.test(kFree1, kFree1);
        fail_if(condition::kZero);
        out_.compare(kFree1, prepared(to_kernel, offsetof(PreparedKey, fetch_key)));
        fail_if(condition::kNotZero);
    }

    // The entry of the other privilege's jump table for an address comes to rax. The last check.
    void find_target(bool to_kernel, HostRegister address) {
        put_table_place(out_, kFree1, address);
        out_.load(kFree2, prepared(to_kernel, offsetof(PreparedKey, jumps)));
        out_.rr(0x03, kFree1, kFree2);  // ADD
        out_.compare(address, of(kFree1, offsetof(JumpEntry, rip)));
        fail_if(condition::kNotZero);
        out_.store(there(kJumps), kFree2);
        out_.load32(kFree2, prepared(to_kernel, offsetof(PreparedKey, number)));
        out_.store32(there(kLinkKey), kFree2);
        out_.store(there(kRIP), address);
    }

    // Takes over the view, and goes to the entry in rax.
    void finish(unsigned to) {
        constexpr struct {
            i32 to;
            std::size_t from;
        } kCopies[] = {{kTables, offsetof(VCPU::View, tables)},
                       {kTables + 8, offsetof(VCPU::View, tables) + 8},
                       {kFetchKeys, offsetof(VCPU::View, fetch_keys)},
                       {kFetchKeys + 8, offsetof(VCPU::View, fetch_keys) + 8}};
        for (const auto& copy : kCopies) {
            out_.load(kScratch, view(to, copy.from));
            out_.store(there(copy.to), kScratch);
        }
        out_.load(kScratch, view(to, offsetof(VCPU::View, both)));
        put_set_gs(out_, kScratch);
        out_.load(kScratch2, there(kPresentTable));
        out_.store(of(kScratch2, 0), kScratch);
        put_number(out_, kScratch, kNoStackPage);
        out_.store(there(kStackPage), kScratch);
        put_zero(out_, kStackAddend);
        out_.load(kScratch, there(kRIP));
        out_.and_(kScratch, ~static_cast<i32>(kPageMask));
        out_.store(there(kPageBase), kScratch);
        out_.load(kScratch, of(kFree1, offsetof(JumpEntry, code)));
        put_restore();
        out_.lea(kHostRSP, at(kPushed));
        out_.jump(kScratch);
        for (unsigned i = 0; i < fail_count_; ++i)
            out_.bind(fails_[i]);
        put_restore();
        out_.jump(leave_);
    }

    // A flat segment with the selector in rdx, of which the upper bits are zero.
    void put_segment(u8 number, u16 attributes) {
        put_number(out_, kScratch, u64{attributes} << 48 | 0xffff'ffff);
        out_.rorx(kScratch2, kFree2, 32);
        out_.rr(0x0b, kScratch, kScratch2);  // OR
        out_.store(there(segment(number, offsetof(Segment, limit))), kScratch);
        put_zero(out_, segment_base(number));
        put_zero(out_, kSegmentBases + 8 * number);
    }

  private:
    static constexpr Memory prepared(bool kernel, std::size_t part) {
        return there(prepared_key(kernel, part));
    }
    void put_restore() {
        out_.load(kFree1, there(kSaved));
        out_.load(kFree2, there(kSaved + 8));
    }

    Assembler& out_;
    const void* const leave_;
    std::array<Jump, 16> fails_;
    unsigned fail_count_ = 0;
};
static_assert(offsetof(Segment, selector) == offsetof(Segment, limit) + 4 &&
              offsetof(Segment, attributes) == offsetof(Segment, limit) + 6);

// With CPL 3; in rcx is the address of the next instruction, the flags are in CPUState::flags.
const u8* put_system_call(Assembler& out, const void* leave) {
    constexpr i32 kCleared =
        static_cast<i32>(rflags::kArithmetic | rflags::kTF | rflags::kAC);  // as all kernels do
    constexpr i32 kFirstTarget = -0x8000'0000LL;  // where kernels lie; far from the boundary
    const u8* start = out.here();
    Transition t(out, leave);
    out.load32(kFree1, there(kSFMASK));
    out.and32(kFree1, kCleared);
    out.compare(kFree1, kCleared);
    t.fail_if(condition::kNotZero);
    out.load(kScratch2, there(kLSTAR));
    out.compare(kScratch2, kFirstTarget);
    t.fail_if(condition::kBelow);
    t.check_key(true);
    t.find_target(true, kScratch2);
    // Nothing stands in the way.
    out.or32(there(kMode), mode_bit::kKernel);
    out.move(kHome[kRCX], kScratch);
    put_flags_image(out, kPushed);
    out.move(kScratch2, kScratch);
    out.and_(kScratch2, ~static_cast<i32>(rflags::kRF));
    out.store(there(gpr(kR11)), kScratch2);
    out.load(kScratch, there(kSFMASK));
    out.byte(0x48);  // NOT
    out.byte(0xf7);
    out.modrm_register(2, kScratch);
    out.rr(0x23, kScratch2, kScratch);  // AND
    out.or32(kScratch2, static_cast<i32>(rflags::kFixed));
    out.store(there(kSystemFlags), kScratch2);
    out.byte(0x66);
    out.rm32(0xc7, 0, there(kFlags));
    out.value(u16{ArithmeticFlags::kFixed});
    out.load(kFree2, there(kSTAR));
    put_shift_right(out, kFree2, 32);
    out.and32(kFree2, 0xfffc);
    t.put_segment(kCS, descriptor::kFlatCode64);
    out.lea32(kFree2, Memory{.base = kFree2, .displacement = 8});
    out.and32(kFree2, 0xffff);
    t.put_segment(kSS, descriptor::kFlatData);
    t.finish(VCPU::kKernelView);
    return start;
}

// To 64-bit code, with CPL 0.
const u8* put_system_return(Assembler& out, const void* leave) {
    constexpr u64 kLoaded = rflags::kIF | rflags::kDF | rflags::kIOPL | rflags::kNT | rflags::kVIF |
                            rflags::kVIP | rflags::kID;
    constexpr i32 kTooHigh = 0x7fff;  // too near the boundary; in units of 4 GiB
    const u8* start = out.here();
    Transition t(out, leave);
    out.move(kScratch, kHome[kRCX]);
    put_shift_right(out, kScratch, 32);
    out.compare(kScratch, kTooHigh);
    t.fail_if(kAboveOrEqual);
    out.load(kScratch, there(gpr(kR11)));
    out.test32(kScratch, static_cast<u32>(rflags::kTF | rflags::kAC));
    t.fail_if(condition::kNotZero);
    t.check_key(false);
    t.find_target(false, kHome[kRCX]);
    out.and32(there(kMode), ~static_cast<i32>(mode_bit::kKernel));
    out.move32(kScratch2, kScratch);
    out.and32(kScratch2, static_cast<i32>(kLoaded));
    out.or32(kScratch2, static_cast<i32>(rflags::kFixed));
    out.store(there(kSystemFlags), kScratch2);
    out.move32(kScratch2, kScratch);
    out.and32(kScratch2, static_cast<i32>(rflags::kArithmetic & 0xff));
    out.shift_left32(kScratch2, 8);
    out.shift_right32(kScratch, 11);
    out.and32(kScratch, 1);
    out.rr32(0x0b, kScratch2, kScratch);
    out.or32(kScratch2, ArithmeticFlags::kFixed);
    out.store16(there(kFlags), kScratch2);
    out.load(kFree2, there(kSTAR));
    put_shift_right(out, kFree2, 48);
    out.lea32(kFree2, Memory{.base = kFree2, .displacement = 8});
    out.or32(kFree2, 3);
    out.store16(there(segment_selector(kSS)), kFree2);
    out.load(kFree2, there(kSTAR));
    put_shift_right(out, kFree2, 48);
    out.lea32(kFree2, Memory{.base = kFree2, .displacement = 16});
    out.or32(kFree2, 3);
    out.and32(kFree2, 0xffff);
    t.put_segment(kCS, descriptor::with_dpl(descriptor::kFlatCode64, 3));
    t.finish(VCPU::kUserView);
    return start;
}

// CLAC or STAC, with CPL 0. Comes back with ZF set if that was all. The stack's page stays what it
// is if it lies in the upper half, which looks the same to both.
const u8* put_access_flag(Assembler& out, bool sets) {
    const unsigned to = sets ? VCPU::kKernelViewWithAC : VCPU::kKernelView;
    const u8* start = out.here();
    out.test32(there(kSystemFlags), static_cast<i32>(rflags::kAC));
    const Jump differs = out.jump_if(sets ? condition::kZero : condition::kNotZero);
    if (sets)
        out.xor32(kScratch, kScratch);
    out.ret();
    out.bind(differs);
    out.load(kScratch, there(kPageBase));
    out.test(kScratch, kScratch);
    const Jump in_lower_half = out.jump_if(kNotSign);
    out.load(kScratch, view(to, offsetof(VCPU::View, both)));
    out.test(kScratch, kScratch);
    const Jump no_view = out.jump_if(condition::kZero);
    put_set_gs(out, kScratch);
    out.load(kScratch2, there(kPresentTable));
    out.store(of(kScratch2, 0), kScratch);
    out.load(kScratch, view(to, offsetof(VCPU::View, tables)));
    out.store(there(kTables), kScratch);
    if (sets)
        out.or_(there(kSystemFlags), static_cast<i32>(rflags::kAC));
    else
        out.and_(there(kSystemFlags), ~static_cast<i32>(rflags::kAC));
    out.load(kScratch, there(kStackPage));
    out.test(kScratch, kScratch);
    const Jump in_upper_half = out.jump_if(condition::kSign);
    put_number(out, kScratch, kNoStackPage);
    out.store(there(kStackPage), kScratch);
    put_zero(out, kStackAddend);
    out.bind(in_upper_half);
    out.xor32(kScratch, kScratch);
    out.ret();
    out.bind(in_lower_half);
    out.bind(no_view);
    out.or32(kScratch, 1);
    out.ret();
    return start;
}

// The time stamp (RunClock) comes to rcx; ZF is set if the platform has to be asked. A run with
// several vCPUs is one turn, so that (parts + ticks * parts_of_tick) is less than 2^35, where a
// product by 2^45/840, rounded up, is exact in its upper bits.
const u8* put_time(Assembler& out) {
    constexpr unsigned kShift = 45;
    constexpr u64 kReciprocal = (u64{1} << kShift) / RunClock::kParts + 1;
    const u8* start = out.here();
    out.load(kScratch2, there(kClockStart));
    out.test(kScratch2, kScratch2);
    const Jump unknown = out.jump_if(condition::kZero);
    out.load(kScratch, there(kTickBase));
    out.sub(kScratch, kBudgetRegister);
    out.compare32(there(kClockPartsOfTick), RunClock::kParts);
    const Jump alone = out.jump_if(condition::kZero);
    out.load(kScratch2, there(kClockPartsOfTick));
    put_multiply(out, kScratch, kScratch2);
    out.add(kScratch, there(kClockParts));
    put_number(out, kScratch2, kReciprocal);
    put_multiply(out, kScratch, kScratch2);
    put_shift_right(out, kScratch, kShift);
    out.load(kScratch2, there(kClockStart));
    out.bind(alone);
    out.rr(0x03, kScratch, kScratch2);  // ADD, which is not zero
    out.bind(unknown);
    out.ret();
    return start;
}

}  // namespace

void put_system_stubs(Assembler& out, Stubs& stubs) {
    stubs.time = put_time(out);
    stubs.system_call = put_system_call(out, stubs.leave);
    stubs.system_return = put_system_return(out, stubs.leave);
    stubs.access = {put_access_flag(out, false), put_access_flag(out, true)};
}

}  // namespace uchronia::cpu::jit
