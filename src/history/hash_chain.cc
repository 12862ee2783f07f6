#include "history/hash_chain.h"

#include <algorithm>

#include "base/check.h"
#include "machine/component_digests.h"

namespace uchronia::history {
namespace {

struct DigestField {
    Digest& digest;
    void fields(FieldVisitor& v) {
        v("low", digest.low);
        v("high", digest.high);
    }
};

constexpr u64 kMostComponents = 1 << 10;
constexpr u64 kMostLinks = 1 << 24;

// The components whose digests differ, or what else does.
std::vector<std::string> differing(const HashChain& expected, const ChainLink& a,
                                   const ChainLink& b) {
    if (a.components.size() != b.components.size())
        return {"the list of components"};
    std::vector<std::string> result;
    for (std::size_t i = 0; i < a.components.size(); ++i) {
        if (a.components[i] != b.components[i])
            result.push_back(expected.components[i]);
    }
    if (result.empty())
        result.push_back(a.tick != b.tick ? "the tick of the end" : "virtual time");
    return result;
}

}  // namespace

void HashChain::append(machine::Machine& machine, Ticks run_start, VirtualTime run_start_time) {
    ChainLink link{.tick = machine.ticks() - run_start,
                   .time = machine.now() - run_start_time,
                   .state = machine.state_digest(),
                   .components = {}};
    std::vector<std::string> names;
    for (machine::ComponentDigest& component : machine::component_digests(machine)) {
        names.push_back(std::move(component.name));
        link.components.push_back(component.digest);
    }
    if (components.empty())
        components = std::move(names);
    else
        CHECK(components == names);
    links.push_back(std::move(link));
}

void HashChain::fields(FieldVisitor& v) {
    u64 name_count = components.size();
    v.count("components", name_count, kMostComponents);
    components.resize(name_count);
    for (std::string& name : components)
        v("name", name);
    u64 link_count = links.size();
    v.count("links", link_count, kMostLinks);
    links.resize(link_count);
    for (ChainLink& link : links) {
        v("tick", link.tick);
        v("time", link.time);
        DigestField state{link.state};
        v("state", state);
        u64 digest_count = link.components.size();
        v.count("components", digest_count, kMostComponents);
        link.components.resize(digest_count);
        for (Digest& digest : link.components) {
            DigestField component{digest};
            v("component", component);
        }
    }
}

bool HashChain::well_formed() const {
    for (std::size_t i = 0; i < links.size(); ++i) {
        if (links[i].components.size() != components.size())
            return false;
        if (i > 0 && (links[i].tick < links[i - 1].tick || links[i].time < links[i - 1].time))
            return false;
    }
    return true;
}

std::string Divergence::describe() const {
    std::string list;
    for (const std::string& component : components)
        list += (list.empty() ? "" : ", ") + component;
    return "first different at tick " + std::to_string(tick.value) + " (equal at tick " +
           std::to_string(last_equal.value) + "), in: " + list;
}

std::optional<Divergence> compare(const HashChain& expected, const HashChain& actual,
                                  Completeness completeness) {
    Ticks last_equal(0);
    const std::size_t common = std::min(expected.links.size(), actual.links.size());
    for (std::size_t i = 0; i < common; ++i) {
        const ChainLink& a = expected.links[i];
        const ChainLink& b = actual.links[i];
        if (!(a == b))
            return Divergence{last_equal, std::min(a.tick, b.tick), differing(expected, a, b)};
        last_equal = a.tick;
    }
    if (expected.components != actual.components && common > 0)
        return Divergence{Ticks(0), Ticks(0), {"the list of components"}};
    if (actual.links.size() > common)
        return Divergence{last_equal, actual.links[common].tick, {"the tick of the end"}};
    if (completeness == Completeness::kComplete && expected.links.size() > common)
        return Divergence{last_equal, expected.links[common].tick, {"the tick of the end"}};
    return std::nullopt;
}

}  // namespace uchronia::history
