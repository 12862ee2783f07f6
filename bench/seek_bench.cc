// Measures how long it takes to be at a moment of a recorded history.
//
//     uchronia_seek_bench HISTORY [SEEKS]
//
// Runs it through once, then goes to so many (100) moments in no order, and from each one tick
// back. It is outside of the wall: it reads the host's clock.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/prng.h"
#include "cli/opened_history.h"
#include "host/clock.h"

namespace uchronia {
namespace {

[[noreturn]] void fail(const std::string& message) {
    std::fprintf(stderr, "uchronia_seek_bench: %s\n", message.c_str());
    std::exit(1);
}

double seconds_of_seek(history::Timeline& timeline, const history::Moment& moment) {
    const u64 start = host::monotonic_nanoseconds();
    if (Status status = timeline.seek(moment); !status)
        fail(status.error().message);
    return static_cast<double>(host::monotonic_nanoseconds() - start) / 1e9;
}

void print_row(const char* what, std::vector<double> values) {
    std::sort(values.begin(), values.end());
    std::printf("%-44s %8.3f s (%.3f to %.3f)\n", what, values[values.size() / 2], values.front(),
                values.back());
}

}  // namespace
}  // namespace uchronia

int main(int count, char** words) {
    using namespace uchronia;
    if (count != 2 && count != 3)
        fail("usage: uchronia_seek_bench HISTORY [SEEKS]");
    const u64 seeks = count == 3 ? std::strtoull(words[2], nullptr, 10) : 100;
    auto opened = cli::OpenedHistory::open(words[1], machine::Engine::kTranslator);
    if (!opened)
        fail(opened.error().message);
    history::Timeline& timeline = (*opened)->timeline();
    print_row("from the start to the end, once",
              {seconds_of_seek(timeline, history::Moment::end())});
    const u64 ticks = timeline.ticks().value;
    std::vector<double> there, back;
    for (u64 i = 0; i < seeks; ++i) {
        const u64 tick = 1 + random_word(1, 0, i) % (ticks - 1);
        there.push_back(seconds_of_seek(timeline, history::Moment::at(Ticks(tick))));
        back.push_back(seconds_of_seek(timeline, history::Moment::at(Ticks(tick - 1))));
    }
    print_row("to a moment", there);
    print_row("one tick back", back);
    std::printf("%-44s %8zu in memory\n", "checkpoints", timeline.laid_count());
    return 0;
}
