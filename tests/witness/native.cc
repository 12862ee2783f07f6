#include "tests/witness/native.h"

#include <asm/prctl.h>
#include <cpuid.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace uchronia::witness {
namespace {

// Lies at a fixed address below 2 GiB, so that the trampoline reaches it without a register.
struct Context {
    u64 in_gpr[16];            // 0x000
    u64 in_rflags;             // 0x080
    u64 in_rip;                // 0x088
    u64 host_rsp;              // 0x090
    u64 out_rip;               // 0x098
    u64 trap, error, address;  // 0x0a0: trap is kNoTrap if the instruction fell through
    u64 unused[9];
    u64 out_gpr[16];  // 0x100
    u64 out_rflags;   // 0x180
    u64 unused2[15];
    FXImage in_fx;          // 0x200
    FXImage out_fx;         // 0x400
    FXImage host_fx;        // 0x600
    UpperHalves in_upper;   // 0x800
    UpperHalves out_upper;  // 0x900
    u64 host_has_avx;       // 0xa00
};
constexpr u64 kContext = 0x30000000;
static_assert(offsetof(Context, in_rflags) == 0x80 && offsetof(Context, out_gpr) == 0x100 &&
              offsetof(Context, out_rflags) == 0x180 && offsetof(Context, in_fx) == 0x200 &&
              offsetof(Context, host_fx) == 0x600 && offsetof(Context, host_rsp) == 0x90 &&
              offsetof(Context, in_upper) == 0x800 && offsetof(Context, out_upper) == 0x900 &&
              offsetof(Context, host_has_avx) == 0xa00);

Context& context() {
    return *reinterpret_cast<Context*>(kContext);
}

constexpr u64 kNoTrap = ~u64{0};
constexpr int kSignals[] = {SIGSEGV, SIGFPE, SIGILL, SIGTRAP, SIGBUS};
constexpr std::size_t kSignalStackBytes = 64 * 1024;

}  // namespace

// enter loads the state and jumps to the instruction. leave is where it comes back without a
// signal; back is where the signal handler resumes.
extern "C" {
void uchronia_witness_enter();
void uchronia_witness_leave();
void uchronia_witness_back();
}
asm(R"(
    .text
    .set CTX, 0x30000000
    .globl uchronia_witness_enter, uchronia_witness_leave, uchronia_witness_back
uchronia_witness_enter:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, CTX+0x90
    fxsave64 CTX+0x600
    fxrstor64 CTX+0x200
    cmpq $0, CTX+0xa00
    je 1f
    vinsertf128 $1, CTX+0x800, %ymm0, %ymm0
    vinsertf128 $1, CTX+0x810, %ymm1, %ymm1
    vinsertf128 $1, CTX+0x820, %ymm2, %ymm2
    vinsertf128 $1, CTX+0x830, %ymm3, %ymm3
    vinsertf128 $1, CTX+0x840, %ymm4, %ymm4
    vinsertf128 $1, CTX+0x850, %ymm5, %ymm5
    vinsertf128 $1, CTX+0x860, %ymm6, %ymm6
    vinsertf128 $1, CTX+0x870, %ymm7, %ymm7
    vinsertf128 $1, CTX+0x880, %ymm8, %ymm8
    vinsertf128 $1, CTX+0x890, %ymm9, %ymm9
    vinsertf128 $1, CTX+0x8a0, %ymm10, %ymm10
    vinsertf128 $1, CTX+0x8b0, %ymm11, %ymm11
    vinsertf128 $1, CTX+0x8c0, %ymm12, %ymm12
    vinsertf128 $1, CTX+0x8d0, %ymm13, %ymm13
    vinsertf128 $1, CTX+0x8e0, %ymm14, %ymm14
    vinsertf128 $1, CTX+0x8f0, %ymm15, %ymm15
1:
    pushq CTX+0x80
    popfq
    mov CTX+0x00, %rax
    mov CTX+0x08, %rcx
    mov CTX+0x10, %rdx
    mov CTX+0x18, %rbx
    mov CTX+0x20, %rsp
    mov CTX+0x28, %rbp
    mov CTX+0x30, %rsi
    mov CTX+0x38, %rdi
    mov CTX+0x40, %r8
    mov CTX+0x48, %r9
    mov CTX+0x50, %r10
    mov CTX+0x58, %r11
    mov CTX+0x60, %r12
    mov CTX+0x68, %r13
    mov CTX+0x70, %r14
    mov CTX+0x78, %r15
    jmp *CTX+0x88
uchronia_witness_leave:
    mov %rax, CTX+0x100
    mov %rcx, CTX+0x108
    mov %rdx, CTX+0x110
    mov %rbx, CTX+0x118
    mov %rsp, CTX+0x120
    mov %rbp, CTX+0x128
    mov %rsi, CTX+0x130
    mov %rdi, CTX+0x138
    mov %r8, CTX+0x140
    mov %r9, CTX+0x148
    mov %r10, CTX+0x150
    mov %r11, CTX+0x158
    mov %r12, CTX+0x160
    mov %r13, CTX+0x168
    mov %r14, CTX+0x170
    mov %r15, CTX+0x178
    mov CTX+0x90, %rsp
    pushfq
    popq CTX+0x180
    fxsave64 CTX+0x400
    cmpq $0, CTX+0xa00
    je uchronia_witness_back
    vextractf128 $1, %ymm0, CTX+0x900
    vextractf128 $1, %ymm1, CTX+0x910
    vextractf128 $1, %ymm2, CTX+0x920
    vextractf128 $1, %ymm3, CTX+0x930
    vextractf128 $1, %ymm4, CTX+0x940
    vextractf128 $1, %ymm5, CTX+0x950
    vextractf128 $1, %ymm6, CTX+0x960
    vextractf128 $1, %ymm7, CTX+0x970
    vextractf128 $1, %ymm8, CTX+0x980
    vextractf128 $1, %ymm9, CTX+0x990
    vextractf128 $1, %ymm10, CTX+0x9a0
    vextractf128 $1, %ymm11, CTX+0x9b0
    vextractf128 $1, %ymm12, CTX+0x9c0
    vextractf128 $1, %ymm13, CTX+0x9d0
    vextractf128 $1, %ymm14, CTX+0x9e0
    vextractf128 $1, %ymm15, CTX+0x9f0
uchronia_witness_back:
    cmpq $0, CTX+0xa00
    je 2f
    vzeroupper
2:
    pushq $0x202
    popfq
    fxrstor64 CTX+0x600
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret
)");

namespace {

constexpr int kRegisterOrder[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                    REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                    REG_R12, REG_R13, REG_R14, REG_R15};

// The upper halves in a signal frame, whose XSAVE area has the standard format. A component in its
// initial state is not in it.
void take_upper_halves(const u8* frame_state, UpperHalves& upper) {
    constexpr std::size_t kHeader = 512, kAVXArea = 576;
    constexpr u64 kAVXComponent = 4;
    u64 present;
    std::memcpy(&present, frame_state + kHeader, sizeof present);
    upper = {};
    if ((present & kAVXComponent) != 0)
        std::memcpy(upper.data(), frame_state + kAVXArea, sizeof upper);
}

// Takes the faulted instruction's state out of the signal frame and goes on in the trampoline.
void on_signal(int number, siginfo_t*, void* frame) {
    auto& machine = static_cast<ucontext_t*>(frame)->uc_mcontext;
    Context& c = context();
    const u64 rip = static_cast<u64>(machine.gregs[REG_RIP]);
    if ((rip & ~kPageMask) != kCode) {  // our own crash
        signal(number, SIG_DFL);
        return;
    }
    for (unsigned i = 0; i < 16; ++i)
        c.out_gpr[i] = static_cast<u64>(machine.gregs[kRegisterOrder[i]]);
    c.out_rflags = static_cast<u64>(machine.gregs[REG_EFL]);
    c.out_rip = rip;
    c.trap = static_cast<u64>(machine.gregs[REG_TRAPNO]);
    c.error = static_cast<u64>(machine.gregs[REG_ERR]);
    c.address = static_cast<u64>(machine.gregs[REG_CR2]);
    std::memcpy(static_cast<void*>(&c.out_fx), machine.fpregs, sizeof c.out_fx);
    if (c.host_has_avx != 0)
        take_upper_halves(reinterpret_cast<const u8*>(machine.fpregs), c.out_upper);
    machine.gregs[REG_RIP] = reinterpret_cast<greg_t>(&uchronia_witness_back);
    machine.gregs[REG_RSP] = static_cast<greg_t>(c.host_rsp);
    machine.gregs[REG_EFL] = 0x202;
}

// Whether the CPU and its operating system have AVX.
bool has_avx() {
    unsigned a = 0, b = 0, c = 0, d = 0;
    __get_cpuid(1, &a, &b, &c, &d);
    if ((c & bit_OSXSAVE) == 0 || (c & bit_AVX) == 0)
        return false;
    asm("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
    return (a & 6) == 6;
}

void map_at(u64 address, u64 size, int protection) {
    void* const wanted = reinterpret_cast<void*>(address);
    void* const got =
        mmap(wanted, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    CHECK(got == wanted);
}

void install_handlers() {
    stack_t stack{};
    stack.ss_sp = mmap(nullptr, kSignalStackBytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    stack.ss_size = kSignalStackBytes;
    CHECK(stack.ss_sp != MAP_FAILED && sigaltstack(&stack, nullptr) == 0);
    struct sigaction action {};
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    for (const int number : kSignals)
        CHECK(sigaction(number, &action, nullptr) == 0);
}

constexpr u8 kBreakpoint = 0xcc;
// Behind the instruction: a jump to the pad, which jumps to uchronia_witness_leave. The pad's
// operand is aligned, because RFLAGS.AC may be set.
constexpr u8 kJumpToPad = 0xe9;
constexpr u64 kMostCodeBytes = 15 + 5;
constexpr u64 kPad = kCode + 0xff0;
constexpr u8 kPadJump[] = {0xff, 0x25, 2, 0, 0, 0};  // jmp [rip+2]

void write_pad() {
    const u64 target = reinterpret_cast<u64>(&uchronia_witness_leave);
    std::memcpy(reinterpret_cast<void*>(kPad), kPadJump, sizeof kPadJump);
    std::memcpy(reinterpret_cast<void*>(kPad + 8), &target, sizeof target);
}

}  // namespace

NativeCPU::NativeCPU() {
    map_at(kContext, kPageSize, PROT_READ | PROT_WRITE);
    map_at(kData, kWritableBytes + kPageSize, PROT_READ | PROT_WRITE);
    map_at(kCode, kPageSize, PROT_READ | PROT_WRITE | PROT_EXEC);
    std::memset(reinterpret_cast<void*>(kCode), kBreakpoint, kPageSize);
    write_pad();
    context().host_has_avx = has_avx() ? 1 : 0;
    install_handlers();
    CHECK(syscall(SYS_arch_prctl, ARCH_SET_GS, kGSBase) == 0);
}

NativeCPU::~NativeCPU() {
    for (const int number : kSignals)
        signal(number, SIG_DFL);
    munmap(reinterpret_cast<void*>(kContext), kPageSize);
    munmap(reinterpret_cast<void*>(kData), kWritableBytes + kPageSize);
    munmap(reinterpret_cast<void*>(kCode), kPageSize);
}

void NativeCPU::set_read_only_page(std::span<const u8> bytes) {
    void* const page = reinterpret_cast<void*>(kReadOnlyPage);
    CHECK(bytes.size() == kPageSize && mprotect(page, kPageSize, PROT_READ | PROT_WRITE) == 0);
    std::memcpy(page, bytes.data(), bytes.size());
    CHECK(mprotect(page, kPageSize, PROT_READ) == 0);
}

Outcome NativeCPU::run(std::span<const u8> instruction, const State& before, Ending ending) {
    u8* const code = reinterpret_cast<u8*>(before.rip);
    std::copy(instruction.begin(), instruction.end(), code);
    if (ending == Ending::kFallsThrough) {
        const u64 behind = before.rip + instruction.size();
        const i32 distance = static_cast<i32>(kPad - behind - 5);
        code[instruction.size()] = kJumpToPad;
        std::memcpy(code + instruction.size() + 1, &distance, sizeof distance);
    }
    Context& c = context();
    std::copy(before.gpr.begin(), before.gpr.end(), c.in_gpr);
    c.in_rflags = before.rflags;
    c.in_rip = before.rip;
    c.in_fx = before.fx;
    c.in_upper = before.upper;
    c.out_upper = {};
    c.trap = kNoTrap;
    uchronia_witness_enter();
    std::memset(code, kBreakpoint, kMostCodeBytes);

    Outcome outcome;
    std::copy(std::begin(c.out_gpr), std::end(c.out_gpr), outcome.state.gpr.begin());
    outcome.state.rflags = c.out_rflags;
    outcome.state.fx = c.out_fx;
    outcome.state.upper = c.host_has_avx != 0 ? c.out_upper : before.upper;
    if (c.trap == kNoTrap) {
        outcome.state.rip = before.rip + instruction.size();
        return outcome;
    }
    outcome.state.rip = c.out_rip;
    if (c.trap == 3 && ending == Ending::kBranches) {
        outcome.state.rip -= 1;  // the breakpoint at the branch's target
        return outcome;
    }
    outcome.faulted = true;
    outcome.vector = static_cast<u8>(c.trap);
    outcome.error_code = static_cast<u32>(c.error);
    outcome.fault_address = c.trap == 14 ? c.address : 0;
    return outcome;
}

}  // namespace uchronia::witness
