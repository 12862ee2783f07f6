// For tests only: visits in which every field has a value of its own.
#pragma once

#include "history/visits.h"

namespace uchronia::history {

inline std::vector<Visit> sample_visits() {
    using Kind = TerminalInput::Kind;
    Visit command;
    command.at = {Ticks(100), VirtualTime(150)};
    command.request = {.arguments = {"ps", "a\xff"},
                       .environment = {"TERM=dumb"},
                       .working_directory = "/srv",
                       .shares = {},
                       .modules_folder = "",
                       .groups = {7},
                       .uid = 5,
                       .gid = 6,
                       .input = machine::StandardInput::kFromHost};
    command.input = {'x', 0, 0xfe};
    Visit shell;
    shell.at = {Ticks(100), VirtualTime(170)};
    shell.request = {.arguments = {"sh"},
                     .environment = {},
                     .working_directory = "/",
                     .shares = {},
                     .modules_folder = "",
                     .groups = {},
                     .streams = machine::Streams::kTerminal};
    shell.terminal = {
        {.at = {Ticks(101), VirtualTime(171)}, .kind = Kind::kWindow, .rows = 24, .columns = 80},
        {.at = {Ticks(102), VirtualTime(180)}, .kind = Kind::kTyped, .typed = "ls\r"},
        {.at = {Ticks(102), VirtualTime(190)}, .kind = Kind::kHangUp}};
    Visit list;
    list.at = {Ticks(200), VirtualTime(250)};
    list.kind = Visit::Kind::kListFiles;
    list.request = {.arguments = {"/tmp"},
                    .environment = {},
                    .working_directory = "/",
                    .shares = {},
                    .modules_folder = "",
                    .groups = {}};
    return {command, shell, list};
}

}  // namespace uchronia::history
