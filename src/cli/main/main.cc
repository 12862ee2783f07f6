// The entry point alone, so that tests can link everything else.

#include "cli/commands.h"

int main(int argument_count, char** arguments) {
    return uchronia::cli::run_program(argument_count, arguments);
}
