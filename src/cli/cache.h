// The user's cache folder: base images, and the last history.
//
// $UCHRONIA_CACHE, else $XDG_CACHE_HOME/uchronia, else ~/.cache/uchronia. Everything in it can be
// deleted at any time; nothing in it changes what a history does.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "history/history.h"
#include "machine/base_image.h"

namespace uchronia::cli {

// The folder; it need not exist.
Result<std::string> cache_folder();

// Where the last run's history is kept.
Result<std::string> last_history_path();

// The program that is the guest's first process.
Result<std::string> find_agent();
// The kernel that is used if none is named: the installed one, or the one in the cache folder.
Result<machine::KernelFiles> find_kernel();
// Whether the base image that a new history is to start from need not be booted.
Result<bool> has_base_image(const history::BaseReference& reference);

// The base image that a new history is to start from, from the cache, or booted now: once, if
// several processes ask at the same time; `engine` boots it, with the translations of `library`,
// and every one gives the same. Its kernel and sizes are given; what identifies it is filled in.
Result<std::unique_ptr<machine::BaseImage>> obtain_base_image(
    history::BaseReference& reference, machine::Engine engine,
    const std::shared_ptr<cpu::jit::CodeLibrary>& library);

// The base image that a history starts from. The error tells what has changed if it cannot be made
// here any more.
Result<std::unique_ptr<machine::BaseImage>> obtain_base_image_of(
    const history::BaseReference& reference, machine::Engine engine,
    const std::shared_ptr<cpu::jit::CodeLibrary>& library);

}  // namespace uchronia::cli
