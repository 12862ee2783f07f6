// uchronia image: root file systems to run commands in, in place of the host's files.

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/image_source.h"
#include "cli/message.h"
#include "cli/units.h"

namespace uchronia::cli {
namespace {

struct Options {
    std::string source;
    std::string name;
    std::string removed;
    bool json = false;
};

constexpr char kFooter[] = R"(
SOURCE is a folder with a root file system, a tar archive of one (plain, gzip, bzip2, xz, zstd), what
'docker save' writes, or an OCI image layout (folder or archive). 'uchronia run --image NAME' starts
from it; 'run --image SOURCE' builds without a name.

Files are kept in the cache folder by their contents, each once, so images share what they have in
common; the source can go afterwards. Owners and modes are those of the archive: no root is needed.

Exit status: 0; 125 for a source that cannot be read, or another error on the host.

Examples:
  docker save alpine | gzip > alpine.tgz; uchronia image build alpine.tgz
  uchronia image build --name mine ./rootfs
  uchronia run --image mine -- /bin/sh -c 'ls -l /'
  uchronia image list
  uchronia image remove mine)";

int build(const Options& options) {
    const Result<image::ListedImage> built = build_named_image(options.source, options.name);
    if (!built)
        return fail(built.error(), kHostError);
    std::printf("%s: %s files, %s, %s\n", built->name.c_str(),
                format_count(built->file_count).c_str(), format_size(built->content_size).c_str(),
                to_hex(built->manifest).c_str());
    return std::fflush(stdout) == 0 ? kSuccess : kHostError;
}

nlohmann::ordered_json to_json(const image::ListedImage& image) {
    return {{"name", image.name},
            {"source", image.source},
            {"digest", to_hex(image.manifest)},
            {"built", image.built_seconds},
            {"files", image.file_count},
            {"content_size", image.content_size}};
}

Result<std::vector<image::ListedImage>> all_images() {
    const Result<image::ImageList> images = image_list();
    if (!images)
        return images.error();
    return images->all();
}

int list(const Options& options) {
    const Result<std::vector<image::ListedImage>> all = all_images();
    if (!all)
        return fail(all.error(), kHostError);
    if (options.json) {
        nlohmann::ordered_json json = nlohmann::ordered_json::array();
        for (const image::ListedImage& image : *all)
            json.push_back(to_json(image));
        std::puts(
            json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace).c_str());
    } else {
        for (const image::ListedImage& image : *all)
            std::printf("%-24s %9s files %10s  %s  %s  %s\n",
                        image.name.empty() ? "(no name)" : image.name.c_str(),
                        format_count(image.file_count).c_str(),
                        format_size(image.content_size).c_str(),
                        format_date(image.built_seconds).c_str(), to_hex(image.manifest).c_str(),
                        image.source.c_str());
    }
    return std::fflush(stdout) == 0 ? kSuccess : kHostError;
}

// By its name, its source or its digest; all that fit.
int remove(const Options& options) {
    const Result<image::ImageList> images = image_list();
    if (!images)
        return fail(images.error(), kHostError);
    const Result<std::vector<image::ListedImage>> all = images->all();
    if (!all)
        return fail(all.error(), kHostError);
    const std::string& wanted = options.removed;
    bool any = false;
    for (const image::ListedImage& image : *all) {
        const bool fits = image.name.empty()
                              ? image.source == wanted || to_hex(image.manifest) == wanted
                              : image.name == wanted || to_hex(image.manifest) == wanted;
        if (!fits)
            continue;
        if (Status status = images->remove(image); !status)
            return fail(status.error(), kHostError);
        any = true;
    }
    if (any)
        return kSuccess;
    return fail(
        Error{"there is no image " + wanted + "; 'uchronia image list' shows what there is"},
        kHostError);
}

}  // namespace

Command add_image_command(CLI::App& parent) {
    CLI::App* app = parent.add_subcommand("image", "Builds, lists and removes root file systems");
    app->require_subcommand(1);
    auto options = std::make_shared<Options>();
    CLI::App* building = app->add_subcommand("build", "Makes an image of a folder or an archive");
    building->add_option("SOURCE", options->source, "A folder, a tar archive, a container image")
        ->required();
    building
        ->add_option("--name", options->name,
                     "Its name; else what the container image calls itself, or the source's name")
        ->type_name("NAME");
    CLI::App* listing = app->add_subcommand("list", "Lists the images");
    listing->add_flag("--json", options->json, "As JSON");
    CLI::App* removing = app->add_subcommand(
        "remove", "Removes an image; its contents go when the cache is bounded");
    removing->add_option("NAME", options->removed, "Its name, or source, or digest")->required();
    app->footer(kFooter);
    return {.app = app,
            .run =
                [options, building, listing](const auto&) {
                    return building->parsed()  ? build(*options)
                           : listing->parsed() ? list(*options)
                                               : remove(*options);
                },
            .takes_command = false};
}

}  // namespace uchronia::cli
