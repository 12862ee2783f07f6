// Translated code in memory: blocks, the sites at which they leave to the engine, and the links
// between them.
//
// A block is up to kMostInstructions instructions of one page, translated for one mode. Its code
// addresses everything relative to the vCPU, so it serves every address space that maps the page,
// and every vCPU. Code stands in two areas, hot and cold, that fill up one after the other; when
// one is full, everything is dropped. Of what was translated, and not installed, the store keeps
// images (block_image.h), so that it need not be translated again.
//
// Invariant: a block is live only while the bytes that it was made from are unchanged. A block that
// is dropped stays in memory; whoever jumps to it is sent to the engine.
#pragma once

#include <deque>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "cpu/block_index.h"
#include "cpu/jit/assembler.h"
#include "cpu/jit/translated_block.h"

namespace uchronia::cpu::jit {

// A link across pages, as the translator lays it out in the hot area: a comparison with the key
// that it was made under, and a jump.
struct CrossLink {
    static constexpr unsigned kKeySize = 4;
    static constexpr unsigned kJumpBehindKey = 4 + 2;  // imm32; je opcode
};

struct BlockCode;

class CodeStore {
  public:
    static constexpr std::size_t kAreaSize = std::size_t{96} << 20;

    // `area_size`: of the hot and of the cold area each.
    explicit CodeStore(std::size_t area_size);
    ~CodeStore();
    CodeStore(const CodeStore&) = delete;
    CodeStore& operator=(const CodeStore&) = delete;

    // Whether the host lets us run code that we write.
    bool usable() const { return memory_ != nullptr; }
    bool contains(u64 host_address) const {
        return host_address - reinterpret_cast<u64>(memory_) < total_size();
    }
    u8* hot() const { return memory_; }
    u8* cold() const { return memory_ + area_size_ + kGap; }

    // Where the next block's code goes. False: there is no room for one; drop_all() makes it.
    bool has_room() const;
    u8* hot_end() const { return hot_end_; }
    u8* cold_end() const { return cold_end_; }
    // The stubs that were written there stay for ever.
    void keep(u8* cold_end) { cold_end_ = first_cold_ = cold_end; }
    // For what is noted of the next block.
    BlockParts& new_parts() {
        parts_.clear();
        return parts_;
    }

    u32 add_site(const Site& site) {
        sites_.push_back(site);
        return static_cast<u32>(sites_.size() - 1);
    }
    Site& site(u32 number) { return sites_[number]; }
    u32 next_block_number() const { return static_cast<u32>(blocks_.size()); }
    TranslatedBlock& block(u32 number) { return blocks_[number]; }
    const TranslatedBlock& block(u32 number) const { return blocks_[number]; }
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
    // Adds what was translated, with the code up to these ends and new_parts(); resolves its links
    // and those that waited for it.
    TranslatedBlock& add(const TranslatedBlock& block, u8* hot_end, u8* cold_end);

    enum class Images : u8 { kNotKept, kKept };
    void set_images(Images images) { keeps_images_ = images == Images::kKept; }
    // Whether it was looked up what the page's blocks are, since it has its present contents.
    bool is_looked_up(u64 page_number) const {
        return page_number < pages_.size() && pages_[page_number] != nullptr &&
               pages_[page_number]->looked_up;
    }
    void set_looked_up(u64 page_number) { page_for(page_number).looked_up = true; }
    // Adds the blocks of these images, as far as there is room, but those that there are. Returns
    // the lines of the page that they were made from. `address`: where the page is mapped now.
    u64 install(u64 page_number, u64 address, std::span<const u8> images);
    // Gives away the images of what was translated of a page.
    std::vector<u8> take_images(u64 page_number) {
        CodePage* code_page = page(page_number);
        return code_page == nullptr ? std::vector<u8>() : std::exchange(code_page->images, {});
    }
    // Page numbers are less.
    u64 page_count() const { return pages_.size(); }

    // The blocks of a page are not true any more. `stale_stub`: offset of the stub pointer from the
    // vCPU, to which their entries jump from now on.
    void drop_page(u64 page_number, i32 stale_stub);
    void drop_all();

    struct Counters {
        u64 blocks = 0, installed = 0, instructions = 0, guest_bytes = 0, hot_bytes = 0,
            cold_bytes = 0, pages_dropped = 0, flushes = 0;
    };
    Counters counters;

  private:
    struct Waiting {
        u32 key;
        EntryFlags flags;
        u8* field;
    };
    static constexpr u32 kNoBlock = ~u32{0};
    struct CodePage {
        u64 generation = 0;
        BlockIndex<u32, kNoBlock> index;  // of numbers
        std::vector<u32> blocks;
        std::vector<Waiting> waiting;
        std::vector<u32> crossing;  // blocks of which a part lies here
        bool looked_up = false;
        std::vector<u8> images;  // of blocks that were translated
    };
    CodePage& page_for(u64 page_number);
    void drop_block(u32 number, i32 stale_stub);
    BlockCode next_code(u32 hot_size, u32 cold_size) const;
    TranslatedBlock& register_block(const TranslatedBlock& block, u8* hot_end, u8* cold_end);
    static u8* entry(const TranslatedBlock& block, EntryFlags flags);
    // The rel32 at `field` shall lead to the block at `offset`, now or when it is there.
    void link(u64 page_number, u32 mode, const BlockLink& link);
    void link_all(u64 page_number, u32 mode, const std::vector<BlockLink>& links);
    static u32 key_of(u16 offset, u32 mode) { return offset | mode << 16; }
    CodePage* page(u64 page_number) {
        return page_number < pages_.size() ? pages_[page_number].get() : nullptr;
    }

    // Keeps the areas so far apart that a rel32 from one to the other is longer than any block.
    static constexpr std::size_t kGap = 2 * Assembler::kFar;
    std::size_t total_size() const { return 2 * area_size_ + kGap; }

    const std::size_t area_size_;
    u8* memory_ = nullptr;
    u8* hot_end_ = nullptr;
    u8* cold_end_ = nullptr;
    u8* first_cold_ = nullptr;
    std::vector<Site> sites_;
    std::vector<Access> accesses_;
    std::size_t first_site_ = 0, first_access_ = 0;  // of the next block
    BlockParts parts_;
    bool keeps_images_ = false;
    std::deque<TranslatedBlock> blocks_;
    std::vector<std::unique_ptr<CodePage>> pages_;  // by page number
    u64 last_generation_ = 0;
};

}  // namespace uchronia::cpu::jit
