// Whatever a guest sends as files that come out, in any pieces, nothing appears beside the folder.
#include <cstring>

#include "base/check.h"
#include "cli/out_writer.h"
#include "image/testing.h"
#include "tests/fuzz/target.h"

namespace uchronia::fuzz {
namespace {

void append(std::vector<u8>& stream, u32 kind, const std::string& text, u64 size) {
    UchroniaFileRecord record{};
    record.kind = kind;
    record.mode = 0755;
    record.size = size;
    record.text_size = static_cast<u32>(text.size());
    const u8* bytes = reinterpret_cast<const u8*>(&record);
    stream.insert(stream.end(), bytes, bytes + sizeof record);
    stream.insert(stream.end(), text.begin(), text.end());
}

}  // namespace

std::vector<std::vector<u8>> seeds() {
    std::vector<u8> stream;
    append(stream, UCHRONIA_FILE_FOLDER, "d", 0);
    append(stream, UCHRONIA_FILE_REGULAR, "d/f", 3);
    append(stream, UCHRONIA_FILE_DATA, "", 3);
    stream.insert(stream.end(), {'a', 'b', 'c'});
    append(stream, UCHRONIA_FILE_SYMLINK, std::string("l\0../x", 6), 0);
    append(stream, UCHRONIA_FILE_REGULAR, "l/f", 0);
    append(stream, UCHRONIA_FILE_REMOVED, "x", 0);
    append(stream, UCHRONIA_FILE_END, "", 6);
    return {stream};
}

}  // namespace uchronia::fuzz

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace uchronia;
    const image::TestFolder folder;
    auto writer = cli::OutWriter::create(folder / "out", {.bytes = 1 << 20, .records = 100});
    CHECK(writer.ok());
    std::span<const u8> rest(data, size);
    const std::size_t piece = size == 0 ? 1 : 1 + data[0];
    while (!rest.empty()) {
        const std::size_t count = std::min(piece, rest.size());
        (*writer)->receive(rest.first(count));
        rest = rest.subspan(count);
    }
    for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
        CHECK(entry.path().filename() == "out");
    return 0;
}
