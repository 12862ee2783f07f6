// Whether cpu/decode/flag_use.h says what the interpreter does: every row in the witness's random
// cases, each with every arithmetic flag both ways.
//
//     witness_flag_use [--cases N] [--seed S] [--only NAME] [--list]
//
// A flag that is not read must change nothing but itself; a killed flag must come out the same; an
// instruction that faults must leave the flags that it does not kill. --list prints, for each row,
// what the table says and which flags came out independent of what they were: those might be
// killed.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "cpu/decode/flag_use.h"
#include "tests/witness/case.h"
#include "tests/witness/compare.h"
#include "tests/witness/guest.h"
#include "tests/witness/values.h"

namespace uchronia::witness {
namespace {

using namespace cpu;

constexpr u64 kRFLAGSBits[6] = {rflags::kCF, rflags::kPF, rflags::kAF,
                                rflags::kZF, rflags::kSF, rflags::kOF};

u64 rflags_of(u8 flags) {
    u64 bits = 0;
    for (unsigned i = 0; i < 6; ++i)
        bits |= (flags >> i & 1) != 0 ? kRFLAGSBits[i] : 0;
    return bits;
}

struct Options {
    u64 cases = 40;
    u64 seed = 1;
    std::string only;
    bool list = false;
};

// Rows that this guest cannot run alone, and those of which nothing is claimed.
bool is_checked(Instruction instruction) {
    const InstructionRow& row = row_of(instruction);
    Op op{};
    op.id = static_cast<u16>(instruction);
    constexpr u16 kNotHere = attribute::kAlone | attribute::kInvalid64;
    return (row.attributes & kNotHere) == 0 && flag_use(op) != FlagUse{kAllFlags, 0};
}

class Checker {
  public:
    explicit Checker(const Options& options) : options_(options), template_(kWritableBytes) {
        Random random(0xf1a6);
        fill_with_values(template_, random);
    }

    bool run_row(Instruction row) {
        independent_ = kAllFlags;
        for (u64 number = 0; number < options_.cases; ++number) {
            const Case c = make_case(row, options_.seed, number);
            for (unsigned i = 0; i < 6; ++i) {
                const std::string wrong = check(c, static_cast<u8>(1u << i));
                if (wrong.empty())
                    continue;
                std::printf("%s  %s\n", describe(c).c_str(), wrong.c_str());
                return false;
            }
        }
        return true;
    }
    u8 independent() const { return independent_; }

  private:
    struct Result {
        Outcome outcome;
        std::vector<u8> data;
    };

    Result run(const Case& c, u64 flags) {
        std::copy(template_.begin(), template_.end(), guest_.data().begin());
        for (const Patch& patch : c.patches) {
            if (patch.address >= kData && patch.address + 8 <= kData + kWritableBytes)
                std::memcpy(guest_.data().data() + (patch.address - kData), &patch.value, 8);
        }
        State before = c.before;
        before.rflags = flags;
        Result result{guest_.run(c.code, before), {}};
        result.data.assign(guest_.data().begin(), guest_.data().end());
        return result;
    }

    // Compares the two outcomes that differ in `flag` at the start; what is wrong, or nothing.
    std::string check(const Case& c, u8 flag) {
        const FlagUse use = flag_use(c.decoded);
        const u64 bit = rflags_of(flag);
        const Result set = run(c, c.before.rflags | bit);
        const Result clear = run(c, c.before.rflags & ~bit);
        const bool faulted = set.outcome.faulted && clear.outcome.faulted;
        const u64 difference = set.outcome.state.rflags ^ clear.outcome.state.rflags;
        if (difference != 0 && !faulted)
            independent_ &= static_cast<u8>(~flag);
        if ((use.reads & flag) != 0)
            return {};
        if (!is_same(set, clear) || (difference & ~bit) != 0)
            return "reads flag " + std::to_string(flag);
        const bool repeats = (c.decoded.attributes & attribute::kRepeat) != 0;
        const u64 kept = rflags_of(static_cast<u8>(kAllFlags & ~use.kills));
        const u64 changed = set.outcome.state.rflags ^ (c.before.rflags | bit);
        if (faulted)  // iterations before the fault may have changed them
            return repeats || (changed & kept) == 0 ? "" : "changes flags although it faults";
        return (use.kills & flag) != 0 && difference != 0 ? "keeps flag " + std::to_string(flag)
                                                          : "";
    }

    // All but the arithmetic flags.
    static bool is_same(const Result& a, const Result& b) {
        const Outcome &x = a.outcome, &y = b.outcome;
        return x.faulted == y.faulted && x.vector == y.vector && x.error_code == y.error_code &&
               x.fault_address == y.fault_address && x.state.gpr == y.state.gpr &&
               x.state.rip == y.state.rip && x.state.upper == y.state.upper &&
               std::memcmp(&x.state.fx, &y.state.fx, sizeof x.state.fx) == 0 && a.data == b.data;
    }

    const Options options_;
    GuestCPU guest_;
    std::vector<u8> template_;
    u8 independent_ = 0;
};

std::string names_of(u8 flags) {
    static constexpr const char* kNames[6] = {"C", "P", "A", "Z", "S", "O"};
    std::string text;
    for (unsigned i = 0; i < 6; ++i)
        text += (flags >> i & 1) != 0 ? kNames[i] : "-";
    return text;
}

int run(const Options& options) {
    Checker checker(options);
    unsigned rows = 0, wrong = 0;
    for (u16 i = 1; i < static_cast<u16>(Instruction::kCount); ++i) {
        const Instruction instruction{i};
        const std::string name(row_of(instruction).name);
        if (!is_checked(instruction) || (!options.only.empty() && name != options.only))
            continue;
        ++rows;
        wrong += checker.run_row(instruction) ? 0 : 1;
        Op op{};
        op.id = i;
        op.immediate = 1;
        const FlagUse use = flag_use(op);
        if (options.list)
            std::printf("%-24s reads %s kills %s independent %s\n", name.c_str(),
                        names_of(use.reads).c_str(), names_of(use.kills).c_str(),
                        names_of(checker.independent()).c_str());
    }
    std::printf("%u rows, seed %llu: %u wrong\n", rows,
                static_cast<unsigned long long>(options.seed), wrong);
    return wrong == 0 && rows != 0 ? 0 : 1;
}

bool parse(int argc, char** argv, Options& options) {
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        if (word == "--list") {
            options.list = true;
            continue;
        }
        if (i + 1 == argc)
            return false;
        const char* value = argv[++i];
        if (word == "--cases")
            options.cases = std::strtoull(value, nullptr, 0);
        else if (word == "--seed")
            options.seed = std::strtoull(value, nullptr, 0);
        else if (word == "--only")
            options.only = value;
        else
            return false;
    }
    return true;
}

}  // namespace
}  // namespace uchronia::witness

int main(int argc, char** argv) {
    uchronia::witness::Options options;
    if (!uchronia::witness::parse(argc, argv, options)) {
        std::fprintf(stderr,
                     "usage: witness_flag_use [--cases N] [--seed S] [--only NAME] [--list]\n");
        return 2;
    }
    return uchronia::witness::run(options);
}
