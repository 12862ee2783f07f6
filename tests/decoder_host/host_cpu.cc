#include "tests/decoder_host/host_cpu.h"

#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <cstring>

namespace uchronia::decoder_host {
namespace {

// Far from everything else, and from each other.
constexpr u64 kCode = 0x1000'0000'0000, kStack = 0x2000'0000'0000;
constexpr u64 kStackSize = 0x40000;
constexpr u64 kEnd = kCode + kPageSize;
constexpr std::size_t kSignalStackBytes = 256 * 1024;
constexpr int kSignals[] = {SIGSEGV, SIGFPE, SIGILL, SIGTRAP, SIGBUS, SIGSYS};
constexpr greg_t kTrapFlag = 0x100, kFixed = 2;
constexpr greg_t kFetch = 16;  // of a page fault's error code
constexpr greg_t kPageFault = 14;

// A handler has no other way to find these.
Attempts* attempts = nullptr;
u8* writable = nullptr;  // another mapping of the code page
u64 start = 0;
Flow flow = Flow::kBranches;
sigjmp_buf finished;

bool prepare(ucontext_t& context) {
    Attempt attempt;
    if (!attempts->next(attempt))
        return false;
    std::memcpy(writable + kPageSize - attempt.size, attempt.bytes.data(), attempt.size);
    start = kEnd - attempt.size;
    flow = attempt.flow;
    auto& registers = context.uc_mcontext.gregs;
    for (const int r : {REG_RAX, REG_RBX, REG_RCX, REG_RDX, REG_RSI, REG_RDI, REG_RBP, REG_R8,
                        REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15})
        registers[r] = 0;
    registers[REG_RSP] = static_cast<greg_t>(kStack + kStackSize / 2);
    registers[REG_RIP] = static_cast<greg_t>(start);
    registers[REG_EFL] = flow == Flow::kBranches ? kTrapFlag | kFixed : kFixed;
    return true;
}

Outcome outcome_of(int signal, const ucontext_t& context) {
    const auto& registers = context.uc_mcontext.gregs;
    const u64 at = static_cast<u64>(registers[REG_RIP]);
    const bool at_start = at == start;
    if (signal == SIGILL && at_start)
        return Outcome::kUndefined;
    if (signal == SIGSEGV && at_start && registers[REG_TRAPNO] == kPageFault &&
        (registers[REG_ERR] & kFetch) != 0 && static_cast<u64>(registers[REG_CR2]) == kEnd)
        return Outcome::kNeedsMore;
    if (flow == Flow::kFallsThrough && !at_start && at != kEnd)
        return Outcome::kShorter;
    return Outcome::kExecuted;
}

void handle(int signal, siginfo_t*, void* data) {
    ucontext_t& context = *static_cast<ucontext_t*>(data);
    attempts->outcome(outcome_of(signal, context));
    if (!prepare(context))
        siglongjmp(finished, 1);
}

// The first signal comes from here; its handler goes on with the first attempt.
void begin(int, siginfo_t*, void* data) {
    if (!prepare(*static_cast<ucontext_t*>(data)))
        siglongjmp(finished, 1);
}

bool map_memory() {
    const int file = ::memfd_create("code", 0);
    if (file < 0 || ::ftruncate(file, kPageSize) != 0)
        return false;
    const auto map = [&](u64 address, u64 size, int protection, int flags, int source) {
        return ::mmap(reinterpret_cast<void*>(address), size, protection, flags, source, 0);
    };
    void* code =
        map(kCode, kPageSize, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_FIXED_NOREPLACE, file);
    void* other = map(0, kPageSize, PROT_READ | PROT_WRITE, MAP_SHARED, file);
    void* stack = map(kStack, kStackSize, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1);
    void* signal_stack =
        map(0, kSignalStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    ::close(file);
    if (code == MAP_FAILED || other == MAP_FAILED || stack == MAP_FAILED ||
        signal_stack == MAP_FAILED)
        return false;
    writable = static_cast<u8*>(other);
    const stack_t alternate{.ss_sp = signal_stack, .ss_flags = 0, .ss_size = kSignalStackBytes};
    return ::sigaltstack(&alternate, nullptr) == 0;
}

void install(int signal, void (*handler)(int, siginfo_t*, void*)) {
    struct sigaction action {};
    action.sa_sigaction = handler;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    ::sigaction(signal, &action, nullptr);
}

}  // namespace

bool execute(Attempts& source) {
    attempts = &source;
    if (!map_memory())
        return false;
    for (const int signal : kSignals)
        install(signal, handle);
    install(SIGUSR1, begin);
    if (sigsetjmp(finished, 1) == 0)
        ::raise(SIGUSR1);
    return true;
}

}  // namespace uchronia::decoder_host
