#include "machine/initramfs.h"

#include <elf.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "host/files.h"

namespace uchronia::machine {
namespace {

// What the machine's devices need (virtio over MMIO, file sharing) and the overlay on top of it.
constexpr std::string_view kAgentModules[] = {"virtio_mmio", "virtio_blk", "virtio_rng",
                                              "fuse",        "virtiofs",   "overlay"};

constexpr std::string_view kModuleSuffix = ".ko";

// The file name of a module may have dashes where its name has underscores.
std::string module_name_of(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    std::string name(slash == std::string_view::npos ? path : path.substr(slash + 1));
    if (name.ends_with(kModuleSuffix))
        name.resize(name.size() - kModuleSuffix.size());
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
}

std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> parts;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(separator), text.size());
        if (end != 0)
            parts.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return parts;
}

template <class T>
bool read_at(std::span<const u8> bytes, u64 offset, T& value) {
    if (offset > bytes.size() || bytes.size() - offset < sizeof value)
        return false;
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return true;
}

// The contents of a section of a 64-bit ELF file (System V ABI, chapter 4); empty if there is none.
std::string_view section_of(std::span<const u8> file, std::string_view name) {
    Elf64_Ehdr header;
    Elf64_Shdr names;
    if (!read_at(file, 0, header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
        header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_shentsize != sizeof(Elf64_Shdr) ||
        header.e_shoff > file.size() ||
        !read_at(file, header.e_shoff + header.e_shstrndx * sizeof names, names))
        return {};
    const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
    const auto contents = [&](const Elf64_Shdr& section) -> std::string_view {
        if (section.sh_offset > text.size() || section.sh_size > text.size() - section.sh_offset)
            return {};
        return text.substr(section.sh_offset, section.sh_size);
    };
    const std::string_view name_table = contents(names);
    for (u64 i = 0; i < header.e_shnum; ++i) {
        Elf64_Shdr section;
        if (!read_at(file, header.e_shoff + i * sizeof section, section))
            return {};
        if (section.sh_name >= name_table.size())
            continue;
        const std::string_view rest = name_table.substr(section.sh_name);
        if (rest.substr(0, rest.find('\0')) == name)
            return contents(section);
    }
    return {};
}

// Finds modules by name and puts them after what they depend on.
class ModuleReader {
  public:
    explicit ModuleReader(std::string folder) : folder_(std::move(folder)) {}

    Status read_lists() {
        auto order = host::read_file(folder_ + "/modules.order");
        auto builtin = host::read_file(folder_ + "/modules.builtin");
        for (const auto* list : {&order, &builtin}) {
            if (!list->ok())
                return Error{"the kernel's modules are incomplete: " + list->error().message +
                             "; install the kernel's package again"};
        }
        paths_ = split({reinterpret_cast<const char*>(order->data()), order->size()}, '\n');
        for (const std::string& path :
             split({reinterpret_cast<const char*>(builtin->data()), builtin->size()}, '\n'))
            builtin_.push_back(module_name_of(path));
        return {};
    }

    // `depth` bounds a cycle in damaged modules.
    Status add(const std::string& name, unsigned depth = 0) {
        if (depth > kMaximumDepth)
            return Error{"kernel module '" + name + "' depends on itself"};
        const auto has_name = [&](const Module& module) { return module.name == name; };
        if (std::any_of(modules_.begin(), modules_.end(), has_name) ||
            std::find(builtin_.begin(), builtin_.end(), name) != builtin_.end())
            return {};
        const auto path = std::find_if(paths_.begin(), paths_.end(), [&](const std::string& p) {
            return module_name_of(p) == name;
        });
        if (path == paths_.end())
            return Error{"the kernel has no module '" + name + "' (looked in " + folder_ +
                         "); use Debian's linux-image-cloud-amd64"};
        auto contents = host::read_file(folder_ + "/" + *path);
        if (!contents)
            return contents.error();
        const auto depends = module_information(*contents, "depends");
        if (!depends)
            return Error{"kernel module '" + folder_ + "/" + *path +
                         "': " + depends.error().message};
        for (const std::string& dependency : split(*depends, ',')) {
            if (Status status = add(module_name_of(dependency), depth + 1); !status)
                return status;
        }
        modules_.push_back({name, std::move(*contents)});
        return {};
    }

    std::vector<Module> take() { return std::move(modules_); }

  private:
    static constexpr unsigned kMaximumDepth = 16;

    std::string folder_;
    std::vector<std::string> paths_;
    std::vector<std::string> builtin_;
    std::vector<Module> modules_;
};

// Writes the entries of a newc archive one after the other.
class Archive {
  public:
    void directory(std::string_view name) { entry(name, 0040755, {}); }
    void file(std::string_view name, u32 mode, std::span<const u8> contents) {
        entry(name, 0100000 | mode, contents);
    }
    void character_device(std::string_view name, u32 mode, u32 major, u32 minor) {
        entry(name, 0020000 | mode, {}, major, minor);
    }
    std::vector<u8> finish() {
        inode_ = 0;
        entry("TRAILER!!!", 0, {});
        return std::move(bytes_);
    }

  private:
    void entry(std::string_view name, u32 mode, std::span<const u8> contents, u32 major = 0,
               u32 minor = 0) {
        append("070701");
        const u32 size = static_cast<u32>(contents.size());
        const u32 name_size = static_cast<u32>(name.size() + 1);
        // ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor namesize
        // check
        for (const u32 field :
             {inode_++, mode, 0u, 0u, 1u, 0u, size, 0u, 0u, major, minor, name_size, 0u}) {
            char digits[9];
            std::snprintf(digits, sizeof digits, "%08X", field);
            append(digits);
        }
        append(name);
        bytes_.push_back(0);
        align();
        bytes_.insert(bytes_.end(), contents.begin(), contents.end());
        align();
    }
    void append(std::string_view text) { bytes_.insert(bytes_.end(), text.begin(), text.end()); }
    void align() { bytes_.resize((bytes_.size() + 3) & ~std::size_t{3}); }

    u32 inode_ = 1;
    std::vector<u8> bytes_;
};

}  // namespace

std::span<const std::string_view> agent_modules() {
    return kAgentModules;
}

Result<std::string> module_information(std::span<const u8> module, std::string_view key) {
    std::string_view section = section_of(module, ".modinfo");
    if (section.empty())
        return Error{
            "it is damaged: it has no .modinfo section; install the kernel's package again"};
    for (const std::string& pair : split(section, '\0')) {
        if (pair.starts_with(key) && pair.size() > key.size() && pair[key.size()] == '=')
            return pair.substr(key.size() + 1);
    }
    return std::string();
}

Result<std::vector<Module>> read_modules(const std::string& modules_folder,
                                         std::span<const std::string_view> names) {
    ModuleReader reader(modules_folder);
    if (Status status = reader.read_lists(); !status)
        return status.error();
    for (const std::string_view name : names) {
        if (Status status = reader.add(std::string(name)); !status)
            return status.error();
    }
    return reader.take();
}

std::vector<u8> build_initramfs(std::span<const u8> agent, std::span<const Module> modules,
                                std::span<const u8> device_names) {
    Archive archive;
    archive.directory("dev");
    archive.character_device("dev/console", 0600, 5, 1);
    archive.file("init", 0755, agent);
    archive.directory("modules");
    std::string order;
    for (const Module& module : modules) {
        const std::string path = "modules/" + module.name + std::string(kModuleSuffix);
        archive.file(path, 0644, module.contents);
        order += "/" + path + "\n";
    }
    archive.file("modules/devname", 0644, device_names);
    archive.file("modules/order", 0644, {reinterpret_cast<const u8*>(order.data()), order.size()});
    return archive.finish();
}

}  // namespace uchronia::machine
