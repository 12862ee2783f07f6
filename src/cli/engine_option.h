// --engine: who executes the guest's instructions. It changes nothing but the time that a run
// takes, so it is no part of a history.
#pragma once

#include <CLI/App.hpp>

#include "machine/machine.h"

namespace uchronia::cli {

void add_engine_option(CLI::App& app, machine::Engine& engine);

// Says on standard error if this host cannot run the engine: the interpreter does it then.
void say_if_engine_is_missing(machine::Engine engine);

}  // namespace uchronia::cli
