// Tells the user that the base image is being booted: on a terminal with the latest line of the
// guest's console, else with one plain line.
#pragma once

#include <string>

#include "machine/outside.h"

namespace uchronia::cli {

class BootProgress final : public machine::Outside {
  public:
    explicit BootProgress(const std::string& kernel_name);

    // Clears the line.
    void finish();

    void output(machine::OutputStream stream, std::span<const u8> bytes) override;
    u64 input(u64 offset, std::span<u8> bytes) override;
    void console(u8 byte) override;
    void kernel_report(u64 kind, std::string_view text) override;
    void agent_log(u64 level, std::string_view text) override;

  private:
    void show(const std::string& line);

    const bool on_terminal_;
    std::string line_;
};

}  // namespace uchronia::cli
