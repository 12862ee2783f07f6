// Finds the guest kernel on the host, and the modules that belong to it.
#pragma once

#include <string>

#include "base/result.h"

namespace uchronia::machine {

struct KernelFiles {
    std::string image;           // path of the bzImage
    std::string modules_folder;  // like /lib/modules/VERSION
    std::string version;         // "6.1.0-56-cloud-amd64"
};

// The newest kernel of Debian's cloud flavour below `root` (normally "/"): /boot/vmlinuz-*-cloud-
// amd64 with /lib/modules/VERSION. The error says how to install one.
Result<KernelFiles> find_installed_kernel(const std::string& root);

// The modules of a kernel that the user named: by the version in its header, beside it as in an
// unpacked package (IMAGE's folder/../lib/modules/VERSION), else in root/lib/modules.
Result<KernelFiles> find_modules_of(const std::string& image, const std::string& root);

// Whether version a is older than b, as a person would order them: numbers by value.
bool version_is_older(const std::string& a, const std::string& b);

}  // namespace uchronia::machine
