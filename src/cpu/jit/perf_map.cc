#include "cpu/jit/perf_map.h"

#include <unistd.h>

#include <cinttypes>
#include <cstdio>

#include "host/files.h"

namespace uchronia::cpu::jit {
namespace {

void add_line(std::string& text, const u8* begin, const u8* end, const char* what, u64 address) {
    char line[96];
    std::snprintf(line, sizeof line, "%" PRIx64 " %" PRIx64 " %s_%" PRIx64 "\n",
                  reinterpret_cast<u64>(begin), static_cast<u64>(end - begin), what, address);
    text += line;
}

}  // namespace

std::string perf_map_path() {
    return "/tmp/perf-" + std::to_string(::getpid()) + ".map";
}

Status append_perf_map(const CodeStore& store) {
    std::string text;
    const u32 count = store.next_block_number();
    for (u32 number = 0; number < count; ++number) {
        const TranslatedBlock& block = store.block(number);
        const u8* end = number + 1 < count ? store.block(number + 1).direct : store.hot_end();
        add_line(text, block.direct, end, block.address >> 63 != 0 ? "guest_kernel" : "guest_user",
                 block.address);
    }
    add_line(text, store.cold(), store.cold_end(), "slow_paths_of_guest_code", 0);
    return host::append_to_file(perf_map_path(),
                                {reinterpret_cast<const u8*>(text.data()), text.size()});
}

}  // namespace uchronia::cpu::jit
