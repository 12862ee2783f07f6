// Translates one block.
//
// Where the guest's state is while translated code runs: rax rbx rdx rsi rdi rbp r12-r15 in
// themselves, rsp in r9, rcx in r10, r8-r11 in CPUState, vector registers and MXCSR in themselves;
// rsp points into the CPUState, r8 holds the budget, gs the FSPT's base; rcx and r11 are scratch.
// The arithmetic flags are in the host's flags or in CPUState::flags: the translator knows which at
// each place, and at branches there is an entry for each.
//
// Flags that are dead by live_flags() may hold anything (docs/decisions/0010): the checks before
// memory accesses and the budget check clobber them. Where they are not dead they are saved first.
#pragma once

#include <array>
#include <bitset>
#include <span>

#include "cpu/decode/decoder.h"
#include "cpu/decode/live_flags.h"
#include "cpu/execution.h"
#include "cpu/jit/code_store.h"
#include "cpu/jit/host_differences.h"
#include "cpu/jit/raw_instruction.h"
#include "cpu/jit/shape.h"

namespace uchronia::cpu::jit {

// The page that code is translated from.
struct SourcePage {
    u64 number = 0;
    const u8* bytes = nullptr;
};

// The instruction at `offset`, of which the end may lie in the next page; the bytes in one piece.
struct CrossingBytes {
    std::array<u8, 2 * kLongestInstruction> bytes{};
    unsigned in_page = 0;

    CrossingBytes() = default;
    CrossingBytes(const u8* page, u16 offset, const u8* next_page);
};

class BlockTranslator {
  public:
    BlockTranslator(CodeStore& store, const HostDifferences& differences, SourcePage page, u32 mode)
        : store_(store),
          differences_(differences),
          page_(page),
          mode_(mode),
          parts_(store.new_parts()),
          hot_(store.hot_end(), &parts_.far_fields),
          cold_(store.cold_end(), &parts_.far_fields) {}

    // Blocks end before these offsets of the page; must outlive the translation.
    void set_ends(const std::vector<u16>& offsets) { ends_ = &offsets; }
    // The block at `offset`, or null if its first instruction is not for the translator. `lines`:
    // what was read of the page, for MMU::mark_code.
    TranslatedBlock* translate(u16 offset, u64& lines);
    // The one instruction at `offset`, which ends in the next page.
    TranslatedBlock* translate_crossing(u16 offset, SourcePage next, u64& lines);

  private:
    struct Item {
        Decoded decoded;
        RawInstruction raw;
        const Shape* shape = nullptr;
        Kind kind = Kind::kHelper;
        u16 offset = 0;
        bool on_stack = false;  // the head has checked its stack access
        u8 group = 0;           // its number, from the first to the last member
        bool opens_group = false;

        // The register in ModRM.reg or in the opcode.
        u8 reg() const { return shape->opcode_register ? raw.opcode_register : raw.reg; }
    };
    // Accesses that share a check (page_groups.cc).
    struct Group {
        u8 base, index, scale;
        bool simple = false;  // no index, and the base in its home: rcx is free
        bool writes = false;
        bool empty = true;
        i64 low = 0, high = 0;  // displacements

        bool take(i64 displacement, unsigned size);
    };
    // Stack accesses relative to the RSP that the block begins with (stack_cache.cc).
    struct StackPlan {
        unsigned count = 0;
        i64 low = 0, high = 0;

        bool take(i64 offset, unsigned size);
    };
    enum class Where : u8 { kHost, kMemory, kBoth };  // the flags
    enum class AccessKind : u8 { kRead, kWrite };
    const std::vector<u16>* ends_ = nullptr;

    // block_translator.cc: the block as a whole.
    bool decode_items(u16 offset);
    bool decode_crossing(u16 offset);
    bool add_item(const u8* bytes, unsigned size, u16 offset);
    TranslatedBlock* put_block(u16 offset, u64& lines);
    Kind kind_of(const Item& item);
    u8 live_at(u16 offset);
    u8 live_before(unsigned index) { return live_at(items_[index].offset); }
    void put_head();
    void put_flagless_head();
    void put_item(unsigned index);
    void put_by_kind(unsigned index);
    void put_helper(unsigned index);
    void put_clear_interrupts(unsigned index);
    void put_swap_gs();
    void put_helper_end(unsigned index);

    // Where the flags are.
    enum class Scratch : u8 { kFree, kInUse };  // r11
    void put_spill();
    void put_reload(Scratch scratch);
    void save_flags_if_live(unsigned index);
    void note_clobbered_flags();
    bool needs_flags(const Item& item, u8 live) const;
    bool wants_flags_in_host();

    // memory_access.cc: checked accesses.
    enum class Alignment : u8 { kAny, kNeeded };
    HostRegister put_address(const Item& item);
    void put_miss_if(u8 condition);
    void put_page_check(HostRegister address, i32 size);
    void put_entry(AccessKind kind);
    void put_check(HostRegister address, unsigned size, AccessKind kind, Alignment alignment);
    Memory put_stack_access(unsigned index, AccessKind kind, i32 offset);
    void put_verification(HostRegister address);
    void note_access();
    void note_access_of(unsigned index);
    void put_slow_paths(unsigned index, SiteKind kind);
    static unsigned memory_size(const Item& item) {
        return jit::memory_size(*item.shape, item.decoded, item.raw);
    }
    HostRegister scratch_or(u8 guest, HostRegister scratch);
    void put_slot_load(HostRegister to, u8 guest);
    void put_slot_store(u8 guest, HostRegister from);

    // differences.cc: instructions whose flags or results the host computes in its own way.
    HostDifference difference_of(const Item& item) const;
    u8 flags_to_fix(const Item& item);
    bool can_be_fixed(const Item& item);
    void put_fix_up(const Item& item);
    void put_inversion(u8 flags);

    // page_groups.cc
    bool writes_register(const Item& item, u8 guest) const;
    static bool writes_implicitly(Instruction instruction, u8 guest);
    bool keeps_scratch(const Item& item, bool simple);
    bool can_join(const Item& item) const;
    void plan_groups();
    Memory put_group_operand(unsigned index);
    void put_group_exits(unsigned index);
    void put_twin_site(unsigned index);

    // strings.cc
    bool is_plain_string(const Item& item) const;
    void put_string(unsigned index);

    // system.cc
    bool can_be_system(const Item& item) const;
    void put_system(unsigned index);
    void put_result(u8 guest, HostRegister from);
    void put_direction(unsigned index);
    void put_set_interrupts(unsigned index);
    void put_privilege_change(unsigned index);
    void put_access_flag(unsigned index);
    void put_read_time(unsigned index);
    void put_check_base_instructions(unsigned index);
    void put_read_base(unsigned index);
    void put_write_base(unsigned index);
    void put_read_selector(unsigned index);
    void put_push_flags(unsigned index);
    bool can_be_bit_string(const Item& item);
    void put_bit_string(unsigned index);

    // stack_cache.cc
    bool moves_stack_by(const Item& item, i64& distance) const;
    void plan_stack();
    void put_stack_range_check();
    Memory put_stack_operand(i32 displacement);
    bool keeps_addend(const Item& item);
    static bool is_aligned_on_stack(const Item& item) {
        return item.on_stack && item.shape->aligned;
    }
    bool can_precede_move(const Item& item);
    void move_stack(const Item& item, i32 distance);
    void settle_stack();

    // native.cc: instructions that are encoded again.
    void put_native(unsigned index);
    bool can_be_native(const Item& item) const;
    bool can_be_slot(const Item& item) const;
    void put_native_memory(unsigned index);
    void put_native_register(unsigned index);
    void put_native_plain(unsigned index);
    void put_lea(const Item& item);
    LegacyPrefixes prefixes_of(const Item& item) const;

    // control.cc: stack and branches.
    void put_push(unsigned index);
    template <class Load>
    void put_pushed_value(unsigned index, Memory operand, Load load);
    void put_load_operand(unsigned index);
    void put_push_memory(unsigned index);
    void put_pop(unsigned index);
    void put_leave(unsigned index);
    void put_link(unsigned index, Jump jump, i64 target);
    void put_edge(unsigned index, i64 target);
    void put_cross_page(unsigned index, i64 target);
    void put_lookup(unsigned index, i32 released);
    void put_jump(unsigned index);
    void put_jump_if(unsigned index);
    void put_branch_target(unsigned index);
    void put_canonical_check();
    void put_jump_indirect(unsigned index);
    void put_push_return_address(unsigned index);
    void put_call(unsigned index);
    void put_call_indirect(unsigned index);
    void put_return(unsigned index);
    static bool is_in_page(i64 target) { return target >= 0 && target < i64{kPageSize}; }
    bool can_link(i64 target) const;

    enum class Spill : u8 { kNo, kYes };
    void put_site(Site site, Spill spill = Spill::kNo);
    void put_site_number(Assembler& out, const Site& site);
    Site site_at(unsigned index, SiteKind kind) const;

    CodeStore& store_;
    const HostDifferences& differences_;
    const SourcePage page_;
    const u32 mode_;
    BlockParts& parts_;
    Assembler hot_, cold_;
    std::array<Item, kMostInstructions> items_;
    unsigned count_ = 0;
    u16 end_ = 0;
    bool ended_ = false;  // by its last instruction
    bool alone_ = false;
    u64 lines_ = 0;
    TranslatedBlock block_;
    Where flags_ = Where::kHost;
    // Jumps of the present instruction to its slow paths.
    std::array<Jump, 8> misses_;
    unsigned miss_count_ = 0;
    struct Cross {
        Jump from;
        u8* back;
        HostRegister address;
        unsigned log_size;
    };
    std::array<Cross, 2> crosses_;
    unsigned cross_count_ = 0;
    StackPlan stack_;
    bool addend_is_loaded_ = false;  // of the stack's page, in r11
    i32 moved_by_ = 0;               // what the guest's RSP is in advance of its home
    std::array<Group, kMostInstructions> groups_;
    unsigned group_count_ = 0;
    struct NotedAccess {
        u8* at;
        bool flags_in_host;
    };
    std::array<NotedAccess, 4> accesses_;
    unsigned access_count_ = 0;
    CrossingBytes crossing_;
    u64 next_page_number_ = kNoPage;
    // Of live_at(), by offset; only what is known has been written.
    std::bitset<kPageSize> live_is_known_;
    std::array<u8, kPageSize> live_;
};

}  // namespace uchronia::cpu::jit
