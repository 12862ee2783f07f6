// What a guest's memory is used for, and where it is in its programs: names for a person who looks
// at one moment of one machine. Looking changes nothing.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "machine/machine.h"
#include "profile/linux_kernel.h"

namespace uchronia::profile {

class MachineView;

class PlaceNames {
  public:
    // Looks at the machine as it is now, which must stay so while names are asked for. `pages`: the
    // page numbers that page_name will be asked for.
    PlaceNames(machine::Machine& machine, const std::set<u64>& pages);
    ~PlaceNames();

    // "sh 83", or "cr3 0x..." where the guest does not tell.
    std::string process();
    // The instruction that comes next: "0x55d0... in sh 83", "do_idle+0x12 [kernel]".
    std::string next_instruction();
    // What the byte at `offset` of a physical page belongs to: "/usr/bin/dash (virtiofs) +0x3040",
    // "sh 83 at 0x7ffe...", "jiffies+0x0 [kernel]"; empty: not known.
    std::string page_name(u64 page_number, unsigned offset);

  private:
    void find_mappings(const std::set<u64>& pages);
    void walk(u64 table, unsigned level, u64 address, const std::set<u64>& pages);
    std::string symbol_at(u64 address);

    std::unique_ptr<MachineView> view_;
    std::unique_ptr<LinuxKernel> kernel_;  // null: there is none that we know
    std::map<u64, u64> addresses_;         // by page number: where the present process sees it
    unsigned tables_left_;                 // that may still be walked
};

}  // namespace uchronia::profile
