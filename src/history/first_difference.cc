#include "history/first_difference.h"

#include <algorithm>
#include <cstring>

namespace uchronia::history {
namespace {

constexpr u64 kFirstStride = u64{1} << 20;
constexpr std::size_t kShownBytes = 16;

bool is_plan(std::string_view path) {
    return path == "next_stall" || path == "turn_end" || path == "holds" || path == "decisions" ||
           path.starts_with("decisions.");
}

// Serialises all but what is a plan.
class VisibleVisitor final : public FieldVisitor {
  public:
    void enter(std::string_view name) override {
        if (depth_++ == 0)
            skips_ = is_plan(name);
    }
    void leave() override {
        if (--depth_ == 0)
            skips_ = false;
    }
    void bytes(std::string_view name, void* data, std::size_t size) override {
        if (!skips_ && (depth_ != 0 || !is_plan(name)))
            saving_.bytes(name, data, size);
    }
    void count(std::string_view name, u64& count, u64 maximum) override {
        if (!skips_)
            saving_.count(name, count, maximum);
    }

    Digest digest() const { return digest_of(saving_.saved()); }

  private:
    SavingVisitor saving_;
    int depth_ = 0;
    bool skips_ = false;
};

bool same(SteppedRun& a, SteppedRun& b) {
    return a.end() == b.end() && a.ticks() == b.ticks() &&
           digest_without_plans(a.machine()) == digest_without_plans(b.machine());
}

// Both runs, and the last moment at which they were the same.
class Search {
  public:
    Search(SteppedRun& a, SteppedRun& b, const SearchOptions& options)
        : a_(a), b_(b), options_(options) {}

    Result<SearchResult> run() {
        if (!same(a_, b_))
            return found({Ticks(0), Ticks(0)});
        u64 stride = std::min(kFirstStride, options_.stride);
        while (!a_.end()) {
            keep();
            const u64 high = low_ + stride;
            if (!advance(high))
                return interruption();
            if (!same(a_, b_))
                return halve(high);
            low_ = high;
            stride = std::min(stride * 2, options_.stride);
        }
        return SearchResult{};
    }

  private:
    static SearchResult found(FirstDifference difference) {
        return {.interrupted = false, .difference = difference};
    }
    static SearchResult interruption() { return {.interrupted = true, .difference = {}}; }

    void keep() {
        kept_a_ = a_.mark();
        kept_b_ = b_.mark();
        if (options_.on_progress)
            options_.on_progress(Ticks(low_));
    }

    Status go_back() {
        if (Status status = a_.go_back(kept_a_); !status)
            return status;
        return b_.go_back(kept_b_);
    }

    bool advance(u64 tick) {
        a_.run_to(Ticks(tick));
        b_.run_to(Ticks(tick));
        return !a_.interrupted() && !b_.interrupted();
    }

    // They are the same at `low_`, which is kept, and differ at `high`.
    Result<SearchResult> halve(u64 high) {
        while (high - low_ > 1) {
            const u64 middle = low_ + (high - low_) / 2;
            if (Status status = go_back(); !status)
                return status.error();
            if (!advance(middle))
                return interruption();
            if (same(a_, b_)) {
                low_ = middle;
                keep();
            } else {
                high = middle;
            }
        }
        if (Status status = go_back(); !status)
            return status.error();
        if (options_.at_last_equal)
            options_.at_last_equal(a_, b_);
        if (!advance(high))
            return interruption();
        return found({Ticks(low_), Ticks(high)});
    }

    SteppedRun& a_;
    SteppedRun& b_;
    const SearchOptions& options_;
    u64 low_ = 0;  // tick
    SteppedRun::Mark kept_a_, kept_b_;
};

std::vector<u8> some_bytes(const u8* page, unsigned offset) {
    return {page + offset, page + std::min<std::size_t>(kPageSize, offset + kShownBytes)};
}

}  // namespace

Digest digest_without_plans(machine::Machine& machine) {
    VisibleVisitor visible;
    machine.fields(visible);
    const Digest parts[2] = {machine.ram_digest(), visible.digest()};
    return digest_of({reinterpret_cast<const u8*>(parts), sizeof parts});
}

Result<SearchResult> find_first_difference(SteppedRun& a, SteppedRun& b,
                                           const SearchOptions& options) {
    return Search(a, b, options).run();
}

StateDifference difference_of(machine::Machine& a, machine::Machine& b) {
    StateDifference result;
    ListingVisitor fields_a, fields_b;
    a.fields(fields_a);
    b.fields(fields_b);
    for (FieldDifference& field : differences_of(fields_a.values(), fields_b.values()))
        (is_plan(field.path) ? result.plans : result.fields).push_back(std::move(field));

    static constexpr u8 kZeros[kPageSize] = {};
    const u64 count = std::max(a.ram().page_count(), b.ram().page_count());
    for (u64 number = 0; number < count; ++number) {
        const u8* page_a = a.ram().read_page(number);
        const u8* page_b = b.ram().read_page(number);
        page_a = page_a == nullptr ? kZeros : page_a;
        page_b = page_b == nullptr ? kZeros : page_b;
        // Pages that are as in the base image are the same bytes of one mapping.
        if (page_a == page_b || std::memcmp(page_a, page_b, kPageSize) == 0)
            continue;
        PageDifference page{.page_number = number, .a = {}, .b = {}};
        page.offset =
            static_cast<unsigned>(std::mismatch(page_a, page_a + kPageSize, page_b).first - page_a);
        for (unsigned i = page.offset; i < kPageSize; ++i)
            page.byte_count += page_a[i] != page_b[i];
        page.a = some_bytes(page_a, page.offset);
        page.b = some_bytes(page_b, page.offset);
        result.pages.push_back(std::move(page));
    }
    return result;
}

}  // namespace uchronia::history
