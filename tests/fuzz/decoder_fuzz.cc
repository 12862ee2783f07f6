// Any bytes decode, in every code mode, to something that stays inside them; and the result depends
// on no byte behind the instruction.
#include <algorithm>
#include <cstring>
#include <memory>

#include "base/check.h"
#include "cpu/decode/decoder.h"
#include "tests/fuzz/target.h"

namespace uchronia::fuzz {
namespace {

using namespace cpu;

constexpr u16 kOffset = 0x123;

void check(std::span<const u8> bytes, CodeMode mode) {
    Decoded decoded{};
    const DecodeStatus status = decode(bytes, mode, kOffset, decoded);
    if (status != DecodeStatus::kDone) {
        CHECK(status != DecodeStatus::kNeedsMore || bytes.size() < 15);
        return;
    }
    const unsigned length = decoded.op.length;
    CHECK(length > 0 && length <= bytes.size() && length <= 15);
    for (unsigned part = 0; part < bytes.size(); ++part) {
        // On the heap, so that AddressSanitizer sees each byte too far.
        const std::unique_ptr<u8[]> copy(new u8[part]);
        std::memcpy(copy.get(), bytes.data(), part);
        Decoded other{};
        const DecodeStatus other_status = decode({copy.get(), part}, mode, kOffset, other);
        const bool whole = part >= length;
        CHECK(other_status == (whole ? DecodeStatus::kDone : DecodeStatus::kNeedsMore) ||
              decoded.instruction == Instruction::kUndefined);
        if (whole)
            CHECK(other.instruction == decoded.instruction && other.op.length == length);
    }
}

}  // namespace

std::vector<std::vector<u8>> seeds() {
    return {};
}

}  // namespace uchronia::fuzz

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace uchronia;
    const std::size_t length = std::min<std::size_t>(size, 20);
    const std::unique_ptr<u8[]> copy(new u8[length]);
    std::memcpy(copy.get(), data, length);
    for (const cpu::CodeMode mode : {cpu::CodeMode::k16, cpu::CodeMode::k32, cpu::CodeMode::k64})
        fuzz::check({copy.get(), length}, mode);
    return 0;
}
