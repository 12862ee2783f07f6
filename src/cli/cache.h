// The user's cache folder: base images, contents of files, and the last history.
//
// $UCHRONIA_CACHE, else $XDG_CACHE_HOME/uchronia, else ~/.cache/uchronia. Everything in it can be
// deleted at any time; nothing in it changes what a history does.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "base/result.h"
#include "history/content_store.h"
#include "history/history.h"
#include "machine/base_image.h"

namespace uchronia::cli {

// The folder; it need not exist.
Result<std::string> cache_folder();

// Where the last run's history is kept.
Result<std::string> last_history_path();

// The program that is the guest's first process.
Result<std::string> find_agent();
// The kernel image that the user named; if none (empty): the installed one, or the one in the cache
// folder.
Result<machine::KernelFiles> find_kernel(const std::string& named);
// Whether the base image that a new history is to start from need not be booted.
Result<bool> has_base_image(const history::BaseReference& reference);

// The history that a user names: a file, or "last".
Result<std::string> history_path(const std::string& name);

// The contents of files that histories name by digest. Without a cache folder it is an empty one.
history::ContentStore content_store();

// Where checkpoints of a history are kept, named by the digest of its file. Empty: there is no
// cache folder.
std::string checkpoint_folder(Digest history_file);
// Says on standard error that they are not kept there, and why; empty: they are.
void say_if_not_kept(const std::string& failure);

// For a user: the recorded contents of this file are nowhere any more, so a replay is another run.
std::string missing_contents(const std::string& path, const history::FileView& view);

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

// The same, as the path of its file.
Result<std::string> obtain_base_image_file(const history::BaseReference& reference);

// Brings in the base image of a history from elsewhere, unless it is there. New histories never
// start from it, as only its sender knows what it was made from.
Status import_base_image(const history::BaseReference& reference, std::span<const u8> file);

// Whether the history's base image is in the cache, so that no kernel is needed.
bool is_base_image_cached(const history::BaseReference& reference);

}  // namespace uchronia::cli
