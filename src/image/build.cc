#include "image/build.h"

#include <algorithm>

#include "host/files.h"
#include "image/container.h"

namespace uchronia::image {
namespace {

Status add_layers(const Container& container, const history::ContentStore& store, Tree& tree,
                  Work& work) {
    for (const Blob& layer : container.layers) {
        if (Status status = add_archive(layer, ArchiveKind::kLayer, store, tree, work); !status)
            return status;
    }
    return {};
}

Status check_is_root(const Tree& tree, const std::string& source) {
    if (tree.find("/") == nullptr || tree.size() == 1)
        return Error{"cannot make an image of " + source + ": there is nothing in it"};
    return {};
}

}  // namespace

Result<BuiltImage> build_image(const std::string& source, const EarlierScan& earlier,
                               const history::ContentStore& store, const std::string& work_folder,
                               Work& work) {
    const bool is_folder = host::is_directory(source);
    Blob archive;
    if (!is_folder) {
        Result<Blob> opened = open_blob(source);
        if (!opened)
            return opened.error();
        archive = std::move(*opened);
    }
    const Result<std::optional<Container>> container =
        is_folder ? container_in_folder(source) : container_in_archive(archive, work_folder);
    if (!container)
        return container.error();
    BuiltImage built;
    Tree tree;
    Status status;
    if (*container) {
        built.name = (*container)->name;
        built.manifest.configuration = (*container)->configuration;
        status = add_layers(**container, store, tree, work);
    } else {
        status = is_folder ? add_folder(source, earlier, store, tree, work)
                           : add_archive(archive, ArchiveKind::kPlain, store, tree, work);
    }
    if (status)
        status = check_is_root(tree, source);
    if (!status)
        return status.error();
    built.manifest.entries = tree.take();
    const std::vector<u8> bytes = serialise(built.manifest);
    built.digest = digest_of(std::span<const u8>(bytes));
    if (Status put = store.put(built.digest, bytes); !put)
        return put.error();
    return built;
}

Result<Manifest> load_manifest(Digest digest, const std::string& name,
                               const history::ContentStore& store) {
    const std::optional<std::vector<u8>> bytes = store.get(digest);
    if (!bytes)
        return Error{"the image " + name + " (" + to_hex(digest) +
                     ") is not in the cache any more. Build it again ('uchronia image build')"};
    return parse_manifest(*bytes, name);
}

std::string file_without_content(const Manifest& manifest, const history::ContentStore& store) {
    for (const Entry& entry : manifest.entries) {
        if (!std::all_of(entry.chunks.begin(), entry.chunks.end(),
                         [&](Digest chunk) { return store.has(chunk); }))
            return entry.path;
    }
    return "";
}

}  // namespace uchronia::image
