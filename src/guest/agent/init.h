// The part of PID 1's work that does not depend on what will be run: file systems of the kernel,
// modules, kernel log, host name, loopback. All of it happens before READY, so it is in the base
// image.
#pragma once

namespace uchronia::agent {

void mount_kernel_file_systems();
void apply_settings();
void load_modules();
void configure_network_and_name();

}  // namespace uchronia::agent
