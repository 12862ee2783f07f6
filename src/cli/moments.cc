#include "cli/moments.h"

#include "cli/units.h"
#include "host/files.h"

namespace uchronia::cli {

Result<history::Moment> parse_moment(const std::string& text) {
    if (text == "end")
        return history::Moment::end();
    if (text.starts_with('#')) {
        const Result<Ticks> tick = parse_tick(text);
        return tick ? Result<history::Moment>(history::Moment::at(*tick)) : tick.error();
    }
    const Result<VirtualTime> time = parse_duration(text);
    if (!time)
        return Error{"'" + text +
                     "' is no moment; write 12.345s (virtual time), #123456789 (ticks) or end"};
    return history::Moment::at(*time);
}

Result<NamedMoment> named_moment(const std::string& history, const std::string& at) {
    const std::size_t split = host::exists(history) ? std::string::npos : history.rfind('@');
    const std::string inside = split == std::string::npos ? "" : history.substr(split + 1);
    if (split != std::string::npos && !at.empty())
        return Error{"'" + history + "' and --at " + at + " both name a moment; give one of them"};
    NamedMoment named{.history = history.substr(0, split)};
    const std::string& text = split == std::string::npos ? at : inside;
    if (text.empty() && split == std::string::npos)
        return named;
    const Result<history::Moment> moment = parse_moment(text);
    if (!moment)
        return moment.error();
    named.moment = *moment;
    return named;
}

}  // namespace uchronia::cli
