#include "cli/engine_option.h"

#include <string>

#include "cli/message.h"

namespace uchronia::cli {

void add_engine_option(CLI::App& app, machine::Engine& engine) {
    const auto set = [&engine](const std::string& name) {
        engine = name == "interp" ? machine::Engine::kInterpreter : machine::Engine::kTranslator;
    };
    app.add_option_function<std::string>(
           "--engine", set,
           "Who executes instructions: jit (translated code) or interp (the interpreter, "
           "slower). Both give the same run, bit for bit")
        ->check(CLI::IsMember({"jit", "interp"}))
        ->type_name("ENGINE")
        ->default_str("jit");
}

void say_if_engine_is_missing(machine::Engine engine) {
    const char* missing = machine::missing_host_feature(engine);
    if (missing != nullptr)
        say("This host has no " + std::string(missing) + "; running with the interpreter, slower");
}

}  // namespace uchronia::cli
