// --engine: who executes the guest's instructions. It changes nothing but the time that a run
// takes, so it is no part of a history.
#pragma once

#include <memory>

#include <CLI/App.hpp>

#include "machine/machine.h"

namespace uchronia::cli {

void add_engine_option(CLI::App& app, machine::Engine& engine);

// The translations of earlier runs, from the cache folder; brings new ones there at the end of its
// life, when the machines that used it are gone.
class CodeCache {
  public:
    CodeCache();
    ~CodeCache();
    CodeCache(const CodeCache&) = delete;
    CodeCache& operator=(const CodeCache&) = delete;

    const std::shared_ptr<cpu::jit::CodeLibrary>& library() const { return library_; }

  private:
    std::shared_ptr<cpu::jit::CodeLibrary> library_;
};

// Says on standard error if this host cannot run the engine: the interpreter does it then.
void say_if_engine_is_missing(machine::Engine engine);

}  // namespace uchronia::cli
