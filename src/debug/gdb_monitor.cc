// gdb's command "monitor": moments and marks.

#include "debug/gdb_server.h"

namespace uchronia::debug {

const GDBServer::MonitorRow GDBServer::kMonitorRows[] = {
    {"when", "the present moment", &GDBServer::monitor_when},
    {"seek", "MOMENT (#TICK, 1.5s, end, or a mark): goes there", &GDBServer::monitor_seek},
    {"mark", "NAME: calls the present moment so", &GDBServer::monitor_mark},
    {"marks", "lists the marks", &GDBServer::monitor_marks},
    {"help", "tells these commands", &GDBServer::monitor_help},
};

std::string GDBServer::monitor(std::string_view rest) {
    const std::string line = from_hex(rest);
    const std::size_t space = line.find(' ');
    const std::string name = line.substr(0, space);
    const std::string argument = space == std::string::npos ? "" : line.substr(space + 1);
    for (const MonitorRow& row : kMonitorRows) {
        if (row.name == name)
            return to_hex((this->*row.handler)(argument) + "\n");
    }
    return to_hex("there is no 'monitor " + name + "'\n" + monitor_help("") + "\n");
}

std::string GDBServer::monitor_help(const std::string&) {
    std::string text;
    for (const MonitorRow& row : kMonitorRows)
        text += (text.empty() ? "monitor " : "\nmonitor ") + std::string(row.name) + "  " +
                std::string(row.help);
    return text;
}

std::string GDBServer::here() {
    return text_.format(traveller_.ticks(), traveller_.timeline().time());
}

std::string GDBServer::monitor_when(const std::string&) {
    return here();
}

std::string GDBServer::monitor_seek(const std::string& rest) {
    history::Moment moment;
    if (const auto mark = marks_.find(rest); mark != marks_.end()) {
        moment = history::Moment::at(mark->second.tick);
    } else {
        const Result<history::Moment> parsed = text_.parse(rest);
        if (!parsed)
            return parsed.error().message;
        moment = *parsed;
    }
    if (Status status = control_.go_to(moment); !status)
        return status.error().message;
    last_ = {.kind = Event::Kind::kStepped, .thread = debuggee_.present_thread()};
    thread_ = run_thread_ = last_.thread;
    return here();
}

std::string GDBServer::monitor_mark(const std::string& rest) {
    if (rest.empty())
        return "a mark needs a name: monitor mark NAME";
    marks_[rest] = {traveller_.ticks(), traveller_.timeline().time()};
    return rest + ": " + here();
}

std::string GDBServer::monitor_marks(const std::string&) {
    std::string text;
    for (const auto& [name, mark] : marks_)
        text += (text.empty() ? "" : "\n") + name + ": " + text_.format(mark.tick, mark.time);
    return text.empty() ? "there are no marks" : text;
}

}  // namespace uchronia::debug
