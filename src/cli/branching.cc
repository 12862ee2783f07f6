#include "cli/branching.h"

#include <algorithm>

#include "cli/cache.h"
#include "cli/engine_option.h"
#include "cli/exit_status.h"
#include "cli/message.h"
#include "cli/named_history.h"
#include "history/history_file.h"

namespace uchronia::cli {

void add_branch_options(CLI::App& app, BranchOptions& options) {
    app.add_option("HISTORY", options.history, "The history, or 'last'; HISTORY@MOMENT too")
        ->required();
    app.add_option("--at", options.at, "The moment: 12.5s, #123456 (a tick), end")
        ->type_name("MOMENT");
    add_engine_option(app, options.engine);
}

void add_visit_options(CLI::App& app, BranchOptions& options, bool& as_root) {
    add_branch_options(app, options);
    app.add_option("--save", options.save, "Writes the branch to this file, for replay")
        ->type_name("FILE");
    app.add_flag("--root", as_root, "Runs it as root");
}

Result<std::unique_ptr<BranchPoint>> BranchPoint::open(const BranchOptions& options) {
    std::unique_ptr<BranchPoint> point(new BranchPoint());
    point->options_ = options;
    Result<NamedMoment> named = named_moment(options.history, options.at);
    if (!named)
        return named.error();
    point->named_ = std::move(*named);
    Result<history::History> history = load_named_history(point->named_.history);
    if (!history)
        return history.error();
    point->history_ = std::move(*history);
    const Result<Digest> digest = digest_of_named_history(point->named_.history);
    if (!digest)
        return digest.error();
    point->digest_ = *digest;
    say_if_engine_is_missing(options.engine);
    Result<std::unique_ptr<machine::BaseImage>> base =
        obtain_base_image_of(point->history_.base, options.engine, point->code_.library());
    if (!base)
        return base.error();
    point->base_ = std::move(*base);
    return point;
}

Result<ForegroundRun> BranchPoint::run(
    ForegroundOptions options, std::function<Status(history::Session&, RunOutside&)> branch) const {
    options.session.engine = options_.engine;
    options.session.library = code_.library();
    options.session.expected = &history_.chain;
    history::KeptMoments kept({.folder = checkpoint_folder(digest_)});
    options.session.kept = &kept;
    options.begin = [&](history::Session& session, RunOutside& outside) -> Status {
        outside.set_hearing(Hearing::kNothing);
        if (Status status = session.go_to(named_.moment); !status)
            return status;
        say_if_changed(session.changed_file(), named_.history);
        say_if_not_kept(kept.failure());
        outside.set_hearing(Hearing::kAll);
        return branch(session, outside);
    };
    return run_in_foreground(*base_, history_, options);
}

history::Visit visit_of(const history::History& history, const std::vector<std::string>& command,
                        const VisitRequestOptions& options) {
    history::Visit visit;
    visit.request = history.request;
    visit.request.arguments = command;
    visit.request.input = machine::StandardInput::kNone;
    visit.request.out_folder.clear();
    if (options.as_root) {
        visit.request.uid = visit.request.gid = 0;
        visit.request.groups.clear();
    }
    for (const std::string& variable : options.environment) {
        const std::string name = variable.substr(0, variable.find('=') + 1);
        std::erase_if(visit.request.environment,
                      [&](const std::string& other) { return other.starts_with(name); });
        visit.request.environment.push_back(variable);
    }
    return visit;
}

}  // namespace uchronia::cli
