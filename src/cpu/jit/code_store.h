// Translated code in memory: blocks, the sites at which they leave to the engine, and the links
// between them.
//
// A block is up to kMostInstructions instructions of one page, translated for one mode. Its code
// addresses everything relative to the vCPU, so it serves every address space that maps the page,
// and every vCPU. Code stands in two areas, hot and cold, that fill up one after the other; when
// one is full, everything is dropped.
//
// Invariant: a block is live only while the bytes that it was made from are unchanged. A block that
// is dropped stays in memory; whoever jumps to it is sent to the engine.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "cpu/block_index.h"
#include "cpu/jit/assembler.h"

namespace uchronia::cpu::jit {

inline constexpr u32 kMostInstructions = 32;

// What a block was translated for, besides its bytes.
namespace mode_bit {
inline constexpr u32 kSSE = 1;  // SSE instructions do not fault, and no SIMD exception is unmasked
inline constexpr u32 kAVX = 2;
inline constexpr u32 kV3 = 4;            // BMI and the like are there
inline constexpr u32 kBoundary = 8;      // a relative branch might leave the canonical addresses
inline constexpr u32 kKernel = 16;       // CPL is 0
inline constexpr u32 kChosenCount = 32;  // combinations of the above
inline constexpr u32 kPlain = 32;  // not what is chosen by the state: without the stack's page
}  // namespace mode_bit

enum class SiteKind : u8 {
    kHead,      // the budget does not cover the block
    kSlow,      // the interpreter's function for one instruction, then on at `resume`
    kEnd,       // the same for the last one: then on at RIP
    kLink,      // a branch within the page whose target was not translated
    kCross,     // a branch to another page
    kIndirect,  // the address in `value` was not in the jump table
    kStale,     // the block is not live any more
    kVerify,    // builds that check walks: the address in `value` is about to be accessed
    kTwin,      // accesses that were to be checked together are not in one page of plain memory
};

struct Site {
    u32 block = 0;
    u32 resume = 0;  // kSlow: offset in the hot area. kCross: of the link
    u16 offset = 0;  // of the instruction in its page
    u8 index = 0;    // of the instruction in its block
    SiteKind kind = SiteKind::kHead;
    // kLink, kCross: target minus page base. kIndirect: what RET has added to RSP.
    i32 target = 0;
};

inline constexpr u64 kNoPage = ~u64{0};

// A host instruction that may fault, and where it goes on then.
struct Access {
    u32 at = 0;                  // offset in the hot area
    u32 site = 0;                // offset in the cold area
    bool flags_in_host = false;  // the guest's flags are in the host's there
};

struct TranslatedBlock {
    u32 number = 0;
    u64 page_number = 0;
    u64 next_page_number = kNoPage;  // of its only instruction's end, if that lies in another page
    u16 offset = 0;
    u16 end = 0;  // behind its last byte
    u8 count = 0;
    u8 mode = 0;
    bool alone = false;
    bool live = true;
    u8 joint_failures = 0;           // of checks for several accesses
    bool flags_in_host = false;      // which entry to take if the flags are in both places
    u8* direct = nullptr;            // entry with the flags in the host's flags
    u8* indirect = nullptr;          // entry with the flags in CPUState::flags
    std::vector<u8*> incoming = {};  // links across pages that lead here
};

// A link across pages, as the translator lays it out in the hot area: a comparison with the key
// that it was made under, and a jump.
struct CrossLink {
    static constexpr unsigned kKeySize = 4;
    static constexpr unsigned kJumpBehindKey = 4 + 6 + 1;  // imm32; jne rel32; jmp opcode
};

class CodeStore {
  public:
    static constexpr std::size_t kHotSize = std::size_t{96} << 20,
                                 kColdSize = std::size_t{96} << 20;

    CodeStore();
    ~CodeStore();
    CodeStore(const CodeStore&) = delete;
    CodeStore& operator=(const CodeStore&) = delete;

    // Whether the host lets us run code that we write.
    bool usable() const { return memory_ != nullptr; }
    bool contains(u64 host_address) const {
        return host_address - reinterpret_cast<u64>(memory_) < kHotSize + kColdSize;
    }
    u8* hot() const { return memory_; }
    u8* cold() const { return memory_ + kHotSize; }

    // Where the next block's code goes. False: there is no room for one; drop_all() makes it.
    bool has_room() const;
    u8* hot_end() const { return hot_end_; }
    u8* cold_end() const { return cold_end_; }
    // The stubs that were written there stay for ever.
    void keep(u8* cold_end) { cold_end_ = first_cold_ = cold_end; }

    u32 add_site(const Site& site) {
        sites_.push_back(site);
        return static_cast<u32>(sites_.size() - 1);
    }
    Site& site(u32 number) { return sites_[number]; }
    u32 next_block_number() const { return static_cast<u32>(blocks_.size()); }
    TranslatedBlock& block(u32 number) { return blocks_[number]; }
    void add_access(const u8* at, const u8* site, bool flags_in_host) {
        accesses_.push_back(
            {static_cast<u32>(at - memory_), static_cast<u32>(site - cold()), flags_in_host});
    }
    // What is known of a fault at this host address, or null.
    const Access* access_at(u64 host_address) const;

    TranslatedBlock* find(u64 page_number, u16 offset, u32 mode);
    // A block of one instruction that ends in another page. It holds for this pair of pages only,
    // so no link within the page may lead to it.
    TranslatedBlock* find_crossing(u64 page_number, u64 next_page_number, u16 offset, u32 mode);
    // Changes whenever the blocks of a page are dropped; 0 if it has none.
    u64 generation_of(u64 page_number) const {
        return page_number < pages_.size() && pages_[page_number] != nullptr
                   ? pages_[page_number]->generation
                   : 0;
    }
    // Adds what was translated, with the code up to these ends; resolves the links that waited.
    TranslatedBlock& add(const TranslatedBlock& block, u8* hot_end, u8* cold_end);

    enum class Flags : u8 { kInHost, kInMemory, kInBoth };
    static u8* entry(const TranslatedBlock& block, Flags flags);
    // The rel32 at `field` shall lead to the block at `offset`, now or when it is translated.
    void link(u64 page_number, u16 offset, u32 mode, Flags flags, u8* field);

    // The blocks of a page are not true any more. `stale_stub`: offset of the stub pointer from the
    // vCPU, to which their entries jump from now on.
    void drop_page(u64 page_number, i32 stale_stub);
    void drop_all();

    struct Counters {
        u64 blocks = 0, instructions = 0, guest_bytes = 0, hot_bytes = 0, cold_bytes = 0,
            pages_dropped = 0, flushes = 0;
    };
    Counters counters;

  private:
    struct Waiting {
        u32 key;
        Flags flags;
        u8* field;
    };
    static constexpr u32 kNoBlock = ~u32{0};
    struct CodePage {
        u64 generation = 0;
        BlockIndex<u32, kNoBlock> index;  // of numbers
        std::vector<u32> blocks;
        std::vector<Waiting> waiting;
        std::vector<u32> crossing;  // blocks of which a part lies here
    };
    CodePage& page_for(u64 page_number);
    void drop_block(u32 number, i32 stale_stub);
    static u32 key_of(u16 offset, u32 mode) { return offset | mode << 16; }
    CodePage* page(u64 page_number) {
        return page_number < pages_.size() ? pages_[page_number].get() : nullptr;
    }

    u8* memory_ = nullptr;
    u8* hot_end_ = nullptr;
    u8* cold_end_ = nullptr;
    u8* first_cold_ = nullptr;
    std::vector<Site> sites_;
    std::vector<Access> accesses_;
    std::deque<TranslatedBlock> blocks_;
    std::vector<std::unique_ptr<CodePage>> pages_;  // by page number
    u64 last_generation_ = 0;
};

}  // namespace uchronia::cpu::jit
