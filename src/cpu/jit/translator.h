// The translator: the second engine. Runs translated code as far as it goes, and leaves everything
// else to the interpreter, which runs it (cpu/translated_code.h).
//
// It could be deleted: what it does is what the interpreter does, only faster. Both work on the
// same VCPU and hand over at any instruction boundary.
#pragma once

#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "cpu/jit/block_translator.h"
#include "cpu/jit/code_library.h"
#include "cpu/jit/code_store.h"
#include "cpu/jit/jump_tables.h"
#include "cpu/jit/stubs.h"
#include "cpu/mmu/mmu.h"
#include "cpu/translated_code.h"
#include "cpu/vcpu.h"

namespace uchronia::cpu::jit {

// How the translator comes by the interpreter's functions, which it executes rare instructions
// with, without knowing the interpreter.
struct Binder {
    Op (*bind)(const Decoded& decoded);
    Op (*end_of_block)(u16 offset);
};

struct TranslatorOptions {
    // Translations of other machines, and for them; null: none.
    std::shared_ptr<CodeLibrary> library = {};
    // Of the hot and of the cold area of translated code each, bytes.
    std::size_t code_area_size = CodeStore::kAreaSize;
    // Differences between the host and the canon to assume instead of those that the self-test
    // finds (tests: must not change any result); they outlive the translator.
    const HostDifferences* pretended_differences = nullptr;
    // Nanoseconds of the host, for counters of what sites and translation cost; null: not counted.
    u64 (*clock)() = nullptr;
    // Whether the host's perf shall find names for translated code (perf_map.h).
    bool perf_map = false;
};

class Translator final : public TranslatedCode, public CodeObserver {
  public:
    // What the host lacks, or null.
    static const char* missing_host_feature();
    // Null where the host lacks something: `reason` says what.
    static std::unique_ptr<Translator> create(MMU& mmu, const Binder& binder, const char*& reason,
                                              const TranslatorOptions& options = {});
    ~Translator() override;

    void add_vcpu(VCPU& cpu);

    // Code is translated when it has been come to so many times (tests: 0).
    void set_heat_threshold(u8 count) { hot_ = count; }

    // Instructions that a debugger has breakpoints at are left to the interpreter, and user code
    // where it waits for that; null: there is no debugger. What is linked has to be dropped too.
    void set_debug_stops(const DebugStops* stops);

    Result run(VCPU& cpu) override;
    void drop_caches() override;
    void code_changed(u64 page_number) override;

    struct Counters {
        u64 entries = 0;             // from the interpreter's loop
        u64 sites[kSiteKinds] = {};  // by SiteKind
        // Instructions that sites have executed by the interpreter's functions: because they have
        // no translation, or because an access was not for the fast path.
        u64 helper_calls = 0;
        std::array<u64, static_cast<std::size_t>(Instruction::kCount)> by_instruction{};
        // With TranslatorOptions::clock, in nanoseconds; that of sites contains the others.
        std::array<u64, kSiteKinds> site_time{};
        u64 translation_time = 0;
        u64 installation_time = 0;  // of what was kept
    };
    const Counters& counters() const { return counters_; }
    const CodeStore::Counters& code() const { return store_.counters; }
    const HostDifferences& differences() const { return differences_; }

    // For a host fault in translated code (host_signals.cc): what is known of it, or null, and
    // where to go on.
    const Access* access_at(u64 host_address) const { return store_.access_at(host_address); }
    const u8* site_of(const Access& access) const { return store_.cold() + access.site; }

  private:
    static constexpr u32 kRecentFetches = 1u << 10;
    static constexpr u32 kHeatEntries = 1u << 16;
    static constexpr u8 kHot = 8;        // heat threshold: most code of a boot runs less often
    static constexpr u8 kHotIfKept = 2;  // where the next run will find the translation

    Translator(MMU& mmu, const Binder& binder, const TranslatorOptions& options);

    static u64 on_site(VCPU* cpu, u64 site);
    u64 follow(VCPU& cpu, Site site);
    u64 run_slow(VCPU& cpu, const Site& site);
    u64 run_end(VCPU& cpu, const Site& site);
    bool run_op(VCPU& cpu, const Site& site);
    const Op* op_of(const Site& site);
    u64 follow_indirect(VCPU& cpu, const Site& site);
    u64 follow_cross(VCPU& cpu, const Site& site);
    u64 undo_branch(VCPU& cpu, const Site& site);
    u64 follow_twin(VCPU& cpu, const Site& site);
    const TableEntry& present_entry(u64 address) const;
    void verify(const VCPU& cpu, const Site& site);
    bool check_stack_page(VCPU& cpu) const;
    u64 go_on(VCPU& cpu);
    u64 leave(Result result) {
        result_ = result;
        return 0;
    }
    const u8* resolve(VCPU& cpu);
    enum class IfMissing : u8 { kTranslate, kNothing };
    TranslatedBlock* block_at(VCPU& cpu, IfMissing if_missing);
    void look_up_page(const VCPU& cpu, u64 page_number, const u8* bytes);
    TranslatedBlock* translate(const SourcePage& page, u64 address, u32 mode);
    void give_to_library();
    void give_to_library(u64 page_number);
    void write_perf_map() const;
    TranslatedBlock* crossing_block_at(VCPU& cpu, const FetchedPage& page);
    void select(VCPU& cpu);
    static u64 table_of(const VCPU& cpu);
    static u32 mode_of(const VCPU& cpu);
    u32 number_of_key(u64 fetch_key, u32 mode);
    u32 find_number_of_key(u64 fetch_key, u32 mode);
    void begin_key_numbers();
    void note_home(const VCPU& cpu, u64 page_number);
    bool has_breakpoint(u64 rip, u64 page_number);
    bool has_one_home(const VCPU& cpu, u64 page_number) const;

    MMU& mmu_;
    const DebugStops* stops_ = nullptr;
    // Pages that have had breakpoints: no block begins at these offsets, or goes on past them.
    struct BrokenPage {
        std::vector<u16> offsets;
        u64 stops_changes = 0;  // when they were found
    };
    std::map<u64, BrokenPage> broken_pages_;  // by page number
    u64 stops_changes_ = 0;                   // calls of set_debug_stops
    const Binder binder_;
    const HostDifferences& differences_;
    std::shared_ptr<CodeLibrary> library_;
    const bool perf_map_;
    u64 (*const clock_)();
    CodeStore store_;
    Stubs stubs_;
    JumpTables jumps_;
    std::vector<u8> heat_;
    // What the page of an address was when code was last fetched from it, under a key. Keys change
    // with mappings of pages that have code only, hence the generation.
    struct RecentFetch {
        u64 page = 0;  // virtual page number
        u64 key = 0;
        u64 page_number = 0;
        u64 generation = 0;
    };
    std::vector<RecentFetch> recent_fetches_;
    u8 hot_ = kHot;
    // Numbers of fetch keys (VCPU::fetch_keys): never used again.
    using KeyNumbers = std::unordered_map<u64, u32>;
    std::array<KeyNumbers, mode_bit::kChosenCount> key_numbers_;  // by mode
    // The last ones of user and kernel code.
    struct RecentKey {
        u64 fetch_key = 0;
        u32 mode = 0;
        u32 number = 0;  // 0: none
    };
    std::array<RecentKey, 2> recent_keys_{};
    u32 last_key_number_ = 0;
    u32 key_beginnings_ = 0;  // how often numbers began anew
    // Where a page of code is mapped, by page number and key number; an address is never odd.
    static constexpr u64 kSeveralHomes = 1;
    std::unordered_map<u64, u64> homes_;
    u64 present_gs_ = ~u64{0};
    // The interpreter's form of instructions that sites have executed.
    struct BoundOp {
        u64 key = ~u64{0};  // block and index
        std::array<Op, 2> ops{};
    };
    std::vector<BoundOp> bound_;
    Result result_ = Result::kInterpret;
    Counters counters_;
};

}  // namespace uchronia::cpu::jit
