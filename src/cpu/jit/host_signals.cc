#include "cpu/jit/host_signals.h"

#include <signal.h>
#include <ucontext.h>

#include <mutex>

#include "cpu/jit/frame_layout.h"
#include "cpu/jit/translator.h"

namespace uchronia::cpu::jit {
namespace {

thread_local const Translator* running = nullptr;

struct sigaction previous_segv, previous_bus, previous_fpe;

const struct sigaction& previous_of(int signal) {
    return signal == SIGSEGV ? previous_segv : signal == SIGBUS ? previous_bus : previous_fpe;
}

// Whether the fault was at an address where the host may have something: such an access was not the
// guest's to make, and must not pass for one (docs/decisions/0013). Addresses that are not
// canonical come without an address (SI_KERNEL), or on hosts with 57-bit addresses beyond 47 bits.
bool is_escape(int signal, const siginfo_t& info) {
    return signal == SIGSEGV && info.si_code > 0 && info.si_code != SI_KERNEL &&
           reinterpret_cast<u64>(info.si_addr) >> 47 == 0;
}

void handle(int signal, siginfo_t* info, void* context) {
    auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
    if (running != nullptr && !is_escape(signal, *info)) {
        const Access* access = running->access_at(static_cast<u64>(registers[REG_RIP]));
        if (access != nullptr) {
            if (access->flags_in_host) {
                auto* cpu = reinterpret_cast<VCPU*>(registers[REG_RSP] - frame::kStackPointer);
                cpu->state.flags =
                    ArithmeticFlags::from_rflags(static_cast<u64>(registers[REG_EFL]));
            }
            registers[REG_RIP] =
                static_cast<greg_t>(reinterpret_cast<u64>(running->site_of(*access)));
            return;
        }
    }
    const struct sigaction& previous = previous_of(signal);
    if ((previous.sa_flags & SA_SIGINFO) != 0) {
        previous.sa_sigaction(signal, info, context);
        return;
    }
    ::sigaction(signal, &previous, nullptr);  // happens again, and is handled as before
}

void install(int signal, struct sigaction& previous) {
    struct sigaction action {};
    action.sa_sigaction = handle;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    sigemptyset(&action.sa_mask);
    ::sigaction(signal, &action, &previous);
}

}  // namespace

void install_signal_handlers() {
    static std::once_flag once;
    std::call_once(once, [] {
        install(SIGSEGV, previous_segv);
        install(SIGBUS, previous_bus);
        install(SIGFPE, previous_fpe);
    });
}

RunningTranslator::RunningTranslator(const Translator& translator) {
    running = &translator;
}
RunningTranslator::~RunningTranslator() {
    running = nullptr;
}

}  // namespace uchronia::cpu::jit
