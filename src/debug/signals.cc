#include "debug/signals.h"

#include <signal.h>

#include <array>

#include "debug/packet.h"

namespace uchronia::debug {
namespace {

constexpr int kUnknown = 143;
constexpr int kFirstRealTime = 32;

// Those below the real-time ones: by the guest's number, gdb's.
constexpr std::array<u8, kFirstRealTime> kNumbers = [] {
    std::array<u8, kFirstRealTime> numbers{};
    // clang-format off
    constexpr struct { int signal; u8 number; } kPairs[] = {
        {SIGHUP, 1},   {SIGINT, 2},   {SIGQUIT, 3},    {SIGILL, 4},   {SIGTRAP, 5},
        {SIGABRT, 6},  {SIGFPE, 8},   {SIGKILL, 9},    {SIGBUS, 10},  {SIGSEGV, 11},
        {SIGSYS, 12},  {SIGPIPE, 13}, {SIGALRM, 14},   {SIGTERM, 15}, {SIGURG, 16},
        {SIGSTOP, 17}, {SIGTSTP, 18}, {SIGCONT, 19},   {SIGCHLD, 20}, {SIGTTIN, 21},
        {SIGTTOU, 22}, {SIGIO, 23},   {SIGXCPU, 24},   {SIGXFSZ, 25}, {SIGVTALRM, 26},
        {SIGPROF, 27}, {SIGWINCH, 28}, {SIGUSR1, 30},  {SIGUSR2, 31}, {SIGPWR, 32},
        {SIGSTKFLT, kUnknown},
    };
    // clang-format on
    for (const auto& pair : kPairs)
        numbers[static_cast<std::size_t>(pair.signal)] = pair.number;
    return numbers;
}();

}  // namespace

int gdb_signal(int signal) {
    constexpr int kFirst = 77, kSecond = 45, kLast = 78;  // 32; 33 and on; 64
    if (signal < 0 || signal > kLastSignal)
        return kUnknown;
    if (signal < kFirstRealTime)
        return kNumbers[static_cast<std::size_t>(signal)];
    if (signal == kFirstRealTime || signal == kLastSignal)
        return signal == kLastSignal ? kLast : kFirst;
    return signal - kFirstRealTime - 1 + kSecond;
}

std::optional<SignalSet> take_signals(std::string_view list) {
    SignalSet signals;
    while (!list.empty()) {
        const std::optional<u64> number = take_number(list);
        if (!number || (!take(list, ";") && !list.empty()))
            return std::nullopt;
        for (int signal = 1; signal <= kLastSignal; ++signal) {
            if (*number == static_cast<u64>(gdb_signal(signal)))
                signals.set(static_cast<std::size_t>(signal));
        }
    }
    return signals;
}

}  // namespace uchronia::debug
