// What is known of a translated block: its place, the sites at which it leaves to the engine, the
// host instructions in it that may fault, and the branches that want to be linked.
#pragma once

#include <vector>

#include "base/types.h"

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
inline constexpr unsigned kSiteKinds = 9;

struct Site {
    u32 block = 0;
    // kSlow, kVerify: offset in the hot area. kCross: of the link there. kTwin: in the cold area.
    u32 resume = 0;
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
    u64 lines = 0;                   // of the page, that it was made from
    u64 address = 0;                 // of the guest, where it was first executed (for people)
    u8* direct = nullptr;            // entry with the flags in the host's flags
    u8* indirect = nullptr;          // entry with the flags in CPUState::flags
    std::vector<u8*> incoming = {};  // links across pages that lead here
};

// Where the flags are when a branch is taken.
enum class EntryFlags : u8 { kInHost, kInMemory, kInBoth };

// A branch within the page: the rel32 at `field` shall lead to the block at `target`.
struct BlockLink {
    u16 target = 0;
    EntryFlags flags = EntryFlags::kInHost;
    u8* field = nullptr;
};

// What the translator notes while it writes a block.
struct BlockParts {
    std::vector<u8*> far_fields;   // rel32 fields that lead from the hot to the cold area or back
    std::vector<u8*> site_fields;  // where the numbers of the block's sites stand, in their order
    std::vector<BlockLink> links;

    void clear() {
        far_fields.clear();
        site_fields.clear();
        links.clear();
    }
};

}  // namespace uchronia::cpu::jit
