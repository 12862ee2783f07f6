#include "history/moment.h"

namespace uchronia::history {

bool names_a_time(const Moment& moment) {
    return moment.tick == Ticks(0) && moment.time != VirtualTime(0);
}

bool has_come_to(const Moment& moment, Ticks tick, VirtualTime time) {
    return names_a_time(moment) ? time >= moment.time : tick >= moment.tick;
}

bool leads_to(Ticks tick, VirtualTime time, Arrival arrival, const Moment& moment) {
    if (names_a_time(moment))
        return time < moment.time;
    return tick < moment.tick || (tick == moment.tick && arrival == Arrival::kByTick);
}

}  // namespace uchronia::history
