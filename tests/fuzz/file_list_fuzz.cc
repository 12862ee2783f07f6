// Whatever the guest says are its files: it is refused, or shown in a way that steers no terminal
// and that every reader of JSON takes.
#include <nlohmann/json.hpp>

#include "base/check.h"
#include "cli/file_list.h"
#include "tests/fuzz/target.h"

namespace uchronia::fuzz {
namespace {

using namespace std::string_literals;

bool is_plain_text(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        const u8 byte = static_cast<u8>(text[i]);
        if ((byte < 0x20 && byte != '\n') || byte == 0x7f)
            return false;
        // The control characters from 80h on, in UTF-8.
        if (byte == 0xc2 && i + 1 < text.size() && static_cast<u8>(text[i + 1]) < 0xa0)
            return false;
    }
    return true;
}

}  // namespace

std::vector<std::vector<u8>> seeds() {
    const std::string list =
        "100644 1 0 0 12 1700000000 5 0 0\0name\0\0"
        "40755 2 1000 1000 4096 -1 999999999 0 0\0folder \x1b[31m\xc2\x9b\0\0"
        "120777 1 4294967295 0 3 9223372036854775807 -9 0 0\0link\0/target\xff\0"
        "20620 1 0 5 0 0 0 136 1\0tty\0\0"s;
    return {std::vector<u8>(list.begin(), list.end())};
}

}  // namespace uchronia::fuzz

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace uchronia;
    const auto files = cli::parse_file_list({reinterpret_cast<const char*>(data), size});
    if (!files)
        return 0;
    CHECK(fuzz::is_plain_text(cli::file_list_text(*files)));
    const auto json = nlohmann::json::parse(cli::file_list_json(*files), nullptr, false);
    CHECK(!json.is_discarded() && json.size() == files->size());
    return 0;
}
