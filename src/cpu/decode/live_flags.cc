#include "cpu/decode/live_flags.h"

#include <algorithm>

#include "cpu/decode/decoder.h"

namespace uchronia::cpu {
namespace {

enum class Way : u8 { kGoesOn, kJumps, kForks, kEnds };

constexpr Way way_of(std::string_view name, u16 attributes) {
    if ((attributes & (attribute::kEnd | attribute::kAlone)) == 0)
        return Way::kGoesOn;
    if (name == "JMP_Jb" || name == "JMP_Jz")
        return Way::kJumps;
    const bool relative = name.ends_with("_Jb") || name.ends_with("_Jz");
    const bool conditional = name.starts_with("J") && name != "JRCXZ_Jb";
    return relative && conditional ? Way::kForks : Way::kEnds;
}

constexpr auto make_ways() {
    using namespace attribute;
    return std::array<Way, static_cast<std::size_t>(Instruction::kCount)>{
        Way::kEnds,
#define INSTRUCTION(name, encoding, feature, attributes, host) way_of(#name, attributes),
#include "cpu/decode/instructions.inc"
#undef INSTRUCTION
    };
}
constexpr auto kWays = make_ways();

class Scan {
  public:
    Scan(std::span<const u8, kPageSize> page, CodeMode mode) : page_(page), mode_(mode) {}

    // Those of `flags` that are live at the page's byte `at`.
    u8 live(u64 at, u8 flags, unsigned instructions, unsigned conditionals) {
        u8 live = flag::kNone;
        while (flags != 0) {
            Decoded decoded;
            if (instructions++ == kMostScannedInstructions || !decode_at(at, decoded))
                return live | flags;
            const FlagUse use = flag_use(decoded);
            live |= flags & use.reads;
            flags &= static_cast<u8>(~(use.reads | use.kills));
            const u64 target = decoded.op.immediate;
            switch (kWays[decoded.op.id]) {
                case Way::kGoesOn:
                    at += decoded.op.length;
                    break;
                case Way::kJumps:
                    at = target;
                    break;
                case Way::kForks:
                    if (conditionals++ == kMostScannedConditionals)
                        return live | flags;
                    at += decoded.op.length;
                    if (flags != 0) {
                        const u8 taken = this->live(target, flags, instructions, conditionals);
                        live |= taken;
                        flags &= static_cast<u8>(~taken);
                    }
                    break;
                case Way::kEnds:
                    return live | flags;
            }
        }
        return live;
    }

    u64 lines() const { return lines_; }

  private:
    bool decode_at(u64 at, Decoded& decoded) {
        if (at >= kPageSize)
            return false;
        const u16 offset = static_cast<u16>(at);
        const DecodeStatus status = decode(page_.subspan(offset), mode_, offset, decoded);
        const bool goes_on =
            status == DecodeStatus::kDone && decoded.instruction != Instruction::kUndefined;
        const u64 size =
            goes_on ? decoded.op.length : std::min<u64>(kLongestInstruction, kPageSize - at);
        for (u64 line = at / kScannedLine; line <= (at + size - 1) / kScannedLine; ++line)
            lines_ |= u64{1} << line;
        return goes_on;
    }

    std::span<const u8, kPageSize> page_;
    CodeMode mode_;
    u64 lines_ = 0;
};

}  // namespace

LiveFlags live_flags(std::span<const u8, kPageSize> page, u16 offset, CodeMode mode) {
    Scan scan(page, mode);
    LiveFlags result;
    result.live = scan.live(offset, kAllFlags, 0, 0);
    result.lines = scan.lines();
    return result;
}

}  // namespace uchronia::cpu
