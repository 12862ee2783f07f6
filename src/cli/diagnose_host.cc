// The host: processor, memory, limits.

#include "cli/diagnosis.h"
#include "cli/units.h"
#include "host/abilities.h"
#include "machine/machine.h"

namespace uchronia::cli {
namespace {

// A machine of the default size with its tables takes less than this much address space.
constexpr u64 kAddressSpace = u64{32} << 30;
// The default guest, if it touches all of its memory, and the program.
constexpr u64 kComfortableMemory = u64{3} << 29;

Diagnosis processor() {
    const std::string name = host::processor_name();
    const std::string known = name.empty() ? "unknown model" : name;
    const char* missing = machine::missing_host_feature(machine::Engine::kTranslator);
    if (missing == nullptr)
        return {"processor", Verdict::kOK, known + "; has all that translated code needs"};
    return {"processor", Verdict::kWarning,
            known + " has no " + missing + ": the interpreter runs alone, slower",
            "use a host with x86-64-v3, AES and FSGSBASE (Linux 5.9 or later)"};
}

Diagnosis executable_memory() {
    if (host::runs_written_code())
        return {"executable memory", Verdict::kOK, "can be written and executed"};
    return {"executable memory", Verdict::kWarning,
            "memory cannot be both written and executed: the interpreter runs alone, slower",
            "allow it: SELinux's execmem, systemd's MemoryDenyWriteExecute=no, or the container's "
            "seccomp profile"};
}

Diagnosis address_space() {
    const std::optional<u64> limit = host::address_space_limit();
    const std::string overcommit = host::first_line_of("/proc/sys/vm/overcommit_memory");
    if (!host::can_reserve(kAddressSpace)) {
        const std::string why = limit ? " (the limit is " + format_size(*limit) + ")" : "";
        return {"address space", Verdict::kError,
                format_size(kAddressSpace) + " cannot be reserved" + why,
                limit ? "raise it: ulimit -v unlimited"
                      : "set vm.overcommit_memory to 0 or 1 (sysctl vm.overcommit_memory=0)"};
    }
    if (overcommit == "2")
        return {"address space", Verdict::kWarning,
                "the host does not overcommit memory (vm.overcommit_memory is 2), so large guests "
                "may not start",
                "set it to 0 or 1 (sysctl vm.overcommit_memory=0)"};
    return {"address space", Verdict::kOK,
            (limit ? "limited to " + format_size(*limit) : "unlimited") +
                (overcommit.empty() ? "" : ", vm.overcommit_memory is " + overcommit)};
}

Diagnosis memory() {
    const std::optional<u64> available = host::available_memory();
    if (!available)
        return {"memory", Verdict::kWarning, "how much is available is not known", "mount /proc"};
    if (*available < kComfortableMemory)
        return {"memory", Verdict::kWarning,
                format_size(*available) + " available; the default guest may use more than 1 GiB",
                "end other programs, or give guests less: --memory 512M"};
    return {"memory", Verdict::kOK, format_size(*available) + " available"};
}

Diagnosis huge_pages() {
    const std::string setting = host::first_line_of("/sys/kernel/mm/transparent_hugepage/enabled");
    if (setting.find("[never]") != std::string::npos || setting.empty())
        return {"huge pages", Verdict::kWarning,
                setting.empty() ? "the host has none: somewhat slower"
                                : "transparent huge pages are switched off: somewhat slower",
                "write 'madvise' to /sys/kernel/mm/transparent_hugepage/enabled"};
    const std::size_t begin = setting.find('['), end = setting.find(']');
    const std::string chosen = begin == std::string::npos || end < begin
                                   ? setting
                                   : setting.substr(begin + 1, end - begin - 1);
    return {"huge pages", Verdict::kOK, "transparent huge pages: " + chosen};
}

}  // namespace

std::vector<Diagnosis> diagnose_host() {
    return {processor(), executable_memory(), address_space(), memory(), huge_pages()};
}

}  // namespace uchronia::cli
