// Watches the kernel's log: passes its lines, and the reports about itself in them, to the machine.
#pragma once

#include "guest/kernel_log.h"

namespace uchronia::agent {

class KernelWatch {
  public:
    // Opens the log; records from the boot on are read.
    void open();
    // For poll(): readable when there are new records.
    int descriptor() const { return descriptor_; }
    // From now on every record is passed on as a line of the log, too.
    void pass_on_lines() { passes_lines_ = true; }
    // Reads what there is; a report is passed on when it is complete or the log is quiet.
    void drain();

  private:
    void pass_on();

    int descriptor_ = -1;
    bool passes_lines_ = false;
    guest::KernelReports reports_;
};

}  // namespace uchronia::agent
