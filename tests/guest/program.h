// A guest test as it lies in tests/guest: the flat image of its assembly file, and what the file
// says about its end.
//
// Lines of the source that begin with "//:" are directives:
//     //: stop triple-fault      how the run must end: exit (the default), triple-fault, idle
//     //: ticks 50000            the most ticks it may take (default 200000)
//     //: rip 0x10203            a field of the vCPU's state (CPUState::fields) at the end
// A run that ends with an exit must have the code 0.
#pragma once

#include <string>
#include <vector>

#include "machine/machine.h"

namespace uchronia::guest_tests {

struct Program {
    struct Expectation {
        std::string field;  // "rax", "cs.selector"
        u64 value = 0;
    };

    std::vector<u8> image;
    machine::Stop stop = machine::Stop::kExited;
    Ticks limit{200'000};
    std::vector<Expectation> expectations;

    // Where the image is loaded (guest.ld), and the words that it begins with (guest.inc).
    static constexpr PhysicalAddress kBase{0x10000};
    u64 entry() const { return header(0); }
    u64 page_tables() const { return header(1); }
    PhysicalAddress report() const { return PhysicalAddress(header(2)); }

  private:
    u64 header(std::size_t index) const;
};

// Reads an assembled test and its source; the error names the file and the line.
Result<Program> load_program(const std::string& source, const std::string& image);

}  // namespace uchronia::guest_tests
