#include "history/history.h"

namespace uchronia::history {
namespace {

bool same_request(const machine::RunRequest& a, const machine::RunRequest& b) {
    return a.arguments == b.arguments && a.environment == b.environment &&
           a.working_directory == b.working_directory && a.shares == b.shares &&
           a.modules_folder == b.modules_folder && a.groups == b.groups && a.uid == b.uid &&
           a.gid == b.gid && a.input == b.input && a.root == b.root && a.out_folder == b.out_folder;
}

}  // namespace

bool History::operator==(const History& other) const {
    return base == other.base && same_request(request, other.request) && files == other.files &&
           limits == other.limits && tape == other.tape && input == other.input &&
           result == other.result && chain == other.chain && record == other.record;
}

History without_result(History history) {
    history.result.reset();
    history.chain = {};
    history.record = {};
    return history;
}

}  // namespace uchronia::history
