#include "profile/user_code.h"

#include <algorithm>

#include "host/files.h"

namespace uchronia::profile {
namespace {

constexpr std::string_view kHostFileSystem = "virtiofs";
constexpr char kDebugFolder[] = "/usr/lib/debug/.build-id/";

// Where distributions put the symbols that they have taken out of a program.
void add_debug_symbols(ELFFile& elf) {
    const std::string& id = elf.build_id();
    if (id.size() < 4)
        return;
    const Result<std::vector<u8>> bytes =
        host::read_file(kDebugFolder + id.substr(0, 2) + "/" + id.substr(2) + ".debug");
    if (!bytes)
        return;
    if (const Result<ELFFile> debug = ELFFile::parse(*bytes); debug && debug->build_id() == id)
        elf.add_symbols_of(*debug);
}

}  // namespace

std::optional<UserLocation> UserCode::locate(unsigned vcpu, u64 address) {
    u64 physical = 0, offset = 0;
    const bool present = view_.translate(address, physical);
    // Of a page that is not there, the kernel knows what it would be.
    const std::optional<FilePage> page =
        present ? kernel_.file_page(physical) : kernel_.file_mapped_at(vcpu, address);
    if (!present && !page)
        return std::nullopt;
    const CodeFile* const file =
        page ? file_of(*page, present ? std::optional(physical) : std::nullopt)
             : vdso_at(physical, offset);
    if (page)
        offset = (page->index << kPageBits) + (address & kPageMask);
    UserLocation location{.file = file, .address = {}};
    if (file != nullptr && file->elf)
        location.address = file->elf->address_of(offset);
    return location;
}

const CodeFile* UserCode::file_of(const FilePage& page, std::optional<u64> physical) {
    const Key key{page.inode, page.inode_number, page.super_block};
    if (const auto found = files_.find(key); found != files_.end())
        return found->second.get();
    auto file = std::make_unique<CodeFile>();
    file->path = kernel_.path_of(page);
    file->on_host = kernel_.file_system_of(page) == kHostFileSystem;
    set_contents(*file, file->on_host ? host_contents(*file, page, physical)
                                      : kernel_.cached_contents(page));
    return files_.emplace(key, std::move(file)).first->second.get();
}

// Empty if the file cannot be read or is another one by now. The page that is executed is compared;
// if it is only about to be read, the first one, which is read before a program is mapped.
std::vector<u8> UserCode::host_contents(const CodeFile& file, FilePage page,
                                        std::optional<u64> physical) {
    Result<std::vector<u8>> contents = read_file_(file.path);
    if (!physical) {
        page.index = 0;
        physical = kernel_.cached_page(page, 0);
    }
    u8 seen[kPageSize];
    const u64 offset = page.index << kPageBits;
    if (contents && physical && offset < contents->size() &&
        view_.read_physical(*physical & ~kPageMask, seen)) {
        const u64 size = std::min(kPageSize, contents->size() - offset);
        if (std::equal(seen, seen + size, contents->begin() + static_cast<std::ptrdiff_t>(offset)))
            return std::move(*contents);
    }
    changed_files_.push_back(file.path);
    return {};
}

void UserCode::set_contents(CodeFile& file, std::vector<u8> contents) {
    Result<ELFFile> elf = ELFFile::parse(std::move(contents));
    if (!elf)
        return;
    add_debug_symbols(*elf);
    file.elf.emplace(std::move(*elf));
    if (const ELFFile::Section* const frames = file.elf->section(".eh_frame"))
        file.frames = FrameTable(file.elf->contents(*frames), frames->address);
}

// The vDSO is a part of the kernel that is mapped into every process.
const CodeFile* UserCode::vdso_at(u64 physical, u64& offset) {
    if (vdso_ == nullptr) {
        vdso_ = std::make_unique<CodeFile>();
        vdso_->path = "[vdso]";
        if (std::optional<LinuxKernel::VDSO> vdso = kernel_.vdso()) {
            vdso_physical_ = vdso->physical;
            set_contents(*vdso_, std::move(vdso->bytes));
        }
    }
    offset = physical - vdso_physical_;
    return vdso_->elf && offset < vdso_->elf->bytes().size() ? vdso_.get() : nullptr;
}

}  // namespace uchronia::profile
