// uchronia files: the guest's files as they were at a moment of a saved history.

#include <cstdio>
#include <memory>

#include "cli/branching.h"
#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/file_list.h"
#include "cli/message.h"
#include "cli/out_option.h"
#include "cli/out_writer.h"
#include "cli/paths.h"

namespace uchronia::cli {
namespace {

struct Options {
    BranchOptions branch;
    std::string path;
    std::string out;
    bool json = false;
};

constexpr char kFooter[] = R"(
PATH is a file or a folder of the guest; if it does not begin with '/', of the folder that the
history's command was started in. It is read as root, and as programs in the guest see it: what they
have written lies over the files of the host or the image. Without --at: at the history's end.

Without --out it is listed: permissions, links, user, group, size, time of the last change (the
guest's, in UTC) and name. With --out what the folder has is written into DIR, which is made if it is
not there; of a file, the file. The kernel's views (/proc, /sys) are left out: 'uchronia exec' reads
them. The history stays as it is, and nothing is kept.

Files of the host that the history has not read are those of today.

Exit status: 0; 1 if there is no such file; 125 and others as for 'exec'.

Examples:
  uchronia files last /tmp
  uchronia files found.uch --at 12.5s /var/log --out log-then
  uchronia files last@#123456789 --json .)";

history::Visit request_of(const Options& options, const history::History& history) {
    history::Visit visit = visit_of(history, {options.path}, {.as_root = true});
    visit.kind =
        options.out.empty() ? history::Visit::Kind::kListFiles : history::Visit::Kind::kBringFiles;
    return visit;
}

int print(const Options& options, const std::string& list) {
    const Result<std::vector<ListedFile>> files = parse_file_list(list);
    if (!files)
        return fail(files.error(), kHostError);
    std::fputs((options.json ? file_list_json(*files) : file_list_text(*files)).c_str(), stdout);
    return std::fflush(stdout) == 0 ? kSuccess : kHostError;
}

int files(const Options& options) {
    const Result<std::unique_ptr<BranchPoint>> point = BranchPoint::open(options.branch);
    if (!point)
        return fail(point.error(), kHostError);
    std::unique_ptr<OutWriter> out;
    if (!options.out.empty()) {
        Result<std::unique_ptr<OutWriter>> created = OutWriter::create(options.out);
        if (!created)
            return fail(created.error(), kHostError);
        out = std::move(*created);
        // The guest may see where it is written, and would bring that out as well.
        (*point)->hide(path_without_links(options.out));
    }
    std::string list, errors;
    const Result<ForegroundRun> done =
        (*point)->run({}, [&](history::Session& session, RunOutside& outside) {
            outside.set_hearing(Hearing::kVisit);
            outside.keep_visit_output(&list, &errors);
            outside.bring_out_visit_to(out.get());
            return session.visit(request_of(options, session.history()), kNever, {});
        });
    if (!done)
        return fail(done.error(), kHostError);
    if (!errors.empty())
        say(printable(errors, "\n\t"));
    if (!done->begun || done->exit_status != kSuccess)
        return done->exit_status;
    if (out != nullptr)
        return say_what_came_out(*out) ? kSuccess : kHostError;
    return print(options, list);
}

}  // namespace

Command add_files_command(CLI::App& parent) {
    CLI::App* app = parent.add_subcommand(
        "files", "Lists or extracts the guest's files as they were at a moment of a history");
    auto options = std::make_shared<Options>();
    add_branch_options(*app, options->branch);
    app->add_option("PATH", options->path, "A file or folder of the guest")->required();
    app->add_option("--out", options->out, "Writes it into this folder of the host")
        ->type_name("DIR");
    app->add_flag("--json", options->json, "The list as JSON");
    app->footer(kFooter);
    return {.app = app,
            .run = [options](const auto&) { return files(*options); },
            .takes_command = false};
}

}  // namespace uchronia::cli
