// A profile as a table for a person, and as JSON.
#pragma once

#include <string>

#include "profile/profile.h"

namespace uchronia::cli {

enum class Colours : u8 { kNo, kYes };

struct TableOptions {
    profile::GroupBy group = profile::GroupBy::kFunction;
    std::size_t row_count = 40;  // the rest is summed up in a line
    Colours colours = Colours::kNo;
};

std::string profile_table(const profile::Profile& profile, const TableOptions& options);

// One object: what was sampled, and every row.
std::string profile_json(const profile::Profile& profile, profile::GroupBy group,
                         const std::string& state_hash, bool verified);

}  // namespace uchronia::cli
