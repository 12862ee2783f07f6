// Which program or library user code belongs to: a guest's physical page of code is a page of a
// file, and the file on the host has the symbols.
//
// Of files that the guest made itself, or has from its initial file system, the contents come from
// the guest's page cache. A file of the host whose contents are not those that the guest has is not
// believed: its code has no names.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>

#include "profile/elf_file.h"
#include "profile/frame_table.h"
#include "profile/linux_kernel.h"

namespace uchronia::profile {

struct CodeFile {
    std::string path;
    bool on_host = false;
    std::optional<ELFFile> elf;  // nothing: not an ELF file, or it has changed
    FrameTable frames;
};

// Gives all of a file that the guest had from outside: the host's, or an image's.
using ReadFile = std::function<Result<std::vector<u8>>(const std::string& path)>;

struct UserLocation {
    const CodeFile* file = nullptr;  // null: anonymous memory
    std::optional<u64> address;      // as the ELF file has it
};

class UserCode {
  public:
    UserCode(GuestView& view, LinuxKernel& kernel, ReadFile read_file)
        : view_(view), kernel_(kernel), read_file_(std::move(read_file)) {}

    // Of an address in the process that runs on the vCPU; nothing if nothing is known to be there.
    std::optional<UserLocation> locate(unsigned vcpu, u64 address);

    // Files of the host that are no longer as the guest saw them.
    const std::vector<std::string>& changed_files() const { return changed_files_; }

  private:
    using Key = std::tuple<u64, u64, u64>;  // inode, its number, super block

    const CodeFile* file_of(const FilePage& page, std::optional<u64> physical);
    const CodeFile* vdso_at(u64 physical, u64& offset);
    static void set_contents(CodeFile& file, std::vector<u8> contents);
    std::vector<u8> host_contents(const CodeFile& file, FilePage page, std::optional<u64> physical);

    GuestView& view_;
    LinuxKernel& kernel_;
    ReadFile read_file_;
    std::map<Key, std::unique_ptr<CodeFile>> files_;
    std::unique_ptr<CodeFile> vdso_;
    u64 vdso_physical_ = 0;
    std::vector<std::string> changed_files_;
};

}  // namespace uchronia::profile
