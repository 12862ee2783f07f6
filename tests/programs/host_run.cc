#include "tests/programs/host_run.h"

#include <sys/wait.h>

#include <cstdio>

namespace uchronia::tests {
namespace {

std::string quoted(const std::string& text) {
    std::string result = "'";
    for (const char c : text)
        result += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return result + "'";
}

}  // namespace

HostResult run_command(const std::string& command) {
    HostResult result;
    std::FILE* pipe = popen(command.c_str(), "r");
    if (pipe == nullptr)
        return result;
    char buffer[4096];
    for (std::size_t count; (count = std::fread(buffer, 1, sizeof buffer, pipe)) != 0;)
        result.output.append(buffer, count);
    const int status = pclose(pipe);
    result.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return result;
}

HostResult run_on_host(const std::string& script, const std::string& folder) {
    const std::string command =
        "cd " + quoted(folder) +
        " && env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "
        "LANG=C.UTF-8 sh -c " +
        quoted(script) + " 2>/dev/null </dev/null";
    return run_command(command);
}

}  // namespace uchronia::tests
