#include "machine/component_digests.h"

#include <algorithm>

#include "base/state_io.h"
#include "machine/machine.h"

namespace uchronia::machine {
namespace {

// Serialises each top-level group by itself, and what is in none as "machine".
class GroupingVisitor final : public FieldVisitor {
  public:
    void enter(std::string_view name) override {
        if (depth_++ == 0)
            groups_.push_back({unused_name(name), {}});
        else
            current().enter(name);
    }
    void leave() override {
        if (--depth_ != 0)
            current().leave();
    }
    void bytes(std::string_view name, void* data, std::size_t size) override {
        current().bytes(name, data, size);
    }
    void count(std::string_view name, u64& count, u64 maximum) override {
        current().count(name, count, maximum);
    }

    std::vector<ComponentDigest> digests() const {
        std::vector<ComponentDigest> result{{"machine", digest_of(rest_.saved())}};
        for (const Group& group : groups_)
            result.push_back({group.name, digest_of(group.content.saved())});
        return result;
    }

  private:
    struct Group {
        std::string name;
        SavingVisitor content;
    };

    SavingVisitor& current() { return depth_ == 0 ? rest_ : groups_.back().content; }

    // A device that is there several times gets a number from the second on.
    std::string unused_name(std::string_view name) const {
        std::string result(name);
        const auto is_used = [&](const Group& group) { return group.name == result; };
        for (int number = 2; std::any_of(groups_.begin(), groups_.end(), is_used); ++number)
            result = std::string(name) + "-" + std::to_string(number);
        return result;
    }

    int depth_ = 0;
    SavingVisitor rest_;
    std::vector<Group> groups_;
};

}  // namespace

std::vector<ComponentDigest> component_digests(Machine& machine) {
    GroupingVisitor grouping;
    machine.fields(grouping);
    std::vector<ComponentDigest> result = grouping.digests();
    result.push_back({"ram", machine.ram_digest()});
    return result;
}

}  // namespace uchronia::machine
