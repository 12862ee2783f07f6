// Watches the kernel's log for reports about itself, and passes them to the machine.
#pragma once

#include "guest/kernel_log.h"

namespace uchronia::agent {

class KernelWatch {
  public:
    // Opens the log; records from the boot on are read.
    void open();
    // For poll(): readable when there are new records.
    int descriptor() const { return descriptor_; }
    // Reads what there is; a report is passed on when it is complete or the log is quiet.
    void drain();

  private:
    void pass_on();

    int descriptor_ = -1;
    guest::KernelReports reports_;
};

}  // namespace uchronia::agent
