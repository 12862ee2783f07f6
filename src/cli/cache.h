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

// The base image of a configuration, from the cache, or booted now: once, if several processes ask
// at the same time. `kernel_path` empty: the newest installed one.
struct BaseAndKernel {
    std::unique_ptr<machine::BaseImage> image;
    std::string kernel_name;
};
Result<BaseAndKernel> obtain_base_image(const std::string& kernel_path,
                                        const machine::MachineConfig& config);

// The base image that a history starts from. The error tells what has changed if it cannot be made
// here any more.
Result<std::unique_ptr<machine::BaseImage>> obtain_base_image_of(
    const history::BaseReference& reference);

}  // namespace uchronia::cli
