#include "cli/cache.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "cli/boot_progress.h"
#include "cli/message.h"
#include "host/clock.h"
#include "host/file_lock.h"
#include "host/file_use.h"
#include "host/files.h"
#include "machine/kernel_locator.h"

namespace uchronia::cli {
namespace {

using machine::BaseImage;

std::string environment_variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

Result<std::string> executable_folder() {
    char path[PATH_MAX];
    const ssize_t size = ::readlink("/proc/self/exe", path, sizeof path);
    if (size <= 0)
        return Error{"cannot find the program's own file by /proc/self/exe; is /proc mounted?"};
    const std::string file(path, static_cast<std::size_t>(size));
    return file.substr(0, file.rfind('/'));
}

// The disk that is named, which must be the one that the history was made with; none if none is.
Result<machine::Disk> disk_of(const history::BaseReference& reference) {
    if (reference.disk_path.empty())
        return machine::Disk{};
    Result<machine::Disk> disk = machine::open_disk(reference.disk_path);
    if (disk && reference.disk != Digest() && reference.disk != disk->contents)
        return Error{"the disk image " + reference.disk_path +
                     " has changed since the history was made; put the old one back"};
    return disk;
}

// Everything that the base image is made from, by its kernel and sizes.
Result<machine::BaseIngredients> gather(const history::BaseReference& reference,
                                        machine::Engine engine,
                                        const std::shared_ptr<cpu::jit::CodeLibrary>& library) {
    const Result<std::string> agent = find_agent();
    if (!agent)
        return agent.error();
    const Result<machine::KernelFiles> kernel = find_kernel(reference.kernel_path);
    if (!kernel)
        return kernel.error();
    machine::MachineConfig config;
    config.memory_size = reference.memory_size;
    config.vcpu_count = reference.vcpu_count;
    config.cpu_model = reference.cpu_model;
    config.engine = engine;
    config.translator.library = library;
    const Result<machine::Disk> disk = disk_of(reference);
    if (!disk)
        return disk.error();
    config.disk = *disk;
    return machine::read_ingredients(*kernel, *agent, config);
}

Result<std::string> base_folder() {
    const Result<std::string> cache = cache_folder();
    if (!cache)
        return cache.error();
    const std::string folder = *cache + "/base";
    if (Status status = host::create_directories(folder); !status)
        return Error{status.error().message +
                     "\nThe environment variable UCHRONIA_CACHE can name another cache folder."};
    return folder;
}

// Whether a base image that is damaged can be made again here, or came in a bundle.
enum class Origin { kMadeHere, kImported };

// Null if there is none yet. One that is damaged is removed, so that it can be made or imported
// again.
std::unique_ptr<BaseImage> open_cached(const std::string& path, const machine::Disk& disk,
                                       Origin origin = Origin::kMadeHere) {
    if (!host::exists(path))
        return nullptr;
    Result<std::unique_ptr<BaseImage>> image = BaseImage::open(path, disk);
    if (image) {
        host::note_use(path);
        return std::move(*image);
    }
    if (origin == Origin::kImported) {
        say("the base image " + path +
            ", which came in a bundle, is damaged and removed; import the bundle again ('uchronia "
            "import FILE')");
    } else {
        say(image.error().message);
        say("removing the damaged base image; it is made again");
    }
    if (Status status = host::remove_file(path); !status)
        say(status.error().message);
    return nullptr;
}

Status boot(const machine::BaseIngredients& ingredients, const std::string& path) {
    BootProgress progress(ingredients.kernel_name);
    const u64 begin = host::monotonic_nanoseconds();
    Status status = machine::boot_base_image(ingredients, progress, path);
    progress.finish();
    if (!status)
        return Error{status.error().message + "\nThe base image could not be made (" + path +
                     "). If the disk is full, UCHRONIA_CACHE can name a cache folder elsewhere."};
    const u64 milliseconds = (host::monotonic_nanoseconds() - begin) / 1'000'000;
    say("base image booted in " + std::to_string(milliseconds / 1000) + "." +
        std::to_string(milliseconds / 100 % 10) + " s and cached");
    return {};
}

Result<std::unique_ptr<BaseImage>> open_or_boot(const machine::BaseIngredients& ingredients,
                                                Digest digest) {
    const Result<std::string> folder = base_folder();
    if (!folder)
        return folder.error();
    const std::string path = *folder + "/" + to_hex(digest) + ".img";
    if (std::unique_ptr<BaseImage> image = open_cached(path, ingredients.config.disk))
        return image;

    const std::string lock_path = *folder + "/" + to_hex(digest) + ".lock";
    Result<host::FileLock> lock = host::FileLock::take(lock_path, host::FileLock::Wait::kNo);
    if (lock && !lock->held()) {
        say("waiting for another process that boots the same base image");
        lock = host::FileLock::take(lock_path, host::FileLock::Wait::kYes);
    }
    if (!lock)
        return lock.error();
    if (std::unique_ptr<BaseImage> image = open_cached(path, ingredients.config.disk))
        return image;
    if (Status status = boot(ingredients, path); !status)
        return status.error();
    return BaseImage::open(path, ingredients.config.disk);
}

// A base image and its file.
struct Found {
    std::unique_ptr<BaseImage> image;
    std::string path;
};

// Named by its state, which the history asks for, and not by what it says that it was made from.
Result<std::string> imported_path(const history::BaseReference& reference) {
    const Result<std::string> cache = cache_folder();
    if (!cache)
        return cache.error();
    return *cache + "/imported/" + to_hex(reference.state) + ".img";
}

bool is_of(const BaseImage& image, const history::BaseReference& reference) {
    return image.digest() == reference.image &&
           (reference.state == Digest() || image.state_digest() == reference.state);
}

// The history's base image, if it is in the cache: made here, or imported.
Result<Found> find_cached(const history::BaseReference& reference, const machine::Disk& disk) {
    const Result<std::string> base = base_folder(), imported = imported_path(reference);
    if (!base || !imported)
        return base ? imported.error() : base.error();
    for (const std::string& path : {*base + "/" + to_hex(reference.image) + ".img", *imported}) {
        std::unique_ptr<BaseImage> image =
            open_cached(path, disk, path == *imported ? Origin::kImported : Origin::kMadeHere);
        if (image != nullptr && is_of(*image, reference))
            return Found{std::move(image), path};
    }
    return Found{};
}

Result<Found> find_or_boot(const history::BaseReference& reference, machine::Engine engine,
                           const std::shared_ptr<cpu::jit::CodeLibrary>& library) {
    const Result<machine::Disk> disk = disk_of(reference);
    if (!disk)
        return disk.error();
    Result<Found> found = find_cached(reference, *disk);
    if (!found || found->image != nullptr)
        return found;

    const Result<machine::BaseIngredients> ingredients = gather(reference, engine, library);
    if (!ingredients)
        return ingredients.error();
    const Digest digest = ingredients->digest();
    if (digest != reference.image)
        return Error{"the history starts from the base image " + to_hex(reference.image) +
                     ", made with " + reference.kernel_name +
                     ". It is not in the cache, and what is installed here gives another, " +
                     to_hex(digest) + " (" + ingredients->kernel_name +
                     "). Install the same kernel and the same version of Uchronia, or import the "
                     "history from a bundle with its base image ('uchronia export')"};
    Result<std::unique_ptr<BaseImage>> image = open_or_boot(*ingredients, digest);
    const Result<std::string> base = base_folder();
    if (!image || !base)
        return image ? base.error() : image.error();
    return Found{std::move(*image), *base + "/" + to_hex(digest) + ".img"};
}

}  // namespace

Result<std::string> cache_folder() {
    if (const std::string own = environment_variable("UCHRONIA_CACHE"); !own.empty())
        return own;
    if (const std::string xdg = environment_variable("XDG_CACHE_HOME"); !xdg.empty())
        return xdg + "/uchronia";
    std::string home = environment_variable("HOME");
    if (home.empty()) {
        const passwd* user = ::getpwuid(::getuid());
        if (user == nullptr)
            return Error{"there is no home folder for the cache; set UCHRONIA_CACHE to a folder"};
        home = user->pw_dir;
    }
    return home + "/.cache/uchronia";
}

// The agent lies beside the program, or where a package puts what is not for users.
Result<std::string> find_agent() {
    const Result<std::string> folder = executable_folder();
    if (!folder)
        return folder.error();
    const std::string beside = *folder + "/uchronia-agent";
    const std::string packaged = *folder + "/../libexec/uchronia/uchronia-agent";
    for (const std::string& path : {beside, packaged}) {
        if (host::exists(path))
            return path;
    }
    return Error{"there is no agent: neither " + beside + " nor " + packaged +
                 "; build all of Uchronia, or install it again"};
}

// tools/setup unpacks a kernel into the cache folder.
Result<machine::KernelFiles> find_kernel(const std::string& named) {
    if (!named.empty())
        return machine::find_modules_of(named, "/");
    Result<machine::KernelFiles> installed = machine::find_installed_kernel("/");
    const Result<std::string> cache = cache_folder();
    if (installed || !cache)
        return installed;
    Result<machine::KernelFiles> unpacked = machine::find_installed_kernel(*cache + "/kernel");
    return unpacked ? unpacked : installed;
}

Result<std::string> last_history_path() {
    const Result<std::string> cache = cache_folder();
    if (!cache)
        return cache.error();
    return *cache + "/last.uch";
}

Result<std::string> history_path(const std::string& name) {
    return name == "last" ? last_history_path() : Result<std::string>(name);
}

history::ContentStore content_store() {
    const Result<std::string> cache = cache_folder();
    return history::ContentStore(cache ? *cache + "/store" : "/nonexistent");
}

std::string checkpoint_folder(Digest history_file) {
    const Result<std::string> cache = cache_folder();
    return cache ? *cache + "/checkpoints/" + to_hex(history_file) : "";
}

void say_if_not_kept(const std::string& failure) {
    if (!failure.empty())
        say("checkpoints are not kept on disk, so later commands take longer: " + failure);
}

std::string missing_contents(const std::string& path, const history::FileView& view) {
    const bool is_shared = std::any_of(view.working_folders.begin(), view.working_folders.end(),
                                       [&](const std::string& folder) {
                                           return path == folder || path.starts_with(folder + "/");
                                       });
    if (view.has_image() && !is_shared)
        return "the contents of " + path + " in the image " + view.image_name + " (" +
               to_hex(view.image) +
               ") are not in the cache any more, or the bundle left them out. So this replay is "
               "not "
               "the same. Build the image again of the same source ('uchronia image build'), or "
               "import a bundle of the history ('uchronia export' makes one where it still "
               "replays)";
    return "the contents of " + path +
           " with which the history was recorded are nowhere: on the host the file is another or "
           "missing, and the cache has not got them (a bundle may have left them out). So this "
           "replay is not the same";
}

Result<std::unique_ptr<BaseImage>> obtain_base_image(
    history::BaseReference& reference, machine::Engine engine,
    const std::shared_ptr<cpu::jit::CodeLibrary>& library) {
    const Result<machine::BaseIngredients> ingredients = gather(reference, engine, library);
    if (!ingredients)
        return ingredients.error();
    reference.image = ingredients->digest();
    reference.kernel_name = ingredients->kernel_name;
    reference.disk = ingredients->config.disk.contents;
    return open_or_boot(*ingredients, reference.image);
}

Result<std::unique_ptr<BaseImage>> obtain_base_image_of(
    const history::BaseReference& reference, machine::Engine engine,
    const std::shared_ptr<cpu::jit::CodeLibrary>& library) {
    Result<Found> found = find_or_boot(reference, engine, library);
    if (!found)
        return found.error();
    return std::move(found->image);
}

Result<std::string> obtain_base_image_file(const history::BaseReference& reference) {
    const Result<Found> found =
        find_or_boot(reference, machine::Engine::kTranslator, /*library=*/nullptr);
    if (!found)
        return found.error();
    return found->path;
}

Status import_base_image(const history::BaseReference& reference, std::span<const u8> file) {
    const Result<machine::Disk> disk = disk_of(reference);
    if (!disk)
        return Error{disk.error().message +
                     "\nThe history needs this disk image; put it there and import again."};
    const Result<std::string> path = imported_path(reference);
    if (!path)
        return path.error();
    const std::string folder = path->substr(0, path->rfind('/'));
    if (Status status = host::create_directories(folder); !status)
        return status;
    const Result<host::FileLock> lock =
        host::FileLock::take(*path + ".lock", host::FileLock::Wait::kYes);
    if (!lock)
        return lock.error();
    if (const Result<Found> found = find_cached(reference, *disk); found && found->image)
        return {};
    const std::string unchecked = *path + ".unchecked";
    if (Status status = host::write_file_atomically(unchecked, file); !status)
        return status;
    const Result<std::unique_ptr<BaseImage>> image = BaseImage::open(unchecked, *disk);
    const bool is_right = image && is_of(**image, reference);
    if (is_right && std::rename(unchecked.c_str(), path->c_str()) == 0)
        return {};
    const std::string why = !image      ? image.error().message
                            : !is_right ? "it is not the one that the history starts from"
                                        : std::strerror(errno);
    static_cast<void>(host::remove_file(unchecked).ok());
    return Error{"the base image cannot be imported: " + why};
}

bool is_base_image_cached(const history::BaseReference& reference) {
    const Result<machine::Disk> disk = disk_of(reference);
    if (!disk)
        return false;
    const Result<Found> found = find_cached(reference, *disk);
    return found && found->image != nullptr;
}

Result<bool> has_base_image(const history::BaseReference& reference) {
    const Result<std::string> folder = base_folder();
    if (!folder)
        return folder.error();
    const Result<machine::BaseIngredients> ingredients =
        gather(reference, machine::Engine::kInterpreter, nullptr);
    if (!ingredients)
        return ingredients.error();
    return host::exists(*folder + "/" + to_hex(ingredients->digest()) + ".img");
}

}  // namespace uchronia::cli
