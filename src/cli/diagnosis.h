// One line of what 'uchronia doctor' says: what was looked at, how it is, and what to do about it.
#pragma once

#include <string>
#include <vector>

namespace uchronia::cli {

enum class Verdict { kOK, kWarning, kError };  // a warning: slower, or soon trouble; still usable

struct Diagnosis {
    std::string subject;
    Verdict verdict = Verdict::kOK;
    std::string text;
    std::string remedy = {};  // empty: nothing need be done
};

// Host and installation, without running a guest.
std::vector<Diagnosis> diagnose_host();
std::vector<Diagnosis> diagnose_installation();

// Runs `true` in a guest by both engines, from the base image, which is booted if there is none,
// and compares the hashes.
std::vector<Diagnosis> diagnose_engines();

}  // namespace uchronia::cli
