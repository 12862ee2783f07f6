// The part of a history that a person can read: everything but input, chain and file record, as
// JSON. docs/format-history.md lists the keys.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "history/history.h"

namespace uchronia::history {

std::string configuration_to_json(const History& history);

// Fills the configuration of `history`. The error says which key is missing or wrong.
Status configuration_from_json(std::string_view text, History& history);

// The names of CPU models in histories and on the command line: "v2", "v3".
std::string name_of(cpu::CPUModel model);
std::optional<cpu::CPUModel> cpu_model_of(std::string_view name);

// The reverse of to_hex.
Result<Digest> digest_from_hex(std::string_view text);

}  // namespace uchronia::history
