#include "machine/kernel_locator.h"

#include <cctype>
#include <cstddef>
#include <string_view>

#include "host/files.h"
#include "machine/kernel_image.h"

namespace uchronia::machine {
namespace {

constexpr std::string_view kPrefix = "vmlinuz-";
constexpr std::string_view kSuffix = "-cloud-amd64";
constexpr const char* kInstall =
    "install Debian's package linux-image-cloud-amd64, or name a kernel "
    "with --kernel";

bool is_digit(char c) {
    return std::isdigit(static_cast<unsigned char>(c)) != 0;
}

// A run of digits without leading zeros, moving `at` behind it.
std::string_view take_digits(std::string_view text, std::size_t& at) {
    while (at < text.size() && text[at] == '0')
        ++at;
    const std::size_t begin = at;
    while (at < text.size() && is_digit(text[at]))
        ++at;
    return text.substr(begin, at - begin);
}

std::string folder_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash);
}

std::string below(const std::string& root, const std::string& path) {
    return root.ends_with('/') ? root + path : root + "/" + path;
}

}  // namespace

bool version_is_older(const std::string& a, const std::string& b) {
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < a.size() && j < b.size()) {
        if (is_digit(a[i]) && is_digit(b[j])) {
            const std::string_view x = take_digits(a, i);
            const std::string_view y = take_digits(b, j);
            if (x != y)
                return x.size() != y.size() ? x.size() < y.size() : x < y;
        } else if (a[i] != b[j]) {
            return a[i] < b[j];
        } else {
            ++i;
            ++j;
        }
    }
    return i == a.size() && j < b.size();
}

Result<KernelFiles> find_installed_kernel(const std::string& root) {
    const std::string boot = below(root, "boot");
    const auto entries = host::list_directory(boot);
    if (!entries)
        return Error{entries.error().message + "; " + kInstall};
    KernelFiles newest;
    for (const host::FolderEntry& entry : *entries) {
        const std::string_view name = entry.name;
        if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix))
            continue;
        const std::string version(name.substr(kPrefix.size()));
        const std::string modules = below(root, "lib/modules/" + version);
        if (host::is_directory(modules) && !version_is_older(version, newest.version))
            newest = {boot + "/" + entry.name, modules, version};
    }
    if (newest.image.empty())
        return Error{"there is no guest kernel (" + boot +
                     "/vmlinuz-*-cloud-amd64 with its modules in " + below(root, "lib/modules") +
                     "); " + kInstall};
    return newest;
}

Result<KernelFiles> find_modules_of(const std::string& image, const std::string& root) {
    const auto file = host::map_file(image);
    if (!file)
        return file.error();
    const auto kernel = parse_kernel_image(file->bytes(), image);
    if (!kernel)
        return kernel.error();
    const std::string beside = folder_of(image) + "/../lib/modules/" + kernel->version;
    const std::string installed = below(root, "lib/modules/" + kernel->version);
    for (const std::string& folder : {beside, installed}) {
        if (host::is_directory(folder))
            return KernelFiles{image, folder, kernel->version};
    }
    return Error{"the modules of '" + image + "' (version " + kernel->version +
                 ") are missing: looked for " + beside + " and " + installed +
                 "; install the package that the kernel came from"};
}

}  // namespace uchronia::machine
