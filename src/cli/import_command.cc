// uchronia import: a bundle becomes a history of this user.

#include <cstdio>
#include <memory>

#include "cli/cache.h"
#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/message.h"
#include "history/bundle.h"
#include "history/history_file.h"
#include "host/files.h"

namespace uchronia::cli {
namespace {

struct Options {
    std::string file;
    std::string name;
};

constexpr char kFooter[] = R"(
Checks everything in FILE, which 'uchronia export' wrote, brings contents of files and the booted
machine into the cache, and writes the history: to NAME, else beside where you are, named like FILE
with '.uch' at its end. 'uchronia show FILE' tells before what is in it.

Exit status: 0; 125 if the file is damaged, or an error on the host.

Examples:
  uchronia import found.bundle
  uchronia import found.bundle --as from-alice.uch && uchronia replay from-alice.uch)";

// "dir/found.bundle" becomes "found.uch".
std::string default_name(const std::string& file) {
    const std::string name = file.substr(file.rfind('/') + 1);
    const std::size_t dot = name.rfind('.');
    return (dot == 0 ? name : name.substr(0, dot)) + ".uch";
}

Result<std::string> name_of_history(const Options& options) {
    if (!options.name.empty())
        return options.name;
    const std::string name = default_name(options.file);
    if (host::exists(name))
        return Error{name + " is there already; --as names another file for the history"};
    return name;
}

// Everything is checked before anything is written.
Status check_contents(const history::Bundle& bundle) {
    for (const history::BundleEntry& entry : bundle.entries()) {
        if (const Result<std::vector<u8>> content = bundle.take(entry); !content)
            return content.error();
    }
    return {};
}

Status bring_in(const history::Bundle& bundle, const history::History& history) {
    const history::ContentStore store = content_store();
    for (const history::BundleEntry& entry : bundle.entries()) {
        if (entry.type == history::EntryType::kHistory)
            continue;
        const Result<std::vector<u8>> content = bundle.take(entry);
        if (!content)
            return content.error();
        const Status status = entry.type == history::EntryType::kContent
                                  ? store.put(entry.digest, *content)
                                  : import_base_image(history.base, *content);
        if (!status)
            return status;
    }
    return {};
}

void say_what_is_missing(const history::Bundle& bundle, const history::History& history) {
    const auto has_content = [&](Digest digest) { return bundle.has_content(digest); };
    for (const history::ReadFile& file : history::read_files(history, has_content)) {
        if (file.missing != 0)
            say("the bundle leaves out " + file.path +
                ": a replay needs the same file here, and fails without it");
    }
    if (bundle.base_image() == nullptr && !is_base_image_cached(history.base))
        say("the bundle has no base image: the first replay boots one, for which " +
            history.base.kernel_name + " must be installed as it was");
}

int import_bundle(const Options& options) {
    const Result<host::MappedFile> file = host::map_file(options.file);
    if (!file)
        return fail(file.error(), kHostError);
    const Result<history::Bundle> bundle = history::Bundle::open(file->bytes(), options.file);
    if (!bundle)
        return fail(bundle.error(), kHostError);
    const Result<history::History> history = bundle->history();
    if (!history)
        return fail(history.error(), kHostError);
    const Result<std::string> name = name_of_history(options);
    if (!name)
        return fail(name.error(), kHostError);
    Status status = check_contents(*bundle);
    if (status)
        status = bring_in(*bundle, *history);
    if (status)
        status = history::save_history(*history, *name);
    if (!status)
        return fail(status.error(), kHostError);
    say_what_is_missing(*bundle, *history);
    std::printf("uchronia replay %s\n", name->c_str());
    return kSuccess;
}

}  // namespace

Command add_import_command(CLI::App& parent) {
    CLI::App* app = parent.add_subcommand("import", "Makes a history of an exported file");
    auto options = std::make_shared<Options>();
    app->add_option("FILE", options->file, "What 'uchronia export' wrote")->required();
    app->add_option("--as", options->name, "The history that is written")->type_name("NAME");
    app->footer(kFooter);
    return {.app = app,
            .run = [options](const auto&) { return import_bundle(*options); },
            .takes_command = false};
}

}  // namespace uchronia::cli
