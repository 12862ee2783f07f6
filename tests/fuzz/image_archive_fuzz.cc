// An archive, whatever is in it, gives an image that can be read again, or an Error. Layers of
// container images go the same way.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>

#include "base/check.h"
#include "image/layer.h"
#include "image/testing.h"
#include "tests/fuzz/target.h"

namespace uchronia::fuzz {

std::vector<std::vector<u8>> seeds() {
    const std::string tar = image::TarWriter()
                                .folder("d/")
                                .file("d/a", "text")
                                .hard_link("b", "d/a")
                                .link("l", "../d")
                                .file("l/c", std::string(600, 'x'), 04755)
                                .file(".wh.b", "")
                                .file("d/.wh..wh..opq", "")
                                .finish();
    return {{tar.begin(), tar.end()}};
}

namespace {

// In memory, so that nothing is written while it is fuzzed.
image::Blob blob_of(std::span<const u8> bytes) {
    const auto file =
        std::make_shared<host::FileDescriptor>(::memfd_create("archive", MFD_CLOEXEC));
    CHECK(*file && ::write(file->number(), bytes.data(), bytes.size()) ==
                       static_cast<ssize_t>(bytes.size()));
    return {.name = "input", .file = file, .offset = 0, .size = bytes.size()};
}

void build(std::span<const u8> bytes, image::ArchiveKind kind, const history::ContentStore& store) {
    image::Tree tree;
    image::Work work;
    for (int layer = 0; layer < 2; ++layer) {
        if (!image::add_archive(blob_of(bytes), kind, store, tree, work))
            return;
    }
    image::Manifest manifest;
    manifest.entries = tree.take();
    CHECK(image::parse_manifest(image::serialise(manifest), "input").ok());
}

}  // namespace
}  // namespace uchronia::fuzz

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace uchronia;
    static const image::TestFolder folder;
    const history::ContentStore store(folder / "store");
    fuzz::build({data, size}, image::ArchiveKind::kPlain, store);
    fuzz::build({data, size}, image::ArchiveKind::kLayer, store);
    return 0;
}
