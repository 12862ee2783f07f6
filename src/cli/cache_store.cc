#include "cli/cache_store.h"

#include <ctime>

#include "history/bundle.h"
#include "history/configuration.h"
#include "history/history_file.h"
#include "host/file_use.h"
#include "host/files.h"
#include "image/build.h"
#include "image/image_list.h"

namespace uchronia::cli {
namespace {

constexpr i64 kRecent = 2 * 24 * 60 * 60;  // seconds
constexpr char kStoreFolder[] = "store/v1";
constexpr char kEnding[] = ".zst";

class Needs {
  public:
    explicit Needs(const std::string& folder) : folder_(folder), store_(folder + "/store") {}

    Status add_images() {
        const Result<std::vector<image::ListedImage>> images =
            image::ImageList(folder_ + "/images").all();
        if (!images)
            return images.error();
        for (const image::ListedImage& listed : *images) {
            needed_.insert(listed.manifest);
            const auto manifest = image::load_manifest(listed.manifest, listed.name, store_);
            if (!manifest)
                continue;
            for (const image::Entry& entry : manifest->entries)
                needed_.insert(entry.chunks.begin(), entry.chunks.end());
        }
        return {};
    }

    // One that cannot be read needs nothing.
    void add_history(const std::string& path) {
        const Result<history::History> history = history::load_history(path);
        if (!history)
            return;
        for (const auto& [digest, question] : history::needed_contents(*history))
            needed_.insert(digest);
        if (!history->files.has_image())
            return;
        needed_.insert(history->files.image);
        const auto manifest =
            image::load_manifest(history->files.image, history->files.image_name, store_);
        for (const auto& [question, answer] : history->record.blocks) {
            const image::Entry* entry = manifest ? manifest->find(question.path) : nullptr;
            if (entry != nullptr)
                needed_.insert(entry->chunks.begin(), entry->chunks.end());
        }
    }

    Status add_histories() {
        if (host::exists(folder_ + "/last.uch"))
            add_history(folder_ + "/last.uch");
        if (!host::is_directory(folder_ + "/findings"))
            return {};
        const auto findings = host::list_directory(folder_ + "/findings");
        if (!findings)
            return findings.error();
        for (const host::FolderEntry& entry : *findings)
            add_history(folder_ + "/findings/" + entry.name);
        return {};
    }

    std::set<Digest> take() { return std::move(needed_); }

  private:
    const std::string folder_;
    const history::ContentStore store_;
    std::set<Digest> needed_;
};

}  // namespace

Result<std::set<Digest>> contents_in_need(const std::string& folder) {
    Needs needs(folder);
    Status status = needs.add_images();
    if (status)
        status = needs.add_histories();
    if (!status)
        return status.error();
    return needs.take();
}

Result<std::vector<CacheEntry>> contents_not_needed(const std::string& folder) {
    std::vector<CacheEntry> entries;
    const std::string store = folder + "/" + kStoreFolder;
    if (!host::is_directory(store))
        return entries;
    const Result<std::set<Digest>> needed = contents_in_need(folder);
    if (!needed)
        return needed.error();
    const auto parts = host::list_directory(store);
    if (!parts)
        return parts.error();
    const i64 now = static_cast<i64>(std::time(nullptr));
    for (const host::FolderEntry& part : *parts) {
        const auto contents = host::list_directory(store + "/" + part.name);
        if (!contents)
            return contents.error();
        for (const host::FolderEntry& content : *contents) {
            const std::string name = content.name.substr(0, content.name.find('.'));
            const Result<Digest> digest = history::digest_from_hex(name);
            if (content.name == name + kEnding && digest && needed->contains(*digest))
                continue;
            const std::string path =
                std::string(kStoreFolder) + "/" + part.name + "/" + content.name;
            const i64 last_use = host::seconds_of_change(folder + "/" + path);
            entries.push_back({.kind = CacheKind::kStore,
                               .path = path,
                               .size = host::use_of(folder + "/" + path).size,
                               .last_use = last_use,
                               .in_use = now - last_use < kRecent,
                               .description = {}});
        }
    }
    return entries;
}

}  // namespace uchronia::cli
