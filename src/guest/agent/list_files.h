// For a visit: tells what a folder has, or what a file is, on standard output.
//
// For each file: "MODE LINKS UID GID SIZE SECONDS NANOSECONDS MAJOR MINOR" (the mode in octal; the
// time of the last change; the numbers of a device, else 0), its name and the target of a symbolic
// link (else nothing), each with a NUL behind it. Sorted by name.
#pragma once

namespace uchronia::agent {

// The exit status of a program.
int list_files(const char* path);

}  // namespace uchronia::agent
