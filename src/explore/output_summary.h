// What a command has written, in little: enough to tell two runs apart and to show by what.
//
// Standard output and error count together, in the order in which the guest wrote them; in which
// pieces it wrote does not matter.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/fields.h"
#include "base/hash.h"
#include "machine/outside.h"

namespace uchronia::explore {

struct OutputSummary {
    Digest digest;     // of all bytes and of the stream that each went to
    u64 size = 0;      // bytes
    std::string head;  // the first ones
    std::string tail;  // the last ones after these; empty if the head is all

    void fields(FieldVisitor& v);
    bool operator==(const OutputSummary&) const = default;
};

// Listens to one run and keeps nothing but the summary.
class OutputSummariser final : public machine::SilentOutside {
  public:
    static constexpr u64 kHead = 2048, kTail = 512;

    void output(machine::OutputStream stream, std::span<const u8> bytes) override;
    OutputSummary summary() const;

  private:
    void digest_block();

    Digest digest_;
    std::vector<u8> block_;  // not yet in the digest
    machine::OutputStream stream_ = machine::OutputStream::kOutput;
    u64 size_ = 0;
    std::string head_, tail_;
};

}  // namespace uchronia::explore
