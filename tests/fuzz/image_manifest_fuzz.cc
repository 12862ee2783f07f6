// A damaged manifest of an image gives an Error; one that can be read is written again as the same,
// and its files can be asked for.
#include "base/check.h"
#include "image/image_files.h"
#include "image/sample_manifest.h"
#include "tests/fuzz/target.h"

namespace uchronia::fuzz {

std::vector<std::vector<u8>> seeds() {
    image::Manifest empty;
    empty.entries = {image::sample_manifest().entries.front()};
    return {image::serialise(image::sample_manifest()), image::serialise(empty)};
}

namespace {

void ask(const image::Manifest& manifest) {
    image::ImageFiles files(std::make_shared<const image::Manifest>(manifest),
                            history::ContentStore("/nonexistent"));
    u64 listed = 1;
    for (const image::Entry& entry : manifest.entries) {
        CHECK(files.attributes(entry.path).ok());
        if (entry.attributes.is_directory())
            listed += (*files.list(entry.path))->size();
        CHECK(files.read_link(entry.path).ok() == entry.attributes.is_symlink());
        u8 byte;
        const auto count = files.read(entry.path, 0, {&byte, 1});
        CHECK(count.ok() == (entry.attributes.is_regular() && entry.attributes.size == 0));
    }
    CHECK(listed == manifest.entries.size());
}

}  // namespace
}  // namespace uchronia::fuzz

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace uchronia;
    const auto manifest = image::parse_manifest({data, size}, "input");
    if (!manifest)
        return 0;
    const auto again = image::parse_manifest(image::serialise(*manifest), "again");
    CHECK(again.ok() && *again == *manifest);
    fuzz::ask(*manifest);
    return 0;
}
