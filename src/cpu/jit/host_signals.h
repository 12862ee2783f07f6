// Faults of the host inside translated code: addresses that are not canonical, and divisions.
#pragma once

#include "base/types.h"

namespace uchronia::cpu::jit {

class Translator;

// Handles SIGSEGV, SIGBUS and SIGFPE in translated code from now on; others go to who had them.
void install_signal_handlers();

// While it lives, faults on this thread belong to that translator.
class RunningTranslator {
  public:
    explicit RunningTranslator(const Translator& translator);
    ~RunningTranslator();
    RunningTranslator(const RunningTranslator&) = delete;
    RunningTranslator& operator=(const RunningTranslator&) = delete;
};

}  // namespace uchronia::cpu::jit
