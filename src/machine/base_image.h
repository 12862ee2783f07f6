// The booted machine that every run starts from: made once, kept as a file, mapped by later runs.
//
// The file is named by the digest of all that went into the boot (kernel, modules, agent,
// configuration, version of the machine model), so a changed ingredient is another image.
// Format: docs/format-base-image.md.
#pragma once

#include <memory>
#include <string>

#include "base/hash.h"
#include "base/result.h"
#include "host/files.h"
#include "machine/kernel_locator.h"
#include "machine/machine.h"

namespace uchronia::machine {

// What a base image is made from.
struct BaseIngredients {
    host::MappedFile kernel;    // bzImage; mapped, as most runs want its digest only
    std::string kernel_name;    // for messages
    std::vector<u8> initramfs;  // with the agent and the modules
    MachineConfig config;

    // The identity of the image that these give.
    Digest digest() const;
};

// Reads the kernel, its modules and the agent.
Result<BaseIngredients> read_ingredients(const KernelFiles& kernel, const std::string& agent_path,
                                         const MachineConfig& config);

// An image file, mapped and checked. Must outlive the machines that were started from it.
class BaseImage {
  public:
    // Checks everything: a foreign, truncated or corrupt file is an Error that names it.
    // `disk`: the one that the image was made with; another one is an Error too.
    static Result<std::unique_ptr<BaseImage>> open(const std::string& path, const Disk& disk);

    Digest digest() const { return digest_; }
    const MachineConfig& config() const { return config_; }
    // The digest of the machine's state, as state_digest() gives it after start().
    Digest state_digest() const { return state_digest_; }

    // Puts the image into a new machine that was made with config() and `frames`.
    Status start(Machine& machine, memory::FrameStore& frames) const;

  private:
    BaseImage() = default;

    host::MappedFile file_;
    Digest digest_;
    MachineConfig config_;
    Digest state_digest_;
    std::span<const u8> state_;
    std::span<const u8> index_;
    const u8* pages_ = nullptr;
    u64 page_count_ = 0;
};

// What an image file says about itself, without a check of its contents.
struct BaseImageSummary {
    Digest digest;
    u64 memory_size = 0;  // bytes
    unsigned vcpu_count = 0;
    cpu::CPUModel cpu_model = cpu::CPUModel::kV3;
    bool has_disk = false;
    std::string kernel_version;  // as in the kernel's banner; empty: there is none
};
Result<BaseImageSummary> summary_of_base_image(const std::string& path);

// Boots the ingredients until the agent is ready and writes the image to `path` atomically.
// `outside` hears the console. Errors: the kernel does not boot (with the last console lines).
Status boot_base_image(const BaseIngredients& ingredients, Outside& outside,
                       const std::string& path);

}  // namespace uchronia::machine
