#include "cli/image_source.h"

#include <cstdio>
#include <ctime>

#include "cli/cache.h"
#include "cli/message.h"
#include "cli/paths.h"
#include "cli/units.h"
#include "host/clock.h"
#include "host/files.h"
#include "host/no_files.h"
#include "image/build.h"
#include "image/image_files.h"

namespace uchronia::cli {
namespace {

using image::ListedImage;
using image::Manifest;

constexpr u64 kProgressInterval = 100'000'000;  // nanoseconds
constexpr u64 kLongBuild = 2'000'000'000;

// One line that is written over, on a terminal.
class BuildProgress {
  public:
    explicit BuildProgress(std::string source) : source_(std::move(source)) {}

    void show(u64 files, u64 bytes) {
        if (!on_terminal_)
            return;
        const u64 now = host::monotonic_nanoseconds();
        if (now - last_ < kProgressInterval)
            return;
        last_ = now;
        std::fprintf(stderr, "\r\x1b[Kbuilding the image: %s files, %s",
                     format_count(files).c_str(), format_size(bytes).c_str());
        std::fflush(stderr);
        is_shown_ = true;
    }

    void finish(u64 files, u64 bytes) {
        if (is_shown_)
            std::fputs("\r\x1b[K", stderr);
        const u64 spent = host::monotonic_nanoseconds() - begin_;
        if (spent > kLongBuild)
            say("image of " + source_ + " built: " + format_count(files) + " files, " +
                format_size(bytes) + " read in " +
                format_seconds(spent / 100'000'000 * 100'000'000));
    }

  private:
    const std::string source_;
    const bool on_terminal_ = errors_go_to_terminal();
    const u64 begin_ = host::monotonic_nanoseconds();
    u64 last_ = begin_;
    bool is_shown_ = false;
};

// A container image's folder is told by its index; any other folder has none, and is looked through
// each time.
Result<image::SourceStamp> stamp_of_source(const std::string& source) {
    if (!host::is_directory(source))
        return image::stamp_of(source);
    const std::string index = source + "/index.json";
    return host::exists(source + "/oci-layout") && host::exists(index)
               ? image::stamp_of(index)
               : Result<image::SourceStamp>(image::SourceStamp{});
}

std::shared_ptr<const Manifest> share(Manifest manifest) {
    return std::make_shared<const Manifest>(std::move(manifest));
}

void say_what_is_left_out(const std::string& source, const image::Work& work) {
    if (work.skipped_devices != 0)
        say("the image of " + source + " leaves out " + format_count(work.skipped_devices) +
            " device files; the guest has its own in /dev");
    if (work.skipped_mounts != 0)
        say("the image of " + source + " leaves out what is mounted in " +
            format_count(work.skipped_mounts) + " of its folders");
}

struct Built {
    ListedImage listed;
    std::shared_ptr<const Manifest> manifest;
    std::string own_name;
};

Result<Built> build(const std::string& source, const std::optional<ListedImage>& earlier,
                    const image::ImageList& list) {
    const history::ContentStore store = content_store();
    std::optional<Manifest> before;
    if (earlier) {
        if (Result<Manifest> loaded = image::load_manifest(earlier->manifest, source, store))
            before = std::move(*loaded);
    }
    const image::EarlierScan scan{.manifest = before ? &*before : nullptr,
                                  .begin_seconds = earlier ? earlier->built_seconds : 0};
    const Result<image::SourceStamp> stamp = stamp_of_source(source);
    if (!stamp)
        return stamp.error();
    BuildProgress progress(source);
    image::Work work;
    work.progress = [&](u64 files, u64 bytes) { progress.show(files, bytes); };
    const i64 begin = static_cast<i64>(std::time(nullptr));
    Result<image::BuiltImage> image = image::build_image(source, scan, store, list.folder(), work);
    progress.finish(work.files, work.bytes);
    if (!image)
        return image.error();
    if (!before || earlier->manifest != image->digest)
        say_what_is_left_out(source, work);
    return Built{.listed = {.name = {},
                            .source = source,
                            .manifest = image->digest,
                            .built_seconds = begin,
                            .stamp = *stamp,
                            .file_count = image->manifest.entries.size(),
                            .content_size = image->manifest.content_size()},
                 .manifest = share(std::move(image->manifest)),
                 .own_name = image->name};
}

// The manifest of an image that is listed, if it and all its contents are there.
Result<Manifest> load_whole(const ListedImage& listed, const std::string& name) {
    const history::ContentStore store = content_store();
    Result<Manifest> manifest = image::load_manifest(listed.manifest, name, store);
    if (!manifest)
        return manifest;
    const std::string file = image::file_without_content(*manifest, store);
    if (!file.empty())
        return Error{"the image " + name + " lacks the contents of " + file +
                     " in the cache. Build it again ('uchronia image build')"};
    return manifest;
}

Result<FoundImage> obtain_listed(const ListedImage& listed, const image::ImageList& list) {
    Result<Manifest> manifest = load_whole(listed, listed.name);
    list.note_use(listed);
    if (manifest)
        return FoundImage{listed.name, listed.manifest, share(std::move(*manifest))};
    if (!host::exists(listed.source))
        return Error{manifest.error().message + ": " + listed.source +
                     ", of which it was made, is gone too"};
    say(manifest.error().message);
    say("building it again, of " + listed.source);
    Result<Built> built = build(listed.source, std::nullopt, list);
    if (!built)
        return built.error();
    built->listed.name = listed.name;
    if (Status status = list.add(built->listed); !status)
        return status.error();
    return FoundImage{listed.name, built->listed.manifest, built->manifest};
}

Result<FoundImage> obtain_of_source(const std::string& name, const image::ImageList& list) {
    const std::string source = tidy_path(name);
    const std::optional<ListedImage> earlier = list.find_source(source);
    const Result<image::SourceStamp> stamp = stamp_of_source(source);
    if (!stamp)
        return stamp.error();
    if (earlier && earlier->stamp == *stamp && *stamp != image::SourceStamp()) {
        if (Result<Manifest> manifest = load_whole(*earlier, source)) {
            list.note_use(*earlier);
            return FoundImage{source, earlier->manifest, share(std::move(*manifest))};
        }
    }
    const Result<Built> built = build(source, earlier, list);
    if (!built)
        return built.error();
    if (Status status = list.add(built->listed); !status)
        return status.error();
    return FoundImage{source, built->listed.manifest, built->manifest};
}

// "alpine-3.19.tar.gz" is "alpine-3.19".
std::string name_of_source(const std::string& source) {
    std::string name = source.substr(source.rfind('/') + 1);
    for (const char* ending : {".gz", ".xz", ".zst", ".bz2", ".tgz", ".txz", ".tar"}) {
        if (name.ends_with(ending) && name.size() > std::string_view(ending).size())
            name.resize(name.size() - std::string_view(ending).size());
    }
    return name;
}

}  // namespace

Result<image::ImageList> image_list() {
    const Result<std::string> cache = cache_folder();
    if (!cache)
        return cache.error();
    return image::ImageList(*cache + "/images");
}

Result<FoundImage> obtain_image(const std::string& name_or_path) {
    const Result<image::ImageList> list = image_list();
    if (!list)
        return list.error();
    for (const std::string& name : {name_or_path, name_or_path + ":latest"}) {
        if (const std::optional<ListedImage> listed = list->find_name(name))
            return obtain_listed(*listed, *list);
    }
    if (host::exists(name_or_path))
        return obtain_of_source(name_or_path, *list);
    return Error{"--image: there is no image, folder or archive " + name_or_path +
                 "; 'uchronia image list' shows what images there are"};
}

Result<ListedImage> build_named_image(const std::string& source, const std::string& name) {
    const Result<image::ImageList> list = image_list();
    if (!list)
        return list.error();
    if (!host::exists(source))
        return Error{"there is no " + source + " to make an image of"};
    const std::string path = tidy_path(source);
    if (!name.empty() && !image::is_image_name(name))
        return Error{"--name: '" + name +
                     "' is no name for an image; write letters, digits and any of . _ - / : @, "
                     "beginning with a letter or digit"};
    std::optional<ListedImage> earlier = list->find_source(path);
    if (!name.empty() && list->find_name(name) && list->find_name(name)->source == path)
        earlier = list->find_name(name);
    Result<Built> built = build(path, earlier, *list);
    if (!built)
        return built.error();
    std::string chosen = name.empty() ? built->own_name : name;
    if (chosen.empty())
        chosen = name_of_source(path);
    if (!image::is_image_name(chosen))
        return Error{"the image has no name; give it one with --name"};
    built->listed.name = chosen;
    if (Status status = list->add(built->listed); !status)
        return status.error();
    return built->listed;
}

std::unique_ptr<host::FileSource> open_image_files(const history::FileView& view) {
    const history::ContentStore store = content_store();
    Result<Manifest> manifest = image::load_manifest(view.image, view.image_name, store);
    if (!manifest)
        return std::make_unique<host::NoFiles>();
    return std::make_unique<image::ImageFiles>(share(std::move(*manifest)), store);
}

}  // namespace uchronia::cli
