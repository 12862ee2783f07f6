#include "cli/holds.h"

#include "cli/units.h"

namespace uchronia::cli {

void add_hold_option(CLI::App& app, std::vector<std::string>& holds) {
    app.add_option("--hold", holds,
                   "Holds a CPU at an exact instruction while the others go on: 1@#123456+5ms is "
                   "CPU 1 from that tick on, for so much virtual time. May be repeated")
        ->type_name("CPU@#TICK+TIME")
        ->allow_extra_args(false);
}

Result<history::Hold> parse_hold(const std::string& text) {
    const std::size_t at = text.find('@'), plus = text.find('+', at + 1);
    const auto wrong = [&](const std::string& why) {
        return Error{"--hold: '" + text + "' is no hold: " + why +
                     ". Write it like 1@#123456+5ms: the CPU, the tick from the run's start, the "
                     "virtual time"};
    };
    if (at == std::string::npos || plus == std::string::npos)
        return wrong("it lacks '@' or '+'");
    const std::string cpu = text.substr(0, at);
    if (cpu.size() != 1 || cpu[0] < '0' || cpu[0] > '9')
        return wrong("'" + cpu + "' is no CPU");
    const Result<Ticks> tick = parse_tick(text.substr(at + 1, plus - at - 1));
    if (!tick)
        return wrong(tick.error().message);
    const Result<VirtualTime> length = parse_duration(text.substr(plus + 1));
    if (!length)
        return wrong(length.error().message);
    return history::Hold{*tick, static_cast<u32>(cpu[0] - '0'), *length};
}

std::string format_hold(const history::Hold& hold) {
    return std::to_string(hold.vcpu) + "@#" + std::to_string(hold.tick.value) + "+" +
           std::to_string(hold.length.value) + "ns";
}

Status add_holds(const std::vector<std::string>& holds, u32 vcpu_count, history::Tape& tape) {
    for (const std::string& text : holds) {
        const Result<history::Hold> hold = parse_hold(text);
        if (!hold)
            return hold.error();
        tape.add(*hold);
    }
    Status status = tape.check();
    if (status)
        status = tape.check_vcpus(vcpu_count);
    return status ? status : Error{"--hold: " + status.error().message};
}

}  // namespace uchronia::cli
