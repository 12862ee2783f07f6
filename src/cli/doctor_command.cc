// uchronia doctor: whether this host and this installation can run guests, and what to do if not.

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/diagnosis.h"
#include "cli/exit_status.h"

namespace uchronia::cli {
namespace {

constexpr char kFooter[] = R"(
Looks at the host (processor, memory, limits), at the installation (the guest's kernel and modules,
the agent, the cache folder, the base image), and tests the engines: it measures in what the host's
processor differs from the guest's, runs 'true' in a guest by translated code and by the interpreter,
and compares the states. If there is no base image yet, it is booted.

Each line says ok, warning (slower, or not for long) or error, and what to do about it.

Exit status: 0 if Uchronia can be used, 1 if something is broken.)";

const char* word_of(Verdict verdict) {
    return verdict == Verdict::kOK ? "ok" : verdict == Verdict::kWarning ? "warning" : "error";
}

const char* colour_of(Verdict verdict) {
    return verdict == Verdict::kOK        ? "\x1b[32m"
           : verdict == Verdict::kWarning ? "\x1b[33m"
                                          : "\x1b[31m";
}

// Messages may have several lines.
std::string indented(const std::string& text, std::size_t width) {
    std::string result;
    for (const char c : text) {
        result += c;
        if (c == '\n')
            result.append(width, ' ');
    }
    return result;
}

// At once, as the self-test takes some seconds.
void print(const std::vector<Diagnosis>& diagnoses) {
    const bool coloured = ::isatty(STDOUT_FILENO) == 1;
    for (const Diagnosis& diagnosis : diagnoses) {
        std::printf("%s%-7s%s  %-18s %s\n", coloured ? colour_of(diagnosis.verdict) : "",
                    word_of(diagnosis.verdict), coloured ? "\x1b[0m" : "",
                    diagnosis.subject.c_str(), indented(diagnosis.text, 28).c_str());
        if (!diagnosis.remedy.empty())
            std::printf("%-27s -> %s\n", "", diagnosis.remedy.c_str());
    }
    std::fflush(stdout);
}

void print_json(const std::vector<Diagnosis>& diagnoses, bool usable) {
    nlohmann::ordered_json checks = nlohmann::ordered_json::array();
    for (const Diagnosis& diagnosis : diagnoses)
        checks.push_back({{"subject", diagnosis.subject},
                          {"verdict", word_of(diagnosis.verdict)},
                          {"text", diagnosis.text},
                          {"remedy", diagnosis.remedy}});
    const nlohmann::ordered_json json = {{"usable", usable}, {"checks", checks}};
    std::puts(json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace).c_str());
}

int doctor(bool json) {
    std::vector<Diagnosis> all;
    for (const auto diagnose : {diagnose_host, diagnose_installation, diagnose_engines}) {
        const std::vector<Diagnosis> some = diagnose();
        if (!json)
            print(some);
        all.insert(all.end(), some.begin(), some.end());
    }
    const bool usable = std::none_of(all.begin(), all.end(), [](const Diagnosis& diagnosis) {
        return diagnosis.verdict == Verdict::kError;
    });
    if (json)
        print_json(all, usable);
    else
        std::puts(usable ? "Uchronia can be used here." : "Something is broken; see above.");
    return usable ? kSuccess : kFindings;
}

}  // namespace

Command add_doctor_command(CLI::App& parent) {
    CLI::App* app =
        parent.add_subcommand("doctor", "Checks host and installation, tests the engines");
    auto json = std::make_shared<bool>(false);
    app->add_flag("--json", *json, "The same as JSON");
    app->footer(kFooter);
    return {
        .app = app, .run = [json](const auto&) { return doctor(*json); }, .takes_command = false};
}

}  // namespace uchronia::cli
