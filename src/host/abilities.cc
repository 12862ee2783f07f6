#include "host/abilities.h"

#include <sys/mman.h>
#include <sys/resource.h>

#include <cstring>
#include <string_view>

#include "host/executable_memory.h"
#include "host/files.h"

namespace uchronia::host {
namespace {

std::string text_of(const std::string& path) {
    const Result<std::vector<u8>> bytes = read_file(path);
    return bytes ? std::string(bytes->begin(), bytes->end()) : "";
}

// What stands behind the colon in the first line that begins with `key`.
std::string value_of(const std::string& text, std::string_view key) {
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const std::string line = text.substr(at, end - at);
        at = end + 1;
        const std::size_t colon = line.find(':');
        if (!line.starts_with(key) || colon == std::string::npos)
            continue;
        const std::size_t begin = line.find_first_not_of(" \t", colon + 1);
        return begin == std::string::npos ? "" : line.substr(begin);
    }
    return {};
}

}  // namespace

std::string processor_name() {
    return value_of(text_of("/proc/cpuinfo"), "model name");
}

bool runs_written_code() {
    // mov eax, 0x75636872; ret
    static constexpr u8 kCode[] = {0xb8, 0x72, 0x68, 0x63, 0x75, 0xc3};
    u8* const memory = allocate_executable(kPageSize);
    if (memory == nullptr)
        return false;
    std::memcpy(memory, kCode, sizeof kCode);
    const auto function = reinterpret_cast<u32 (*)()>(memory);
    const bool right = function() == 0x75636872;
    release_executable(memory, kPageSize);
    return right;
}

bool can_reserve(u64 size) {
    void* const memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return false;
    ::munmap(memory, size);
    return true;
}

std::optional<u64> address_space_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return std::nullopt;
    return limit.rlim_cur;
}

std::optional<u64> available_memory() {
    const std::string kibibytes = value_of(text_of("/proc/meminfo"), "MemAvailable");
    if (kibibytes.empty() || kibibytes.find_first_of("0123456789") != 0)
        return std::nullopt;
    return std::strtoull(kibibytes.c_str(), nullptr, 10) << 10;
}

std::string first_line_of(const std::string& path) {
    const std::string text = text_of(path);
    return text.substr(0, text.find('\n'));
}

}  // namespace uchronia::host
