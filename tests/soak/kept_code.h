// Where the disturbed machines find translations of earlier ones: nowhere, in the process's memory,
// or in a file that each of them reads and adds to.
#pragma once

#include <memory>
#include <string>

#include "cpu/jit/code_library.h"
#include "tests/witness/random.h"

namespace uchronia::soak {

class KeptCode {
  public:
    KeptCode();
    // Removes the file.
    ~KeptCode();
    KeptCode(const KeptCode&) = delete;
    KeptCode& operator=(const KeptCode&) = delete;

    // For a new machine; null: it translates everything itself. The one before is gone.
    std::shared_ptr<cpu::jit::CodeLibrary> choose(witness::Random random);

    // How often each was chosen, and what was found.
    std::string description();

  private:
    void save();

    std::string folder_;
    std::shared_ptr<cpu::jit::CodeLibrary> in_memory_, in_file_;
    unsigned long long none_ = 0, memory_ = 0, file_ = 0, found_in_file_ = 0;
};

}  // namespace uchronia::soak
