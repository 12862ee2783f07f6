// For tests: executes single vector instructions on the host CPU, from a given state of the x87,
// MXCSR, the vector registers and the general registers that such instructions use.
//
// One thread, one HostCPU at a time: while it lives, the signals of faults are its own.
#pragma once

#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <span>

#include "base/check.h"
#include "cpu/interp/sse/float_unit.h"

namespace uchronia::cpu::interp::test_support {

// Before and after the instruction.
struct HostState {
    // Components of the standard XSAVE format (APM vol. 2, 11.5.2).
    static constexpr u64 kLegacy = 0;  // none: FXSAVE, which every host has
    static constexpr u64 kAVX = 7;

    explicit HostState(u64 saved_components) : components(saved_components) {
        at<u16>(kControl) = 0x37f;
        at<u64>(kHeader) = components;
    }

    template <class T>
    T& at(std::size_t offset) {
        return *reinterpret_cast<T*>(area + offset);
    }
    static constexpr std::size_t kControl = 0, kStatus = 2, kTags = 4, kMXCSR = 24, kST = 32,
                                 kXMM = 160, kHeader = 512, kUpper = 576;

    // All 32 bytes; without kAVX, 16.
    void set_vector(unsigned number, const VectorRegister& value) {
        std::memcpy(area + kXMM + 16 * number, &value.q[0], 16);
        std::memcpy(area + kUpper + 16 * number, &value.q[2], 16);
    }
    std::array<u64, 4> vector(unsigned number) {
        const u64 present = components == kLegacy ? 2 : at<u64>(kHeader);
        std::array<u64, 4> value{};
        if ((present & 2) != 0)
            std::memcpy(&value[0], area + kXMM + 16 * number, 16);
        if ((present & 4) != 0)
            std::memcpy(&value[2], area + kUpper + 16 * number, 16);
        return value;
    }

    // The general registers of `state`, but for RDI, which holds an address.
    void set_general(const CPUState& state) {
        rax = state.gpr[kRAX];
        rcx = state.gpr[kRCX];
        rdx = state.gpr[kRDX];
        rflags = state.rflags();
    }

    alignas(64) u8 area[832] = {};
    u64 rax = 0, rcx = 0, rdx = 0, rdi = 0, rflags = 0;
    const u64 components;
    const void* code = nullptr;
};

class HostCPU {
  public:
    HostCPU() {
        void* page = mmap(nullptr, kPageSize, PROT_READ | PROT_WRITE | PROT_EXEC,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK(page != MAP_FAILED);
        code_ = static_cast<u8*>(page);
        struct sigaction action {};
        action.sa_sigaction = on_signal;
        action.sa_flags = SA_SIGINFO | SA_NODEFER;
        for (std::size_t i = 0; i < std::size(kSignals); ++i)
            sigaction(kSignals[i], &action, &old_[i]);
    }
    ~HostCPU() {
        for (std::size_t i = 0; i < std::size(kSignals); ++i)
            sigaction(kSignals[i], &old_[i], nullptr);
        munmap(code_, kPageSize);
    }
    HostCPU(const HostCPU&) = delete;
    HostCPU& operator=(const HostCPU&) = delete;

    // Executes `instruction`; 0, or the signal that ended it.
    int run(HostState& state, std::span<const u8> instruction) {
        constexpr u8 kRet = 0xc3;
        std::memcpy(code_, instruction.data(), instruction.size());
        code_[instruction.size()] = kRet;
        state.code = code_;
        state_ = &state;
        const int number = sigsetjmp(exit_, 1);
        if (number == 0)
            execute(&state);
        else
            restore_own(state.components);
        return number;
    }

  private:
    static constexpr int kSignals[] = {SIGFPE, SIGSEGV, SIGILL};

    static void on_signal(int number, siginfo_t*, void* context) {
        const auto* u = static_cast<const ucontext_t*>(context);
        const std::size_t size = state_->components == HostState::kLegacy ? 512 : 832;
        std::memcpy(state_->area, u->uc_mcontext.fpregs, size);
        siglongjmp(exit_, number);
    }

    static void restore_own(u64 components) {
        asm volatile("fninit\n\tldmxcsr %0" : : "m"(sse::kHostMXCSR));
        if (components != HostState::kLegacy)
            asm volatile("vzeroupper");
    }

    [[gnu::noinline]] static void execute(HostState* state) {
        asm volatile(
            "lea -256(%%rsp), %%rsp\n\t"
            "mov %c[components](%%rbx), %%rax\n\txor %%edx, %%edx\n\ttest %%eax, %%eax\n\tjz 1f\n\t"
            "xrstor64 (%%rbx)\n\tjmp 2f\n\t1:\n\tfxrstor64 (%%rbx)\n\t2:\n\t"
            "pushq %c[rflags](%%rbx)\n\tpopfq\n\t"
            "mov %c[rax](%%rbx), %%rax\n\tmov %c[rcx](%%rbx), %%rcx\n\t"
            "mov %c[rdx](%%rbx), %%rdx\n\tmov %c[rdi](%%rbx), %%rdi\n\t"
            "call *%c[code](%%rbx)\n\t"
            "mov %%rax, %c[rax](%%rbx)\n\tmov %%rcx, %c[rcx](%%rbx)\n\t"
            "mov %%rdx, %c[rdx](%%rbx)\n\t"
            "pushfq\n\tpopq %c[rflags](%%rbx)\n\t"
            "mov %c[components](%%rbx), %%rax\n\txor %%edx, %%edx\n\ttest %%eax, %%eax\n\tjz 1f\n\t"
            "xsave64 (%%rbx)\n\tvzeroupper\n\tjmp 2f\n\t1:\n\tfxsave64 (%%rbx)\n\t2:\n\t"
            "fninit\n\tldmxcsr %[plain]\n\t"
            "lea 256(%%rsp), %%rsp\n\t"
            :
            : "b"(state), [rax] "i"(offsetof(HostState, rax)), [rcx] "i"(offsetof(HostState, rcx)),
              [rdx] "i"(offsetof(HostState, rdx)), [rdi] "i"(offsetof(HostState, rdi)),
              [rflags] "i"(offsetof(HostState, rflags)), [code] "i"(offsetof(HostState, code)),
              [components] "i"(offsetof(HostState, components)), [plain] "m"(sse::kHostMXCSR)
            : "rax", "rcx", "rdx", "rdi", "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4",
              "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
              "xmm15");
    }

    // A signal handler has no other way to find these.
    inline static sigjmp_buf exit_;
    inline static HostState* state_ = nullptr;

    u8* code_ = nullptr;
    struct sigaction old_[std::size(kSignals)];
};

// What the machine must have raised where the host ended with a signal.
inline Vector vector_of_signal(int number) {
    return number == SIGFPE ? Vector::kXF : number == SIGSEGV ? Vector::kGP : Vector::kUD;
}

}  // namespace uchronia::cpu::interp::test_support
