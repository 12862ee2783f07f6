// The kernel's modules in the guest: the folder where programs look for them, and the kernel's own
// requests.
//
// The kernel asks for a module by an alias ("fs-ext4") when something needs it, by running the
// program that /proc/sys/kernel/modprobe names. That is this agent, so it works in every root file
// system. The tables are those that depmod(8) writes (modules.dep(5), modules.alias); where they
// are missing, no modules can be loaded.
#pragma once

namespace uchronia::agent {

// Makes the device nodes that load their drivers when they are opened.
void make_device_nodes();

// Shows `folder` of the machine's files (`host`: their root, open) as /lib/modules/VERSION. Empty:
// there are no modules. Best effort: a guest without modules works as far as it does not need one.
void offer_kernel_modules(int host, const char* folder);

// Loads all modules that have a name or alias, each after what it depends on. The exit status of a
// program.
int load_kernel_module(const char* alias);

}  // namespace uchronia::agent
