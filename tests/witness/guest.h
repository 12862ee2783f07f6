// Executes one instruction in the interpreter: a vCPU in 64-bit user mode with a real MMU over a
// small RAM, whose data pages lie at the same linear addresses as the host's.
#pragma once

#include <memory>
#include <span>

#include "cpu/decode/decoder.h"
#include "tests/witness/state.h"

namespace uchronia::witness {

class GuestCPU {
  public:
    GuestCPU();
    ~GuestCPU();

    std::span<u8> data();  // the writable data pages
    void set_read_only_page(std::span<const u8> bytes);

    Outcome run(std::span<const u8> instruction, const State& before);

  private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace uchronia::witness
