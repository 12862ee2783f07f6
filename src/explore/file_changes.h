// Whether the host's files are still what earlier runs of an exploration have seen of them.
#pragma once

#include <optional>
#include <string>

#include "history/file_record.h"

namespace uchronia::explore {

// Adds to `all` what a run has seen, without the bytes of contents. Returns what was not in it.
history::FileRecord add_new_answers(history::FileRecord& all, const history::FileRecord& run);

// Adds one record to another, whose answers win.
void merge(history::FileRecord& all, history::FileRecord more);

// The path of a file for which the host has now another answer; nothing: all are the same.
std::optional<std::string> first_changed_file(const history::FileRecord& record,
                                              host::FileSource& host);

}  // namespace uchronia::explore
