#include "history/history.h"

namespace uchronia::history {
bool History::operator==(const History& other) const {
    return base == other.base && same_request(request, other.request) && files == other.files &&
           limits == other.limits && tape == other.tape && visits == other.visits &&
           input == other.input && result == other.result && chain == other.chain &&
           record == other.record;
}

History without_result(History history) {
    history.result.reset();
    history.chain = {};
    history.record = {};
    return history;
}

}  // namespace uchronia::history
