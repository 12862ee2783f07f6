// uchronia export: a history and all that its replay needs, as one file.

#include <cstdio>
#include <memory>

#include "cli/cache.h"
#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/message.h"
#include "cli/named_history.h"
#include "cli/run_setup.h"
#include "cli/units.h"
#include "history/bundle.h"
#include "history/history_file.h"
#include "host/files.h"

namespace uchronia::cli {
namespace {

struct Options {
    std::string history;
    std::string file;
    std::vector<std::string> excluded;
    bool without_base = false;
};

constexpr char kFooter[] = R"(
HISTORY is a history, or the word 'last' for the latest run. FILE gets it with the contents of all
files that the guest read and the booted machine that it starts from; 'uchronia import FILE' makes a
history of it elsewhere. 'uchronia show FILE' lists what it discloses: look before you share it.

--exclude leaves the contents of files out: a PATTERN with '*', '?' and '[...]' fits a path or a
folder above it if it begins with '/', a path below the run's working directory if it has a slash
elsewhere, and any file or folder of that name if it has none. Names, sizes, times and digests of such
files stay in the bundle. A replay elsewhere then needs the same file there.

Exit status: 0; 123 the base image could not be made; 125 wrong usage, or an error on the host.

Examples:
  uchronia export last found.bundle
  uchronia export found.uch found.bundle --exclude .env --exclude '/etc/*' --without-base)";

// With a slash but not at its begin: from the run's working directory. A slash at the end means
// nothing.
std::vector<std::string> absolute(std::vector<std::string> patterns, const std::string& folder) {
    for (std::string& pattern : patterns) {
        while (pattern.size() > 1 && pattern.back() == '/')
            pattern.pop_back();
        if (pattern.find('/') != std::string::npos && pattern.front() != '/')
            pattern = (folder == "/" ? "" : folder) + "/" + pattern;
    }
    return patterns;
}

// From the store, or from the host if the file there is still the same.
Result<std::vector<u8>> find_content(const history::ContentStore& store, host::FileSource& files,
                                     Digest digest, const history::BlockQuestion& question) {
    if (auto content = store.get(digest))
        return std::move(*content);
    std::vector<u8> bytes(question.size);
    const host::FileResult<u64> count = files.read(question.path, question.offset, bytes);
    bytes.resize(count.ok() ? *count : 0);
    if (!count.ok() || digest_of(std::span<const u8>(bytes)) != digest)
        return Error{
            "the contents of " + question.path +
            " with which the history was recorded are neither in the cache nor on the host any "
            "more. Without them the history cannot be replayed; --exclude " +
            question.path + " exports the rest"};
    return bytes;
}

Status add_contents(const history::History& history, const std::set<Digest>& left_out,
                    history::BundleWriter& bundle) {
    const Result<std::unique_ptr<host::FileSource>> files = open_files(history.files);
    if (!files)
        return files.error();
    const history::ContentStore store = content_store();
    for (const auto& [digest, question] : history::needed_contents(history)) {
        if (left_out.contains(digest))
            continue;
        const Result<std::vector<u8>> content = find_content(store, **files, digest, question);
        if (!content)
            return content.error();
        bundle.add_content(digest, *content);
    }
    return {};
}

void say_what_is_missing(const Options& options, const history::History& history,
                         const std::set<Digest>& left_out) {
    const auto files =
        history::read_files(history, [&](Digest digest) { return !left_out.contains(digest); });
    bool any = false;
    for (const history::ReadFile& file : files) {
        if (file.missing == 0)
            continue;
        say("left out: " + file.path);
        any = true;
    }
    if (any)
        say("a replay elsewhere needs these files there, as they were when they were read");
    else if (!options.excluded.empty())
        say("no file that the guest read fits what --exclude names");
    if (!history.base.disk_path.empty())
        say("the disk image " + history.base.disk_path +
            " is not in the bundle; a replay needs it at the same path");
}

int export_history(const Options& options) {
    Result<history::History> history = load_named_history(options.history);
    if (!history)
        return fail(history.error(), kHostError);
    const std::set<Digest> left_out = history::leave_out(
        *history, absolute(options.excluded, history->request.working_directory));

    history::BundleWriter bundle(*history);
    if (Status status = add_contents(*history, left_out, bundle); !status)
        return fail(status.error(), kHostError);
    if (!options.without_base) {
        const Result<std::string> base = obtain_base_image_file(history->base);
        if (!base)
            return fail(base.error(), kBootFailed);
        const Result<host::MappedFile> image = host::map_file(*base);
        if (!image)
            return fail(image.error(), kHostError);
        bundle.add_base_image(image->bytes());
    }
    const std::vector<u8> file = bundle.finish();
    if (Status status = host::write_file_atomically(options.file, file); !status)
        return fail(status.error(), kHostError);
    say_what_is_missing(options, *history, left_out);
    std::printf("%s: %s bytes\n", options.file.c_str(), format_count(file.size()).c_str());
    return kSuccess;
}

}  // namespace

Command add_export_command(CLI::App& parent) {
    CLI::App* app =
        parent.add_subcommand("export", "Writes a history and all that it needs as one file");
    auto options = std::make_shared<Options>();
    app->add_option("HISTORY", options->history, "The history, or 'last'")->required();
    app->add_option("FILE", options->file, "The bundle that is written")->required();
    app->add_option("--exclude", options->excluded,
                    "Leaves out the contents of files that fit. May be repeated")
        ->type_name("PATTERN")
        ->allow_extra_args(false);
    app->add_flag("--without-base", options->without_base,
                  "Leaves out the booted machine: the same kernel must be installed elsewhere");
    app->footer(kFooter);
    return {.app = app,
            .run = [options](const auto&) { return export_history(*options); },
            .takes_command = false};
}

}  // namespace uchronia::cli
