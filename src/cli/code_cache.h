// The translations of earlier runs, from the cache folder; brings new ones there at the end of its
// life, when the machines that used it are gone.
#pragma once

#include <memory>

#include "machine/machine.h"

namespace uchronia::cli {

class CodeCache {
  public:
    CodeCache();
    ~CodeCache();
    CodeCache(const CodeCache&) = delete;
    CodeCache& operator=(const CodeCache&) = delete;

    const std::shared_ptr<cpu::jit::CodeLibrary>& library() const { return library_; }

  private:
    std::shared_ptr<cpu::jit::CodeLibrary> library_;
};

}  // namespace uchronia::cli
