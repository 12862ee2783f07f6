// Builds the guest's initramfs: the agent as /init and the kernel modules that it loads.
//
// The result is a pure function of the bytes that go in: entries in a fixed order, owners 0, one
// fixed modification time. Format: "newc" cpio (kernel Documentation/driver-api/early-userspace/
// buffer-format.rst), uncompressed, as the guest would have to decompress it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/types.h"

namespace uchronia::machine {

// A kernel module with its contents.
struct Module {
    std::string name;  // with underscores: "virtio_blk"
    std::vector<u8> contents;
};

// The modules that the agent needs (names as above).
std::span<const std::string_view> agent_modules();

// Reads the named modules and all that they depend on from a folder like /lib/modules/VERSION, in
// an order in which they can be loaded. Modules that are built into the kernel are left out.
//
// modules.order and modules.builtin (written when the kernel is built) tell where modules are, and
// their own .modinfo section what they depend on; so it does not matter whether depmod has run.
Result<std::vector<Module>> read_modules(const std::string& modules_folder,
                                         std::span<const std::string_view> names);

// One value of a module's .modinfo section ("depends", "name", ...), or an error if `module` is not
// an ELF file with such a section. Empty if it has no such key.
Result<std::string> module_information(std::span<const u8> module, std::string_view key);

// The archive: /init, /dev/console, and the modules as /modules/NAME.ko with /modules/order, which
// lists their paths line by line in the order of loading. /modules/devname has `device_names`: the
// text of modules.devname, which says what devices other modules give once they are loaded.
std::vector<u8> build_initramfs(std::span<const u8> agent, std::span<const Module> modules,
                                std::span<const u8> device_names);

}  // namespace uchronia::machine
