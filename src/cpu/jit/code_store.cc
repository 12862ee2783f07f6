#include "cpu/jit/code_store.h"

#include <algorithm>

#include "base/check.h"
#include "cpu/jit/block_image.h"
#include "host/executable_memory.h"

namespace uchronia::cpu::jit {
namespace {

// More than a block can need: 32 instructions with all their checks.
constexpr std::size_t kMostBlockBytes = 16384;
// Of an area; there is rarely more than one site for so many.
constexpr std::size_t kBytesPerSite = 32;

// Makes a block's entry lead to its stale site.
void redirect(u8* entry, i32 stale_stub, u32 site) {
    Assembler out(entry);
    out.call(Memory{.base = kHostRSP, .displacement = stale_stub});
    out.value(site);
}

// Makes the jump with this rel32 lead to its target, for ever.
void lead_to(u8* field, const u8* target) {
    constexpr u8 kJump = 0xe9;
    constexpr u8 kNothing[5] = {0x0f, 0x1f, 0x44, 0x00, 0x00};
    patch_rel32(field, target);
    if (target == field + 4 && field[-1] == kJump)
        std::memcpy(field - 1, kNothing, sizeof kNothing);
}

}  // namespace

CodeStore::CodeStore(std::size_t area_size)
    : area_size_(area_size),
      memory_(host::allocate_executable(total_size())),
      hot_end_(memory_),
      cold_end_(cold()),
      first_cold_(cold_end_) {
    // Address space only, until it is used: what grows there is not copied.
    sites_.reserve(area_size / kBytesPerSite);
    accesses_.reserve(area_size / kBytesPerSite);
}

CodeStore::~CodeStore() {
    if (memory_ != nullptr)
        host::release_executable(memory_, total_size());
}

bool CodeStore::has_room() const {
    return hot_end_ + kMostBlockBytes < memory_ + area_size_ &&
           cold_end_ + kMostBlockBytes < cold() + area_size_;
}

const Access* CodeStore::access_at(u64 host_address) const {
    if (!contains(host_address))
        return nullptr;
    const u32 at = static_cast<u32>(host_address - reinterpret_cast<u64>(memory_));
    const auto found =
        std::lower_bound(accesses_.begin(), accesses_.end(), at,
                         [](const Access& access, u32 value) { return access.at < value; });
    return found != accesses_.end() && found->at == at ? &*found : nullptr;
}

u8* CodeStore::entry(const TranslatedBlock& block, EntryFlags flags) {
    const bool direct =
        flags == EntryFlags::kInHost || (flags == EntryFlags::kInBoth && block.flags_in_host);
    return direct ? block.direct : block.indirect;
}

TranslatedBlock* CodeStore::find(u64 page_number, u16 offset, u32 mode) {
    CodePage* code_page = page(page_number);
    if (code_page == nullptr)
        return nullptr;
    const u32 number = code_page->index.find(key_of(offset, mode));
    return number == kNoBlock ? nullptr : &blocks_[number];
}

TranslatedBlock* CodeStore::find_crossing(u64 page_number, u64 next_page_number, u16 offset,
                                          u32 mode) {
    CodePage* code_page = page(page_number);
    if (code_page == nullptr)
        return nullptr;
    for (const u32 number : code_page->crossing) {
        TranslatedBlock& block = blocks_[number];
        if (block.live && block.page_number == page_number && block.offset == offset &&
            block.mode == mode && block.next_page_number == next_page_number)
            return &block;
    }
    return nullptr;
}

CodeStore::CodePage& CodeStore::page_for(u64 page_number) {
    if (page_number >= pages_.size())
        pages_.resize(std::max(page_number + 1, u64{2} * pages_.size()));
    std::unique_ptr<CodePage>& code_page = pages_[page_number];
    if (code_page == nullptr) {
        code_page = std::make_unique<CodePage>();
        code_page->generation = ++last_generation_;
    }
    return *code_page;
}

BlockCode CodeStore::next_code(u32 hot_size, u32 cold_size) const {
    return {.hot = hot_end_,
            .cold = cold_end_,
            .hot_area = hot(),
            .cold_area = cold(),
            .hot_size = hot_size,
            .cold_size = cold_size};
}

TranslatedBlock& CodeStore::add(const TranslatedBlock& block, u8* hot_end, u8* cold_end) {
    if (keeps_images_) {
        append_image(
            page_for(block.page_number).images, block, parts_,
            next_code(static_cast<u32>(hot_end - hot_end_), static_cast<u32>(cold_end - cold_end_)),
            std::span(sites_).subspan(first_site_), std::span(accesses_).subspan(first_access_));
    }
    TranslatedBlock& added = register_block(block, hot_end, cold_end);
    link_all(block.page_number, block.mode, parts_.links);
    return added;
}

u64 CodeStore::install(u64 page_number, u64 address, std::span<const u8> images) {
    u64 lines = 0;
    for (std::span<const u8> rest = images; !rest.empty() && has_room();) {
        const BlockImage image(rest);
        const BlockImageHeader& header = image.header();
        rest = rest.subspan(header.size);
        if (find(page_number, header.offset, header.mode) != nullptr)
            continue;
        const TranslatedBlock block =
            image.put(next_code(header.hot_size, header.cold_size), static_cast<u32>(sites_.size()),
                      page_number, next_block_number(), sites_, accesses_, parts_.links);
        register_block(block, hot_end_ + header.hot_size, cold_end_ + header.cold_size).address =
            address + header.offset;
        link_all(page_number, header.mode, parts_.links);
        lines |= header.lines;
        ++counters.installed;
    }
    return lines;
}

// What is known of the next block is complete: gives it its place.
TranslatedBlock& CodeStore::register_block(const TranslatedBlock& block, u8* hot_end,
                                           u8* cold_end) {
    ++counters.blocks;
    counters.instructions += block.count;
    counters.guest_bytes += static_cast<u64>(block.end - block.offset);
    counters.hot_bytes += static_cast<u64>(hot_end - hot_end_);
    counters.cold_bytes += static_cast<u64>(cold_end - cold_end_);
    hot_end_ = hot_end;
    cold_end_ = cold_end;
    CHECK(hot_end_ <= memory_ + area_size_ && cold_end_ <= cold() + area_size_);
    first_site_ = sites_.size();
    first_access_ = accesses_.size();
    const u32 number = next_block_number();
    blocks_.push_back(block);
    blocks_.back().number = number;
    if (block.next_page_number != kNoPage) {
        page_for(block.page_number).crossing.push_back(number);
        page_for(block.next_page_number).crossing.push_back(number);
        return blocks_.back();
    }
    CodePage& code_page = page_for(block.page_number);
    const u32 key = key_of(block.offset, block.mode);
    code_page.index.add(key, number);
    code_page.blocks.push_back(number);
    std::erase_if(code_page.waiting, [&](const Waiting& waiting) {
        if (waiting.key != key)
            return false;
        lead_to(waiting.field, entry(block, waiting.flags));
        return true;
    });
    return blocks_.back();
}

void CodeStore::link(u64 page_number, u32 mode, const BlockLink& link) {
    const TranslatedBlock* target = find(page_number, link.target, mode);
    if (target != nullptr) {
        lead_to(link.field, entry(*target, link.flags));
        return;
    }
    page_for(page_number).waiting.push_back({key_of(link.target, mode), link.flags, link.field});
}

void CodeStore::link_all(u64 page_number, u32 mode, const std::vector<BlockLink>& links) {
    for (const BlockLink& wanted : links)
        link(page_number, mode & ~mode_bit::kPlain, wanted);
}

void CodeStore::drop_page(u64 page_number, i32 stale_stub) {
    CodePage* code_page = page(page_number);
    if (code_page == nullptr)
        return;
    ++counters.pages_dropped;
    for (const u32 number : code_page->blocks)
        drop_block(number, stale_stub);
    for (const u32 number : code_page->crossing)
        drop_block(number, stale_stub);
    pages_[page_number].reset();
}

void CodeStore::drop_block(u32 number, i32 stale_stub) {
    TranslatedBlock& block = blocks_[number];
    if (!block.live)
        return;
    block.live = false;
    for (u8* link : block.incoming) {
        const u32 no_key = 0;
        std::memcpy(link, &no_key, sizeof no_key);
    }
    block.incoming.clear();
    redirect(block.indirect, stale_stub,
             add_site({.block = number, .offset = block.offset, .kind = SiteKind::kStale}));
    first_site_ = sites_.size();
}

void CodeStore::drop_all() {
    ++counters.flushes;
    hot_end_ = memory_;
    cold_end_ = first_cold_;
    sites_.clear();
    accesses_.clear();
    first_site_ = first_access_ = 0;
    blocks_.clear();
    pages_.clear();
}

}  // namespace uchronia::cpu::jit
