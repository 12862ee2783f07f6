// Whether the moments of a recorded history lead on to what was recorded (docs/testing.md).
//
//     moments HISTORY [--moments 100] [--interpret 10] [--seed 1]
//
// Goes to random moments in no order, and from each on to the next link of the history's hash
// chain, whose state must be the recorded one. `--interpret` so many of a hundred are reached and
// left by the interpreter, from checkpoints that are on disk. The command is run twice to try what
// another process has left there.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/prng.h"
#include "cli/opened_history.h"

namespace uchronia::moments {
namespace {

using history::ChainLink;
using history::Timeline;
using machine::Engine;

struct Options {
    std::string history;
    u64 moments = 100;
    u64 interpret = 10;  // percent
    u64 seed = 1;
};

[[noreturn]] void fail(const std::string& message) {
    std::fprintf(stderr, "moments: %s\n", message.c_str());
    std::exit(1);
}

Options options_of(int count, char** words) {
    Options options;
    for (int i = 1; i < count; ++i) {
        const std::string word = words[i];
        u64* const number = word == "--moments"     ? &options.moments
                            : word == "--interpret" ? &options.interpret
                            : word == "--seed"      ? &options.seed
                                                    : nullptr;
        if (number == nullptr)
            options.history = word;
        else if (++i < count)
            *number = std::strtoull(words[i], nullptr, 10);
        else
            fail(word + " needs a number");
    }
    if (options.history.empty())
        fail("usage: moments HISTORY [--moments N] [--interpret PERCENT] [--seed S]");
    return options;
}

std::unique_ptr<cli::OpenedHistory> open(const Options& options, Engine engine) {
    auto opened = cli::OpenedHistory::open(options.history, engine);
    if (!opened)
        fail(opened.error().message);
    return std::move(*opened);
}

// The link that is come to next from a tick; null: there is none.
const ChainLink* link_after(const history::HashChain& chain, Ticks tick) {
    for (const ChainLink& link : chain.links) {
        if (link.tick > tick)
            return &link;
    }
    return nullptr;
}

// Goes to the tick and on from there. Whether that leads to the recorded state.
bool leads_to_link(Timeline& timeline, Ticks tick, const ChainLink& link) {
    if (Status status = timeline.seek(history::Moment::at(tick)); !status)
        fail(status.error().message);
    if (timeline.ticks() != tick)
        return false;
    timeline.run().run_to(link.tick);
    return timeline.ticks() == link.tick && timeline.time() == link.time &&
           timeline.machine().state_digest() == link.state;
}

int check(const Options& options) {
    const auto translated = open(options, Engine::kTranslator);
    const auto interpreted = options.interpret == 0 ? nullptr : open(options, Engine::kInterpreter);
    const history::HashChain& chain = translated->history().chain;
    if (chain.links.empty())
        fail(options.history + " has no hash chain to compare with");
    // Once through, so that checkpoints are laid.
    if (Status status = translated->seek(history::Moment::end()); !status)
        fail(status.error().message);
    const u64 ticks = translated->timeline().ticks().value;
    if (translated->timeline().machine().state_digest() != chain.links.back().state)
        fail("the end is not the recorded one");
    u64 count_interpreted = 0;
    for (u64 i = 0; i < options.moments; ++i) {
        const Ticks tick(random_word(options.seed, 0, i) % ticks);
        const ChainLink* const link = link_after(chain, tick);
        if (link == nullptr)
            fail("the recorded chain ends before the history does");
        const bool interprets = random_word(options.seed, 1, i) % 100 < options.interpret;
        count_interpreted += interprets ? 1 : 0;
        if (!leads_to_link((interprets ? interpreted : translated)->timeline(), tick, *link))
            fail("tick " + std::to_string(tick.value) +
                 (interprets ? ", by the interpreter" : ", by the translator") +
                 ", does not lead to the recorded state at tick " +
                 std::to_string(link->tick.value));
    }
    std::printf("%llu moments of %llu ticks lead to the recorded states, %llu by the interpreter\n",
                static_cast<unsigned long long>(options.moments),
                static_cast<unsigned long long>(ticks),
                static_cast<unsigned long long>(count_interpreted));
    return 0;
}

}  // namespace
}  // namespace uchronia::moments

int main(int count, char** words) {
    return uchronia::moments::check(uchronia::moments::options_of(count, words));
}
