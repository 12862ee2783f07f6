#include "profile/linux_kernel.h"

#include <elf.h>

#include <algorithm>

#include "machine/machine.h"

namespace uchronia::profile {
namespace {

// Where the kernel's image can be mapped (Documentation/arch/x86/x86_64/mm.rst), and no kernel is
// larger than this.
constexpr u64 kImageAreaBegin = 0xffff'ffff'8000'0000, kImageAreaEnd = 0xffff'ffff'c000'0000;
constexpr u64 kLargestImage = u64{256} << 20;

// Bounds for what a guest can make us read.
constexpr u64 kMostModules = 1000, kMostModuleSymbols = 500'000;
constexpr u64 kLongestName = 256;
constexpr unsigned kDeepestPath = 64;
constexpr u64 kLargestCachedFile = u64{64} << 20;
constexpr u64 kLargestVDSO = 64 << 10;

// struct page.mapping: the low bits say that it is something else than a file's pages.
constexpr u64 kMappingFlags = 3;
constexpr u64 kTailPage = 1;

// Entries of an XArray.
constexpr u64 kXArrayKindMask = 3, kXArrayInternal = 2;
constexpr u64 kXArraySlots = 64;
constexpr unsigned kDeepestXArray = 11;

// Nodes of a maple tree: the low bits of a pointer tell the node's type.
constexpr u64 kMapleNodeMask = 0xff, kMapleInternal = 2;
constexpr unsigned kDeepestMaple = 12;
constexpr std::size_t kMostMappings = 1u << 17;
constexpr u64 kLastUserAddress = (u64{1} << 47) - 1;
enum MapleType : u64 { kMapleDense = 0, kMapleLeaf = 1, kMapleRange = 2, kMapleAllocation = 3 };

bool is_code(char type) {
    return type == 't' || type == 'T' || type == 'w' || type == 'W';
}

}  // namespace

// Of the members that are used, in bytes.
struct LinuxKernel::Offsets {
    u64 comm, pid, tgid, group_leader, memory;
    u64 memory_tree, tree_root, range_pivots, range_slots, allocation_pivots, allocation_slots;
    u64 area_start, area_end, area_page, area_flags, area_file, file_inode;
    u64 page_mapping, page_index, page_head, page_size;
    u64 mapping_host, mapping_pages, array_head, node_shift, node_slots;
    u64 inode_number, inode_super, inode_size, inode_mapping, inode_dentries, dentry_alias;
    u64 dentry_parent, dentry_name, super_type, type_name;
    u64 module_list, module_name, module_base, module_size, module_symbols;
    u64 symbols_table, symbols_count, symbols_texts;
    u64 module_orc_count, module_orc_ips, module_orc_entries;
    u64 vdso_data, vdso_size;
    u64 current_task;  // in the per-CPU area
};

LinuxKernel::LinuxKernel(GuestView& view) : view_(view) {}

LinuxKernel::~LinuxKernel() = default;

Result<std::unique_ptr<LinuxKernel>> LinuxKernel::find(GuestView& view, u64 system_call_entry) {
    std::unique_ptr<LinuxKernel> kernel(new LinuxKernel(view));
    if (Status status = kernel->read_image(system_call_entry); !status)
        return status.error();
    Result<std::vector<KernelSymbol>> symbols = find_kernel_symbols(kernel->image_);
    if (!symbols)
        return symbols.error();
    for (KernelSymbol& symbol : *symbols) {
        if (is_code(symbol.type))
            kernel->functions_.add({.address = symbol.address,
                                    .size = 0,
                                    .name = symbol.name,
                                    .rank = static_cast<u8>(symbol.type == 'T' ? 1 : 0)});
        kernel->addresses_.emplace(std::move(symbol.name), symbol.address);
    }
    kernel->functions_.finish();
    kernel->read_types();
    kernel->read_orc();
    kernel->read_modules();
    return kernel;
}

// All that is mapped around the entry, with zeros where nothing is.
Status LinuxKernel::read_image(u64 system_call_entry) {
    if (system_call_entry < kImageAreaBegin || system_call_entry >= kImageAreaEnd)
        return Error{"no Linux kernel is running in the guest"};
    u64 end = 0;
    for (u64 address = kImageAreaBegin; address < kImageAreaEnd; address += kPageSize) {
        u64 physical = 0;
        if (!view_.translate(address, physical))
            continue;
        if (end == 0)
            image_begin_ = address;
        end = address + kPageSize;
    }
    if (end == 0)
        return Error{"the guest's kernel is not mapped"};
    image_.resize(std::min(end - image_begin_, kLargestImage));
    for (u64 done = 0; done < image_.size(); done += kPageSize)
        view_.read(image_begin_ + done, std::span(image_).subspan(done, kPageSize));
    return {};
}

std::optional<u64> LinuxKernel::address_of(const std::string& symbol) const {
    const auto found = addresses_.find(symbol);
    if (found == addresses_.end())
        return std::nullopt;
    return found->second;
}

std::string LinuxKernel::symbol_at(u64 address) const {
    if (address < image_begin_ || address - image_begin_ >= image_.size())
        return {};
    // The first name in the alphabet, of several at one address.
    const std::pair<const std::string, u64>* nearest = nullptr;
    for (const auto& symbol : addresses_) {
        if (symbol.second <= address && symbol.second >= image_begin_ &&
            (nearest == nullptr || symbol.second > nearest->second))
            nearest = &symbol;
    }
    if (nearest == nullptr)
        return {};
    return nearest->first + "+" + machine::to_hex_number(address - nearest->second) + " [kernel]";
}

u64 LinuxKernel::offset(std::string_view structure, std::string_view member,
                        std::string& missing) const {
    const std::optional<u64> found = types_->offset_of(structure, member);
    if (!found && missing.empty())
        missing = std::string(structure) + "." + std::string(member);
    return found.value_or(0);
}

void LinuxKernel::read_types() {
    const std::optional<u64> begin = address_of("__start_BTF"), end = address_of("__stop_BTF");
    if (!begin || !end || *begin < image_begin_ || *end < *begin) {
        shortcoming_ = "the guest's kernel does not describe its types (CONFIG_DEBUG_INFO_BTF)";
        return;
    }
    Result<BTF> types = BTF::parse(part_of(image_, *begin - image_begin_, *end - *begin));
    if (!types) {
        shortcoming_ = "the guest's kernel has " + types.error().message;
        return;
    }
    types_ = std::move(*types);
    read_offsets();
}

void LinuxKernel::read_offsets() {
    std::string missing;
    const auto at = [&](std::string_view structure, std::string_view member) {
        return offset(structure, member, missing);
    };
    // Since 6.4, a module's parts are an array of which the first is its code.
    const bool parts = types_->offset_of("module", "core_layout.base").has_value();
    // Since 6.2, the current task is a member of a structure that is a per-CPU variable.
    const std::optional<u64> current = address_of("current_task"), hot = address_of("pcpu_hot");
    if (!current && !hot)
        missing = "current_task";
    offsets_ = std::make_unique<Offsets>(Offsets{
        .comm = at("task_struct", "comm"),
        .pid = at("task_struct", "pid"),
        .tgid = at("task_struct", "tgid"),
        .group_leader = at("task_struct", "group_leader"),
        .memory = at("task_struct", "mm"),
        .memory_tree = at("mm_struct", "mm_mt"),
        .tree_root = at("maple_tree", "ma_root"),
        .range_pivots = at("maple_range_64", "pivot"),
        .range_slots = at("maple_range_64", "slot"),
        .allocation_pivots = at("maple_arange_64", "pivot"),
        .allocation_slots = at("maple_arange_64", "slot"),
        .area_start = at("vm_area_struct", "vm_start"),
        .area_end = at("vm_area_struct", "vm_end"),
        .area_page = at("vm_area_struct", "vm_pgoff"),
        .area_flags = at("vm_area_struct", "vm_flags"),
        .area_file = at("vm_area_struct", "vm_file"),
        .file_inode = at("file", "f_inode"),
        .page_mapping = at("page", "mapping"),
        .page_index = at("page", "index"),
        .page_head = at("page", "compound_head"),
        .page_size = types_->size_of("page").value_or(64),
        .mapping_host = at("address_space", "host"),
        .mapping_pages = at("address_space", "i_pages"),
        .array_head = at("xarray", "xa_head"),
        .node_shift = at("xa_node", "shift"),
        .node_slots = at("xa_node", "slots"),
        .inode_number = at("inode", "i_ino"),
        .inode_super = at("inode", "i_sb"),
        .inode_size = at("inode", "i_size"),
        .inode_mapping = at("inode", "i_mapping"),
        .inode_dentries = at("inode", "i_dentry"),
        .dentry_alias = at("dentry", "d_u.d_alias"),
        .dentry_parent = at("dentry", "d_parent"),
        .dentry_name = at("dentry", "d_name.name"),
        .super_type = at("super_block", "s_type"),
        .type_name = at("file_system_type", "name"),
        .module_list = at("module", "list"),
        .module_name = at("module", "name"),
        .module_base = parts ? at("module", "core_layout.base") : at("module", "mem"),
        .module_size = parts ? at("module", "core_layout.size")
                             : at("module", "mem") + at("module_memory", "size"),
        .module_symbols = at("module", "kallsyms"),
        .symbols_table = at("mod_kallsyms", "symtab"),
        .symbols_count = at("mod_kallsyms", "num_symtab"),
        .symbols_texts = at("mod_kallsyms", "strtab"),
        .module_orc_count = at("module", "arch.num_orcs"),
        .module_orc_ips = at("module", "arch.orc_unwind_ip"),
        .module_orc_entries = at("module", "arch.orc_unwind"),
        .vdso_data = at("vdso_image", "data"),
        .vdso_size = at("vdso_image", "size"),
        .current_task = current ? *current : hot.value_or(0) + at("pcpu_hot", "current_task"),
    });
    if (missing.empty())
        return;
    shortcoming_ = "the guest's kernel has no " + missing;
    offsets_.reset();
}

void LinuxKernel::read_orc() {
    if (!types_)
        return;
    orc_layout_ = ORCLayout::from(*types_);
    const auto ips = address_of("__start_orc_unwind_ip"), end = address_of("__stop_orc_unwind_ip"),
               entries = address_of("__start_orc_unwind");
    if (!orc_layout_ || !ips || !end || !entries || *end < *ips) {
        shortcoming_ = "the guest's kernel has no tables for its stacks (CONFIG_UNWINDER_ORC)";
        return;
    }
    orc_ = ORCTable::read(view_, *orc_layout_, *ips, *entries, (*end - *ips) / sizeof(i32));
}

// The guest addresses of the structures that describe the loaded modules.
std::vector<u64> LinuxKernel::module_list() {
    const std::optional<u64> list = address_of("modules");
    std::vector<u64> result;
    if (!offsets_ || !list)
        return result;
    u64 next = view_.number(*list);
    while (result.size() < kMostModules && next != *list && next != 0) {
        result.push_back(next - offsets_->module_list);
        next = view_.number(next);
    }
    return result;
}

void LinuxKernel::read_modules() {
    std::vector<u64> list = module_list();
    if (list == known_modules_)
        return;
    known_modules_ = std::move(list);
    modules_.clear();
    const Offsets& at = *offsets_;
    u64 symbols_left = kMostModuleSymbols;
    for (const u64 module : known_modules_) {
        Module result;
        result.name = "[" + view_.text(module + at.module_name, kLongestName) + "]";
        result.base = view_.number(module + at.module_base);
        result.size = view_.number<u32>(module + at.module_size);
        read_module_symbols(module, result, symbols_left);
        if (orc_layout_)
            result.orc =
                ORCTable::read(view_, *orc_layout_, view_.number(module + at.module_orc_ips),
                               view_.number(module + at.module_orc_entries),
                               view_.number<u32>(module + at.module_orc_count));
        modules_.push_back(std::move(result));
    }
}

void LinuxKernel::read_module_symbols(u64 module, Module& result, u64& symbols_left) {
    const Offsets& at = *offsets_;
    const u64 symbols = view_.number(module + at.module_symbols);
    const u64 table = view_.number(symbols + at.symbols_table);
    const u64 texts = view_.number(symbols + at.symbols_texts);
    const u64 count = view_.number<u32>(symbols + at.symbols_count);
    for (u64 i = 0; i < count && symbols_left != 0; ++i, --symbols_left) {
        Elf64_Sym symbol;
        if (!view_.load(table + i * sizeof symbol, symbol))
            break;
        if (ELF64_ST_TYPE(symbol.st_info) == STT_FUNC &&
            symbol.st_value - result.base < result.size)
            result.symbols.add({.address = symbol.st_value,
                                .size = symbol.st_size,
                                .name = view_.text(texts + symbol.st_name, kLongestName)});
    }
    result.symbols.finish();
}

const LinuxKernel::Module* LinuxKernel::module_at(u64 address) {
    const auto find = [&] {
        return std::find_if(modules_.begin(), modules_.end(), [&](const Module& module) {
            return address - module.base < module.size;
        });
    };
    if (address - kImageAreaEnd >= (u64{1} << 30))
        return nullptr;
    auto found = find();
    if (found == modules_.end()) {
        read_modules();  // perhaps it was loaded since
        found = find();
    }
    return found == modules_.end() ? nullptr : &*found;
}

KernelFunction LinuxKernel::function_at(u64 address) {
    if (address - image_begin_ < image_.size())
        return {functions_.find(address), "[kernel]", orc_.find(address)};
    if (const Module* const module = module_at(address))
        return {module->symbols.find(address), module->name, module->orc.find(address)};
    return {nullptr, "[kernel]", std::nullopt};
}

// The guest address of the task that runs, or 0.
u64 LinuxKernel::task_of(unsigned vcpu) {
    const std::optional<u64> areas = address_of("__per_cpu_offset");
    if (!offsets_ || !areas)
        return 0;
    return view_.number(view_.number(*areas + 8 * u64{vcpu}) + offsets_->current_task);
}

std::optional<Task> LinuxKernel::current_task(unsigned vcpu) {
    const u64 task = task_of(vcpu);
    if (task == 0)
        return std::nullopt;
    const u64 leader = view_.number(task + offsets_->group_leader);
    constexpr u64 kCommandSize = 16;  // TASK_COMM_LEN
    Task result{.name = view_.text(leader + offsets_->comm, kCommandSize),
                .process = view_.number<u32>(task + offsets_->tgid),
                .thread = view_.number<u32>(task + offsets_->pid)};
    if (result.thread == 0)
        result.name = "idle";
    if (result.name.empty())
        return std::nullopt;
    return result;
}

std::optional<FilePage> LinuxKernel::file_page(u64 physical) {
    const std::optional<u64> map = address_of("vmemmap_base");
    if (!offsets_ || !map)
        return std::nullopt;
    const Offsets& at = *offsets_;
    const u64 pages = view_.number(*map);
    u64 page = pages + (physical >> kPageBits) * at.page_size, distance = 0;
    const u64 head = view_.number(page + at.page_head);
    if ((head & kTailPage) != 0) {
        distance = (page - (head - kTailPage)) / at.page_size;
        page = head - kTailPage;
    }
    const u64 mapping = view_.number(page + at.page_mapping);
    if (mapping == 0 || (mapping & kMappingFlags) != 0)
        return std::nullopt;
    FilePage result;
    result.inode = view_.number(mapping + at.mapping_host);
    result.index = view_.number(page + at.page_index) + distance;
    result.inode_number = view_.number(result.inode + at.inode_number);
    result.super_block = view_.number(result.inode + at.inode_super);
    if (result.inode == 0 || result.super_block == 0)
        return std::nullopt;
    return result;
}

// The structure of the mapping (vm_area_struct) in a process's maple tree, or 0: in a node, slot n
// is of the addresses up to and with pivot n. `last`: the last address of which that is true.
u64 LinuxKernel::mapping_at(u64 tree, u64 address, u64& last) {
    const Offsets& at = *offsets_;
    last = ~u64{0};
    u64 entry = view_.number(tree + at.tree_root);
    if ((entry & 3) != kMapleInternal)
        return 0;
    for (unsigned depth = 0; depth < kDeepestMaple; ++depth) {
        const u64 node = entry & ~kMapleNodeMask, type = (entry >> 3) & 15;
        if (node == 0 || type == kMapleDense || type > kMapleAllocation)
            return 0;
        const u64 pivots = type == kMapleAllocation ? at.allocation_pivots : at.range_pivots;
        const u64 slots = type == kMapleAllocation ? at.allocation_slots : at.range_slots;
        const u64 count = (slots - pivots) / 8;
        u64 slot = 0;
        for (; slot < std::min<u64>(count, 32); ++slot) {
            const u64 pivot = view_.number(node + pivots + 8 * slot);
            if (slot > 0 && pivot == 0)
                break;
            if (address <= pivot) {
                last = pivot;
                break;
            }
        }
        entry = view_.number(node + slots + 8 * slot);
        if (type == kMapleLeaf)
            return entry;
    }
    return 0;
}

std::optional<FilePage> LinuxKernel::file_mapped_at(unsigned vcpu, u64 address) {
    const u64 task = task_of(vcpu);
    if (task == 0)
        return std::nullopt;
    bool is_mapped = false;
    return file_mapped_in(view_.number(task + offsets_->memory), address, is_mapped);
}

FilePage LinuxKernel::page_of_file(u64 file) {
    const Offsets& at = *offsets_;
    FilePage result;
    result.inode = view_.number(file + at.file_inode);
    result.inode_number = view_.number(result.inode + at.inode_number);
    result.super_block = view_.number(result.inode + at.inode_super);
    return result;
}

std::optional<FilePage> LinuxKernel::file_mapped_in(u64 memory, u64 address, bool& is_mapped) {
    const Offsets& at = *offsets_;
    u64 last = 0;
    const u64 area = memory == 0 ? 0 : mapping_at(memory + at.memory_tree, address, last);
    const u64 start = area == 0 ? 0 : view_.number(area + at.area_start);
    is_mapped = area != 0 && address >= start && address < view_.number(area + at.area_end);
    return is_mapped ? file_of_area(area, address) : std::nullopt;
}

std::optional<FilePage> LinuxKernel::file_of_area(u64 area, u64 address) {
    const Offsets& at = *offsets_;
    const u64 file = view_.number(area + at.area_file);
    if (file == 0)
        return std::nullopt;
    FilePage result = page_of_file(file);
    result.index = view_.number(area + at.area_page) +
                   ((address - view_.number(area + at.area_start)) >> kPageBits);
    if (result.inode == 0 || result.super_block == 0)
        return std::nullopt;
    return result;
}

std::vector<LinuxKernel::Mapping> LinuxKernel::mappings_in(u64 memory) {
    const Offsets& at = *offsets_;
    std::vector<Mapping> result;
    u64 last = 0;
    for (u64 address = 0; memory != 0 && result.size() < kMostMappings; address = last + 1) {
        const u64 area = mapping_at(memory + at.memory_tree, address, last);
        if (area != 0) {
            const u64 begin = view_.number(area + at.area_start);
            result.push_back({.begin = begin,
                              .end = view_.number(area + at.area_end),
                              .flags = view_.number(area + at.area_flags),
                              .file = file_of_area(area, begin)});
        }
        if (last < address || last >= kLastUserAddress)
            break;
    }
    return result;
}

std::string LinuxKernel::path_of(const FilePage& page) {
    const Offsets& at = *offsets_;
    const u64 alias = view_.number(page.inode + at.inode_dentries);
    if (alias == 0)
        return {};
    u64 dentry = alias - at.dentry_alias;
    std::string path;
    for (unsigned depth = 0; depth < kDeepestPath; ++depth) {
        const u64 parent = view_.number(dentry + at.dentry_parent);
        if (parent == dentry || parent == 0)
            break;
        path = "/" + view_.text(view_.number(dentry + at.dentry_name), kLongestName) + path;
        dentry = parent;
    }
    return path;
}

std::string LinuxKernel::file_system_of(const FilePage& page) {
    const u64 type = view_.number(page.super_block + offsets_->super_type);
    return view_.text(view_.number(type + offsets_->type_name), kLongestName);
}

// The struct page in a file's page cache, or 0.
u64 LinuxKernel::page_in(u64 mapping, u64 index) {
    const Offsets& at = *offsets_;
    u64 entry = view_.number(mapping + at.mapping_pages + at.array_head);
    for (unsigned depth = 0; depth < kDeepestXArray; ++depth) {
        if ((entry & kXArrayKindMask) != kXArrayInternal)
            break;
        const u64 node = entry - kXArrayInternal;
        const unsigned shift = view_.number<u8>(node + at.node_shift);
        if (shift > 60 || (depth == 0 && (index >> shift) >= kXArraySlots))
            return 0;
        const auto slot = [&](u64 number) {
            return view_.number(node + at.node_slots + 8 * number);
        };
        entry = slot((index >> shift) % kXArraySlots);
        // A sibling: the same page as in the slot that it names.
        if ((entry & kXArrayKindMask) == kXArrayInternal && entry >> 2 < kXArraySlots)
            entry = slot(entry >> 2);
        if (shift == 0)
            break;
    }
    if ((entry & kXArrayKindMask) != 0 || entry == 0)
        return 0;
    // A large page is one entry, of its first page.
    const u64 first = view_.number(entry + at.page_index);
    return index < first ? 0 : entry + (index - first) * at.page_size;
}

std::optional<u64> LinuxKernel::cached_page(const FilePage& file, u64 index) {
    const u64 page = page_in(view_.number(file.inode + offsets_->inode_mapping), index);
    const std::optional<u64> map = address_of("vmemmap_base");
    if (!map || page == 0)
        return std::nullopt;
    return (page - view_.number(*map)) / offsets_->page_size << kPageBits;
}

std::vector<u8> LinuxKernel::cached_contents(const FilePage& page) {
    const Offsets& at = *offsets_;
    const u64 size = view_.number(page.inode + at.inode_size);
    if (size > kLargestCachedFile)
        return {};
    std::vector<u8> contents(size);
    for (u64 done = 0; done < size; done += kPageSize) {
        const std::optional<u64> physical = cached_page(page, done >> kPageBits);
        const u64 part = std::min(kPageSize, size - done);
        if (physical)
            view_.read_physical(*physical, std::span(contents).subspan(done, part));
    }
    return contents;
}

std::optional<LinuxKernel::VDSO> LinuxKernel::vdso() {
    const std::optional<u64> image = address_of("vdso_image_64");
    if (!offsets_ || !image)
        return std::nullopt;
    const u64 data = view_.number(*image + offsets_->vdso_data);
    const u64 size = view_.number(*image + offsets_->vdso_size);
    VDSO result;
    result.bytes.resize(std::min(size, kLargestVDSO));
    if (!view_.translate(data, result.physical) || !view_.read(data, result.bytes))
        return std::nullopt;
    return result;
}

}  // namespace uchronia::profile
