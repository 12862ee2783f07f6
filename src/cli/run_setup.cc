#include "cli/run_setup.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "cli/cache.h"
#include "cli/engine_option.h"
#include "cli/image_request.h"
#include "cli/image_source.h"
#include "cli/paths.h"
#include "cli/run_outside.h"
#include "cli/units.h"
#include "history/configuration.h"
#include "host/files.h"
#include "image/files_with_shares.h"
#include "image/hidden_folder.h"
#include "image/image_files.h"

namespace uchronia::cli {
namespace {

constexpr u64 kSmallestMemory = u64{128} << 20;
constexpr u64 kLargestMemory = u64{64} << 30;
constexpr u64 kMemoryUnit = u64{2} << 20;

// Software, and its configuration; nothing of what a system writes while it runs.
const char* const kSystemFolders[] = {"/usr",   "/bin",    "/sbin", "/lib", "/lib32",
                                      "/lib64", "/libx32", "/etc",  "/opt"};
// The guest has its own of these.
const char* const kGuestFolders[] = {"/proc", "/sys", "/dev", "/run"};

// Where a guest with an image finds the kernel's modules: a path that says nothing of the host.
constexpr char kModulesInImage[] = "/.uchronia-modules";

bool is_within(const std::string& path, const std::string& folder) {
    return path == folder || path.starts_with(folder + "/");
}

Result<u64> memory_size(const std::string& text) {
    const Result<u64> size = parse_size(text);
    if (!size)
        return Error{"--memory: " + size.error().message};
    if (*size < kSmallestMemory || *size > kLargestMemory || *size % kMemoryUnit != 0)
        return Error{"--memory: " + text + " is not a multiple of 2M from 128M to 64G"};
    return *size;
}

Result<std::string> working_directory() {
    std::error_code error;
    const std::filesystem::path path = std::filesystem::current_path(error);
    if (error)
        return Error{"the working directory cannot be used: " + error.message() +
                     "; change to a folder that exists"};
    return path.string();
}

Result<std::vector<std::string>> share_folders(const std::vector<std::string>& named) {
    std::vector<std::string> shares;
    for (const std::string& name : named) {
        const std::string path = tidy_path(name);
        if (path == "/")
            return Error{"--share: the whole file system cannot be shared; name the folders"};
        if (!host::exists(path))
            return Error{"--share: there is no " + path};
        shares.push_back(path);
    }
    return shares;
}

// A small fixed environment: what the command does must not depend on the one of the caller.
std::vector<std::string> default_environment() {
    const passwd* user = ::getpwuid(::geteuid());
    const std::string name = user == nullptr ? "user" : user->pw_name;
    const std::string home = user == nullptr ? "/tmp" : user->pw_dir;
    return {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME=" + home,
            "USER=" + name,
            "LOGNAME=" + name,
            "SHELL=/bin/sh",
            "LANG=C.UTF-8",
            "TERM=dumb"};
}

// "NAME=VALUE", or "NAME" for the caller's value; replaces a variable that is there.
Status add_variable(std::vector<std::string>& environment, const std::string& text) {
    const std::string name = text.substr(0, text.find('='));
    if (name.empty())
        return Error{"--env: '" + text + "' has no name; write NAME=VALUE"};
    std::string variable = text;
    if (name.size() == text.size()) {
        const char* value = std::getenv(name.c_str());
        if (value == nullptr)
            return Error{"--env: the variable " + name + " is not set here; write NAME=VALUE"};
        variable = name + "=" + value;
    }
    std::erase_if(environment,
                  [&](const std::string& other) { return other.starts_with(name + "="); });
    environment.push_back(variable);
    return {};
}

std::vector<u32> supplementary_groups() {
    std::vector<gid_t> groups(static_cast<std::size_t>(std::max(0, ::getgroups(0, nullptr))));
    const int count = ::getgroups(static_cast<int>(groups.size()), groups.data());
    std::vector<u32> sorted(groups.begin(), groups.begin() + std::max(0, count));
    std::sort(sorted.begin(), sorted.end());
    sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
    return sorted;
}

history::FileView file_view(const machine::RunRequest& request,
                            const std::optional<FoundImage>& image, const std::string& modules) {
    history::FileView view;
    view.hidden = host::default_hidden_paths();
    if (image) {
        view.working_folders = request.shares;
        view.system_folders.push_back(modules);
        view.image = image->digest;
        view.image_name = image->name;
        return view;
    }
    const std::string& folder = request.working_directory;
    const bool is_guests =
        std::any_of(std::begin(kGuestFolders), std::end(kGuestFolders),
                    [&](const char* guests) { return is_within(folder, guests); });
    if (folder != "/" && !is_guests)
        view.working_folders.push_back(folder);
    view.working_folders.insert(view.working_folders.end(), request.shares.begin(),
                                request.shares.end());
    for (const char* system : kSystemFolders) {
        if (host::exists(system))
            view.system_folders.push_back(system);
    }
    view.system_folders.push_back(modules);
    return view;
}

// The command as the caller would run it here.
Status fill_for_host(const std::vector<std::string>& command, machine::RunRequest& request) {
    if (command.empty())
        return Error{"there is no command to run; name one after '--', like: -- ls -l"};
    request.arguments = command;
    request.environment = default_environment();
    Result<std::string> folder = working_directory();
    if (!folder)
        return folder.error();
    request.working_directory = *folder;
    request.groups = supplementary_groups();
    request.uid = ::geteuid();
    request.gid = ::getegid();
    return {};
}

Status fill_for_image(const RunOptions& options, const std::vector<std::string>& command,
                      const FoundImage& image, machine::RunRequest& request) {
    image::ImageFiles files(image.manifest, content_store());
    const auto read = [&](const std::string& path) -> std::optional<std::string> {
        constexpr u64 kMostText = u64{1} << 20;
        std::string text(kMostText, '\0');
        const host::FileResult<u64> count =
            files.read(path, 0, {reinterpret_cast<u8*>(text.data()), text.size()});
        if (!count.ok())
            return std::nullopt;
        text.resize(*count);
        return text;
    };
    return request_of_image(image.manifest->configuration, command, options.entrypoint, read,
                            request);
}

Result<machine::RunRequest> make_request(const RunOptions& options,
                                         const std::vector<std::string>& command,
                                         const std::optional<FoundImage>& image,
                                         const std::string& modules) {
    machine::RunRequest request;
    if (options.entrypoint && !image)
        return Error{"--entrypoint is for a run with --image"};
    const Status filled =
        image ? fill_for_image(options, command, *image, request) : fill_for_host(command, request);
    if (!filled)
        return filled.error();
    for (const std::string& variable : options.environment) {
        if (Status status = add_variable(request.environment, variable); !status)
            return status.error();
    }
    Result<std::vector<std::string>> shares = share_folders(options.shares);
    if (!shares)
        return shares.error();
    request.shares = *shares;
    request.modules_folder = image ? kModulesInImage : modules;
    request.input = standard_input_kind();
    return request;
}

}  // namespace

void add_run_options(CLI::App& app, RunOptions& options) {
    app.add_option("--memory", options.memory, "The guest's memory: 512M, 2G; from 128M to 64G")
        ->type_name("SIZE")
        ->capture_default_str();
    app.add_option("--cpu", options.cpu, "The guest's CPU: v3 (x86-64-v3, with AVX2) or v2")
        ->type_name("MODEL")
        ->capture_default_str();
    app.add_option("--cpus", options.cpus, "The number of the guest's CPUs, from 1 to 8")
        ->type_name("N")
        ->check(CLI::Range(1u, machine::kMostVCPUs))
        ->capture_default_str();
    app.add_option("--env", options.environment,
                   "Sets a variable for the command (NAME alone: to its value here). May be "
                   "repeated")
        ->type_name("NAME=VALUE")
        ->allow_extra_args(false);
    app.add_option("--timeout", options.timeout,
                   "Ends the run after this much virtual time: 90s, 1.5s, 250ms, 2m")
        ->type_name("VIRTUAL");
    app.add_option("--share", options.shares,
                   "Shows the guest one more folder of the host, read-only. May be repeated")
        ->type_name("DIR")
        ->allow_extra_args(false);
    app.add_option("--kernel", options.kernel,
                   "The guest's kernel (bzImage); else the newest installed cloud kernel")
        ->type_name("FILE");
    app.add_option(
           "--disk", options.disk,
           "A raw disk image, which the guest sees as /dev/vda; its writes vanish. The base "
           "image is booted anew for each disk")
        ->type_name("FILE");
    app.add_option("--image", options.image,
                   "Starts from a root file system of its own in place of the host's: a folder, a "
                   "tar or container archive, or the name of an image ('uchronia help image')")
        ->type_name("IMAGE");
    app.add_option("--entrypoint", options.entrypoint,
                   "With --image: the program that gets the arguments, in place of the image's own")
        ->type_name("PROGRAM");
    add_engine_option(app, options.engine);
}

Result<history::History> make_history(const RunOptions& options,
                                      const std::vector<std::string>& command, u64 seed) {
    history::History history;
    std::optional<FoundImage> image;
    if (!options.image.empty()) {
        Result<FoundImage> found = obtain_image(options.image);
        if (!found)
            return found.error();
        image = std::move(*found);
    }
    const Result<machine::KernelFiles> kernel = find_kernel(options.kernel);
    if (!kernel)
        return kernel.error();
    const std::string modules = path_without_links(kernel->modules_folder);
    const Result<machine::RunRequest> request = make_request(options, command, image, modules);
    if (!request)
        return request.error();
    history.request = *request;
    history.files = file_view(history.request, image, modules);
    const Result<u64> memory = memory_size(options.memory);
    if (!memory)
        return memory.error();
    history.base.memory_size = *memory;
    history.base.vcpu_count = options.cpus;
    const std::optional<cpu::CPUModel> model = history::cpu_model_of(options.cpu);
    if (!model)
        return Error{"--cpu: there is no CPU model " + options.cpu + "; there are v2 and v3"};
    history.base.cpu_model = *model;
    if (!options.kernel.empty())
        history.base.kernel_path = tidy_path(options.kernel);
    if (!options.disk.empty())
        history.base.disk_path = tidy_path(options.disk);
    const Result<VirtualTime> timeout = parse_timeout(options.timeout);
    if (!timeout)
        return timeout.error();
    history.limits.timeout = *timeout;
    history.tape = history::Tape::from_seed(seed);
    return history;
}

Result<std::unique_ptr<host::FileSource>> open_files(const history::FileView& view) {
    const auto open_tree = [&](const std::vector<std::string>& folders) {
        host::FileTreeOptions options;
        options.exports_if_present = folders;
        options.hidden = view.hidden;
        return host::FileTree::create(options);
    };
    if (!view.has_image()) {
        std::vector<std::string> folders = view.working_folders;
        folders.insert(folders.end(), view.system_folders.begin(), view.system_folders.end());
        Result<std::unique_ptr<host::FileTree>> tree = open_tree(folders);
        if (!tree)
            return tree.error();
        return std::unique_ptr<host::FileSource>(std::move(*tree));
    }
    std::unique_ptr<host::FileSource> files = open_image_files(view);
    for (const std::string& modules : view.system_folders) {
        Result<std::unique_ptr<host::FileTree>> tree = open_tree({modules});
        if (!tree)
            return tree.error();
        files = std::make_unique<image::HiddenFolder>(std::move(files), std::move(*tree),
                                                      kModulesInImage, modules);
    }
    Result<std::unique_ptr<host::FileTree>> shares = open_tree(view.working_folders);
    if (!shares)
        return shares.error();
    if (!(*shares)->exports().empty())
        files = std::make_unique<image::FilesWithShares>(std::move(files), std::move(*shares));
    return files;
}

}  // namespace uchronia::cli
