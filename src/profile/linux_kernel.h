// A running Linux kernel, looked at from outside: its symbols and modules, the task that runs, and
// which file a page of memory belongs to.
//
// All of it is read from guest memory when it is asked for: nothing is kept from one moment to
// another but what cannot change (the kernel's own symbols and types). So what is found depends on
// the guest's state alone. What the kernel does not tell (no BTF, other structures) is absent.
//
// Sources: the kernel's own types, by BTF; Documentation/core-api/xarray.rst.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "profile/btf.h"
#include "profile/guest_view.h"
#include "profile/kallsyms.h"
#include "profile/orc.h"
#include "profile/symbol_table.h"

namespace uchronia::profile {

struct Task {
    std::string name;  // of the process: the command name of its first thread
    u64 process = 0;   // number
    u64 thread = 0;
};

// A page of the page cache.
struct FilePage {
    u64 inode = 0;         // guest address
    u64 inode_number = 0;  // of its file system, which is `super_block`
    u64 super_block = 0;
    u64 index = 0;  // of the page in the file
};

struct KernelFunction {
    const Symbol* symbol = nullptr;  // null: not known
    std::string object;              // "[kernel]" or a module as "[virtiofs]"
    std::optional<u64> orc;
};

class LinuxKernel {
  public:
    // Looks for a kernel whose entry for system calls (the MSR LSTAR) is at `system_call_entry`.
    // `view` must outlive the result.
    static Result<std::unique_ptr<LinuxKernel>> find(GuestView& view, u64 system_call_entry);
    ~LinuxKernel();

    // Why there are no names of processes and files, and no stacks of the kernel; empty if there
    // are.
    const std::string& shortcoming() const { return shortcoming_; }

    std::optional<u64> address_of(const std::string& symbol) const;
    // Of the kernel's image, by name, and its functions alone.
    const std::map<std::string, u64>& addresses() const { return addresses_; }
    const SymbolTable& functions() const { return functions_; }
    KernelFunction function_at(u64 address);
    // The symbol of the kernel's image, code or data, at or before an address: "jiffies+0x8
    // [kernel]"; empty: there is none nearby.
    std::string symbol_at(u64 address) const;
    const std::optional<ORCLayout>& orc_layout() const { return orc_layout_; }

    // The kernel's own types; nothing if it does not describe them.
    const std::optional<BTF>& types() const { return types_; }
    // Of a member, if there is no shortcoming. The first one that is not there is noted in
    // `missing`.
    u64 offset(std::string_view structure, std::string_view member, std::string& missing) const;
    // Of the present task (task_struct); 0: not known.
    u64 task_of(unsigned vcpu);
    std::optional<Task> current_task(unsigned vcpu);
    // Nothing: the page is anonymous, or does not belong to a file.
    std::optional<FilePage> file_page(u64 physical);
    // The page of a file that the process that runs has mapped there, also if it is not in memory.
    std::optional<FilePage> file_mapped_at(unsigned vcpu, u64 address);
    // The same for a process whose memory (mm_struct) is there. `is_mapped`: whether anything is.
    std::optional<FilePage> file_mapped_in(u64 memory, u64 address, bool& is_mapped);
    // All that a process has mapped, in ascending order.
    struct Mapping {
        u64 begin = 0, end = 0;
        u64 flags = 0;  // vm_flags: bits 0 to 3 are read, write, execute, shared
        std::optional<FilePage> file = {};
    };
    std::vector<Mapping> mappings_in(u64 memory);
    // Of an open file (struct file), its first page.
    FilePage page_of_file(u64 file);
    // Where a page of the file is in physical memory, if it is in the page cache.
    std::optional<u64> cached_page(const FilePage& file, u64 index);
    // From the root of its file system: "/usr/bin/env"; and the kind of that: "virtiofs".
    std::string path_of(const FilePage& page);
    std::string file_system_of(const FilePage& page);
    // What the page cache has of the file; the rest is zeros.
    std::vector<u8> cached_contents(const FilePage& page);
    // The vDSO's bytes and where they are in physical memory.
    struct VDSO {
        u64 physical = 0;
        std::vector<u8> bytes;
    };
    std::optional<VDSO> vdso();

  private:
    struct Module {
        std::string name;
        u64 base = 0, size = 0;
        SymbolTable symbols;
        ORCTable orc;
    };
    struct Offsets;

    explicit LinuxKernel(GuestView& view);

    Status read_image(u64 system_call_entry);
    void read_types();
    void read_offsets();
    void read_orc();
    std::vector<u64> module_list();
    void read_modules();
    void read_module_symbols(u64 module, Module& result, u64& symbols_left);
    const Module* module_at(u64 address);
    u64 mapping_at(u64 tree, u64 address, u64& last);
    std::optional<FilePage> file_of_area(u64 area, u64 address);
    u64 page_in(u64 mapping, u64 index);

    GuestView& view_;
    u64 image_begin_ = 0;
    std::vector<u8> image_;
    std::map<std::string, u64> addresses_;
    SymbolTable functions_;
    std::optional<BTF> types_;
    std::unique_ptr<Offsets> offsets_;
    std::string shortcoming_;
    std::optional<ORCLayout> orc_layout_;
    ORCTable orc_;
    std::vector<Module> modules_;
    std::vector<u64> known_modules_;  // those that `modules_` was made from
};

}  // namespace uchronia::profile
