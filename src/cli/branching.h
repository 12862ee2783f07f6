// What the commands have in common that go on from a moment of a saved history: branch, exec,
// shell, files.
#pragma once

#include <CLI/App.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/code_cache.h"
#include "cli/moments.h"
#include "cli/run_session.h"
#include "history/history.h"
#include "machine/base_image.h"

namespace uchronia::cli {

struct BranchOptions {
    std::string history;  // or HISTORY@MOMENT
    std::string at;
    std::string save;
    machine::Engine engine = machine::Engine::kTranslator;
};

// HISTORY, --at and --engine.
void add_branch_options(CLI::App& app, BranchOptions& options);
// The same with --save and --root, for commands that run one in the guest.
void add_visit_options(CLI::App& app, BranchOptions& options, bool& as_root);

// A saved history, with what is needed to go on from a moment of it.
class BranchPoint {
  public:
    static Result<std::unique_ptr<BranchPoint>> open(const BranchOptions& options);

    const history::History& history() const { return history_; }

    // The guest does not see this folder of the host from the moment on, unless it has before.
    void hide(const std::string& folder) { history_.files.hidden.push_back(folder); }

    // Goes to the moment in silence, then calls `branch`, and then runs on.
    Result<ForegroundRun> run(ForegroundOptions options,
                              std::function<Status(history::Session&, RunOutside&)> branch) const;

  private:
    BranchPoint() = default;

    BranchOptions options_;
    NamedMoment named_;
    history::History history_;
    Digest digest_;  // of its file
    CodeCache code_;
    std::unique_ptr<machine::BaseImage> base_;
};

// A command for a visit, as the history's own is run: its user, folder and environment.
struct VisitRequestOptions {
    bool as_root = false;
    std::vector<std::string> environment = {};  // "NAME=value", in place of those with these names
};
history::Visit visit_of(const history::History& history, const std::vector<std::string>& command,
                        const VisitRequestOptions& options);

}  // namespace uchronia::cli
