#include "cli/code_cache.h"

#include "cli/cache.h"
#include "cli/message.h"

namespace uchronia::cli {

CodeCache::CodeCache() {
    if (const Result<std::string> cache = cache_folder())
        library_ = std::make_shared<cpu::jit::CodeLibrary>(*cache + "/code",
                                                           cpu::jit::CodeLibrary::Limits());
}

CodeCache::~CodeCache() {
    if (library_ == nullptr)
        return;
    if (const Status status = library_->save(); !status)
        say("translated code is not kept for the next run: " + status.error().message);
}

}  // namespace uchronia::cli
