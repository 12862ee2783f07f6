// Any bytes decode, in every code mode, to something that stays inside them.
#include <algorithm>
#include <cstddef>

#include "base/check.h"
#include "cpu/decode/decoder.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace uchronia;
    const std::span<const u8> bytes(data, std::min<std::size_t>(size, 15));
    for (const cpu::CodeMode mode : {cpu::CodeMode::k16, cpu::CodeMode::k32, cpu::CodeMode::k64}) {
        cpu::Decoded decoded;
        const cpu::DecodeStatus status = cpu::decode(bytes, mode, 0x123, decoded);
        if (status == cpu::DecodeStatus::kDone)
            CHECK(decoded.op.length > 0 && decoded.op.length <= bytes.size());
    }
    return 0;
}
