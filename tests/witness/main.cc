// The host CPU as a witness: every unprivileged row of the instruction table, in random forms and
// with random operands, executed by the interpreter and by the host, with equal results.
//
//     witness [--cases N] [--seed S] [--only NAME] [--case K] [--list] [--canon [--expect DIGEST]]
//
// N is the number of cases of each row. A difference prints the command that repeats it. Rows that
// the host cannot witness are listed, with the reason, by --list; a row that is neither exempt nor
// compared fails the run.
//
// With --canon, only the interpreter executes the cases, and the digest of all outcomes is shown:
// it is the same on every host. This finds what comparing cannot, as the interpreter lets the host
// compute much of floating point: a difference between two hosts, each of which agrees with itself.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "base/hash.h"
#include "tests/witness/case.h"
#include "tests/witness/compare.h"
#include "tests/witness/guest.h"
#include "tests/witness/native.h"
#include "tests/witness/rules.h"
#include "tests/witness/values.h"

namespace uchronia::witness {
namespace {

using cpu::Instruction;

struct Options {
    u64 cases = 40;
    u64 seed = 1;
    std::string only;
    i64 single = -1;
    bool list = false;
    bool canon = false;
    std::string expect;     // the digest
    u64 most_failures = 3;  // of each row
};

class Witness {
  public:
    explicit Witness(const Options& options) : options_(options) {
        Random random(0x7e3);
        for (std::vector<u8>& bytes : templates_) {
            bytes.resize(kWritableBytes);
            fill_with_values(bytes, random);
        }
        std::vector<u8> page(kPageSize);
        fill_with_values(page, random);
        native_.set_read_only_page(page);
        guest_.set_read_only_page(page);
    }

    // The number of differences.
    u64 run_row(Instruction row) {
        u64 failures = 0;
        const u64 first = options_.single < 0 ? 0 : static_cast<u64>(options_.single);
        const u64 end = options_.single < 0 ? options_.cases : first + 1;
        completed_ = 0;
        for (u64 number = first; number < end && failures < options_.most_failures; ++number)
            failures += run_case(row, number) ? 0 : 1;
        cases_ += end - first;
        // A row that only ever faults is not tested.
        if (completed_ == 0 && end - first >= kEnoughCases && !always_faults(row_of(row))) {
            std::printf("%s: the host faulted in every case\n\n",
                        std::string(row_of(row).name).c_str());
            ++failures;
        }
        return failures;
    }

    // The digest of the row's outcomes in the interpreter, on top of `before`.
    Digest canon_of_row(Instruction row, Digest before) {
        std::vector<u8> outcomes;
        const auto add = [&](const void* bytes, std::size_t size) {
            const u8* const begin = static_cast<const u8*>(bytes);
            outcomes.insert(outcomes.end(), begin, begin + size);
        };
        add(&before, sizeof before);
        for (u64 number = 0; number < options_.cases; ++number) {
            const Case c = make_case(row, options_.seed, number);
            prepare(guest_.data(), c);
            const Outcome guest = guest_.run(c.code, c.before);
            const Digest data = digest_of(guest_.data());
            const u64 fault[] = {guest.faulted, guest.vector, guest.error_code,
                                 guest.fault_address};
            add(fault, sizeof fault);
            add(&guest.state, sizeof guest.state);
            add(&data, sizeof data);
        }
        cases_ += options_.cases;
        return digest_of(outcomes);
    }

    u64 cases() const { return cases_; }

  private:
    static constexpr u64 kEnoughCases = 30;

    bool run_case(Instruction row, u64 number) {
        const Case c = make_case(row, options_.seed, number);
        prepare(native_.data(), c);
        prepare(guest_.data(), c);
        const Outcome native = native_.run(c.code, c.before, c.ending);
        completed_ += native.faulted ? 0 : 1;
        const Outcome guest = guest_.run(c.code, c.before);
        const std::string difference =
            difference_of(c, native, native_.data(), guest, guest_.data());
        if (difference.empty() && options_.single < 0)
            return true;
        const std::string name(row_of(row).name);
        std::printf("%s%s\n%s", describe(c).c_str(), difference.empty() ? "  equal" : "",
                    difference.c_str());
        std::printf("  again: witness --only %s --seed %llu --case %llu\n\n", name.c_str(),
                    static_cast<unsigned long long>(options_.seed),
                    static_cast<unsigned long long>(number));
        return difference.empty();
    }

    void prepare(std::span<u8> data, const Case& c) const {
        std::copy(templates_[c.memory_template].begin(), templates_[c.memory_template].end(),
                  data.begin());
        for (const Patch& patch : c.patches) {
            if (patch.address >= kData && patch.address + 8 <= kData + kWritableBytes)
                std::memcpy(data.data() + (patch.address - kData), &patch.value, 8);
        }
    }

    const Options options_;
    NativeCPU native_;
    GuestCPU guest_;
    std::array<std::vector<u8>, kTemplateCount> templates_;
    u64 cases_ = 0;
    u64 completed_ = 0;  // cases of the present row that did not fault
};

void list_exempt_rows() {
    for (u16 i = 1; i < static_cast<u16>(Instruction::kCount); ++i) {
        const cpu::InstructionRow& row = row_of(Instruction{i});
        const std::string_view reason = exemption(row);
        if (!reason.empty())
            std::printf("%-24.*s %.*s\n", static_cast<int>(row.name.size()), row.name.data(),
                        static_cast<int>(reason.size()), reason.data());
    }
}

// Whether the row's outcomes are a function of the case alone, though perhaps the host's differ.
bool has_canon(const cpu::InstructionRow& row) {
    return exemption(row).empty() || row.host == cpu::HostPolicy::kApproximate ||
           row.host == cpu::HostPolicy::kTranscendental;
}

int show_canon(const Options& options) {
    Witness witness(options);
    Digest digest;
    for (u16 i = 1; i < static_cast<u16>(Instruction::kCount); ++i) {
        const cpu::InstructionRow& row = row_of(Instruction{i});
        if (has_canon(row) && (options.only.empty() || row.name == options.only))
            digest = witness.canon_of_row(Instruction{i}, digest);
    }
    const std::string text = to_hex(digest);
    std::printf("%llu cases, seed %llu: %s\n", static_cast<unsigned long long>(witness.cases()),
                static_cast<unsigned long long>(options.seed), text.c_str());
    if (options.expect.empty() || options.expect == text)
        return 0;
    std::printf(
        "expected %s: if neither an instruction nor the cases have changed, this host's results\n"
        "differ from those of others; compare rows by --only NAME\n",
        options.expect.c_str());
    return 1;
}

int run(const Options& options) {
    if (options.list) {
        list_exempt_rows();
        return 0;
    }
    if (options.canon)
        return show_canon(options);
    Witness witness(options);
    u64 compared = 0, exempt = 0, missing_on_host = 0, failures = 0, failed_rows = 0;
    for (u16 i = 1; i < static_cast<u16>(Instruction::kCount); ++i) {
        const cpu::InstructionRow& row = row_of(Instruction{i});
        if (!options.only.empty() && row.name != options.only)
            continue;
        if (!exemption(row).empty()) {
            ++exempt;
        } else if (!host_has(row.feature)) {
            std::printf("not on this host: %.*s\n", static_cast<int>(row.name.size()),
                        row.name.data());
            ++missing_on_host;
        } else {
            ++compared;
            const u64 row_failures = witness.run_row(Instruction{i});
            failures += row_failures;
            failed_rows += row_failures != 0 ? 1 : 0;
        }
    }
    std::printf(
        "%llu cases of %llu rows, seed %llu: %llu different in %llu rows; %llu rows "
        "exempt, %llu not on this host\n",
        static_cast<unsigned long long>(witness.cases()), static_cast<unsigned long long>(compared),
        static_cast<unsigned long long>(options.seed), static_cast<unsigned long long>(failures),
        static_cast<unsigned long long>(failed_rows), static_cast<unsigned long long>(exempt),
        static_cast<unsigned long long>(missing_on_host));
    return failures == 0 && compared + exempt != 0 ? 0 : 1;
}

bool parse(int argc, char** argv, Options& options) {
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        if (word == "--list") {
            options.list = true;
            continue;
        }
        if (word == "--canon") {
            options.canon = true;
            continue;
        }
        if (i + 1 >= argc)
            return false;
        const char* const value = argv[++i];
        if (word == "--cases")
            options.cases = std::strtoull(value, nullptr, 0);
        else if (word == "--seed")
            options.seed = std::strtoull(value, nullptr, 0);
        else if (word == "--only")
            options.only = value;
        else if (word == "--expect")
            options.expect = value;
        else if (word == "--case")
            options.single = static_cast<i64>(std::strtoull(value, nullptr, 0));
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
                     "usage: witness [--cases N] [--seed S] [--only NAME] [--case K] [--list] "
                     "[--canon [--expect DIGEST]]\n");
        return 2;
    }
    return uchronia::witness::run(options);
}
