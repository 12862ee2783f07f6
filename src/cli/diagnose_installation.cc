// What belongs to Uchronia: the guest's kernel, the agent, the cache folder, the base image.

#include <unistd.h>

#include "cli/cache.h"
#include "cli/cache_contents.h"
#include "cli/diagnosis.h"
#include "cli/run_setup.h"
#include "cli/units.h"
#include "host/file_use.h"
#include "host/files.h"
#include "machine/initramfs.h"

namespace uchronia::cli {
namespace {

// A base image takes less than 100 MiB, and translated code at most half of this.
constexpr u64 kComfortableSpace = u64{1} << 30;
constexpr u64 kSmallestSpace = u64{128} << 20;

Diagnosis kernel() {
    const Result<machine::KernelFiles> found = find_kernel("");
    if (!found)
        return {"guest kernel", Verdict::kError, found.error().message,
                "install Debian's package linux-image-cloud-amd64, or unpack it: tools/setup"};
    const auto names = machine::agent_modules();
    const Result<std::vector<machine::Module>> modules =
        machine::read_modules(found->modules_folder, names);
    if (!modules)
        return {"guest kernel", Verdict::kError, modules.error().message,
                "install the kernel's package again; its modules belong to it"};
    return {"guest kernel", Verdict::kOK,
            found->version + " (" + found->image + "), with the " +
                std::to_string(modules->size()) + " modules that are needed"};
}

Diagnosis agent() {
    const Result<std::string> path = find_agent();
    if (!path)
        return {"agent", Verdict::kError, path.error().message,
                "build all of Uchronia, or install it again"};
    return {"agent", Verdict::kOK, *path};
}

// Really writes a file there, as permissions do not tell everything.
Diagnosis cache() {
    constexpr char kRemedy[] = "set UCHRONIA_CACHE to a folder that can be written";
    const Result<std::string> folder = cache_folder();
    if (!folder)
        return {"cache", Verdict::kError, folder.error().message, kRemedy};
    if (Status status = host::create_directories(*folder); !status)
        return {"cache", Verdict::kError, status.error().message, kRemedy};
    const std::string probe = *folder + "/.doctor." + std::to_string(::getpid());
    if (Status status = host::write_file_atomically(probe, std::string_view("x")); !status)
        return {"cache", Verdict::kError, status.error().message, kRemedy};
    if (Status status = host::remove_file(probe); !status)
        return {"cache", Verdict::kError, status.error().message, kRemedy};
    const Result<u64> space = host::free_space(*folder);
    const Result<std::vector<CacheEntry>> entries = list_cache(*folder);
    if (!space || !entries)
        return {"cache", Verdict::kWarning, *folder + ": its size is not known", "check its disk"};
    const std::string text =
        *folder + ", " + format_size(size_of(*entries)) + "; " + format_size(*space) + " free";
    if (*space < kComfortableSpace)
        return {"cache", *space < kSmallestSpace ? Verdict::kError : Verdict::kWarning, text,
                "free some space: uchronia cache --limit 500M; or set UCHRONIA_CACHE to a folder "
                "on another disk"};
    return {"cache", Verdict::kOK, text};
}

Diagnosis base_image() {
    const Result<history::History> history = make_history(RunOptions(), {"true"}, 0);
    if (!history)
        return {"base image", Verdict::kError, history.error().message};
    const Result<bool> present = has_base_image(history->base);
    if (!present)
        return {"base image", Verdict::kError, "cannot be made: " + present.error().message,
                "see the lines above"};
    return {"base image", Verdict::kOK,
            *present ? "in the cache" : "not in the cache yet: the first run boots it"};
}

}  // namespace

std::vector<Diagnosis> diagnose_installation() {
    return {kernel(), agent(), cache(), base_image()};
}

}  // namespace uchronia::cli
