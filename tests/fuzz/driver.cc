// Runs a fuzz target without libFuzzer: a bounded, reproducible number of inputs for the test
// suite, and single inputs for finding out what is wrong.
//
//     NAME_fuzz --runs N [--seed S] [--first I]   N generated inputs, the same for the same seed
//     NAME_fuzz FILE...                           these inputs, for example what libFuzzer found
//     NAME_fuzz --write-seeds FOLDER              the seed inputs, as a corpus for libFuzzer
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/prng.h"
#include "host/files.h"
#include "tests/fuzz/target.h"

namespace uchronia::fuzz {
namespace {

// The random choices of one generated input.
class Choices {
  public:
    Choices(u64 seed, u64 number) : seed_(seed), number_(number) {}
    u64 next() { return random_word(seed_, number_, drawn_++); }
    u64 below(u64 limit) { return next() % limit; }

  private:
    const u64 seed_, number_;
    u64 drawn_ = 0;
};

std::vector<u8> random_bytes(Choices& choices, u64 size) {
    std::vector<u8> bytes(size);
    for (u8& byte : bytes)
        byte = static_cast<u8>(choices.next());
    return bytes;
}

void mutate(Choices& choices, std::vector<u8>& bytes) {
    static constexpr u8 kInteresting[] = {0, 1, 0x7f, 0x80, 0xff};
    const u64 at = choices.below(bytes.size());
    switch (choices.below(6)) {
        case 0:
            bytes[at] ^= static_cast<u8>(1u << choices.below(8));
            return;
        case 1:
            bytes[at] = kInteresting[choices.below(std::size(kInteresting))];
            return;
        case 2:
            bytes[at] = static_cast<u8>(choices.next());
            return;
        case 3:  // cut off
            bytes.resize(at + 1);
            return;
        case 4: {  // a run of equal bytes
            const u64 count = 1 + choices.below(std::min<u64>(16, bytes.size() - at));
            std::memset(bytes.data() + at, kInteresting[choices.below(5)], count);
            return;
        }
        default: {  // copy a piece over another
            const u64 from = choices.below(bytes.size());
            const u64 count = std::min<u64>(choices.below(32), bytes.size() - std::max(at, from));
            std::memmove(bytes.data() + at, bytes.data() + from, count);
            return;
        }
    }
}

std::vector<u8> generate(const std::vector<std::vector<u8>>& seed_inputs, u64 seed, u64 number) {
    Choices choices(seed, number);
    if (seed_inputs.empty())
        return random_bytes(choices, 8 + choices.below(64));
    std::vector<u8> bytes = seed_inputs[choices.below(seed_inputs.size())];
    for (u64 count = choices.below(8); count != 0 && !bytes.empty(); --count)
        mutate(choices, bytes);
    return bytes;
}

void run(const std::vector<u8>& bytes) {
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

int run_generated(u64 count, u64 seed, u64 first) {
    const std::vector<std::vector<u8>> seed_inputs = seeds();
    for (u64 number = first; number < first + count; ++number) {
        // Stays visible if the target ends the program.
        std::fprintf(stderr, "\rinput --seed %llu --first %llu --runs 1",
                     static_cast<unsigned long long>(seed),
                     static_cast<unsigned long long>(number));
        run(generate(seed_inputs, seed, number));
    }
    std::fprintf(stderr, "\n%llu inputs, nothing found\n", static_cast<unsigned long long>(count));
    return 0;
}

int run_file(const char* path) {
    const Result<std::vector<u8>> bytes = host::read_file(path);
    if (!bytes) {
        std::fprintf(stderr, "%s\n", bytes.error().message.c_str());
        return 1;
    }
    run(*bytes);
    return 0;
}

int write_seeds(const std::string& folder) {
    u64 number = 0;
    for (const std::vector<u8>& bytes : seeds()) {
        const std::string path = folder + "/seed-" + std::to_string(number++);
        if (Status status = host::write_file_atomically(path, bytes); !status) {
            std::fprintf(stderr, "%s\n", status.error().message.c_str());
            return 1;
        }
    }
    return 0;
}

int run_command(int count, char** words) {
    u64 runs = 0, seed = 1, first = 0;
    for (int i = 1; i < count; ++i) {
        const std::string word = words[i];
        const char* value = i + 1 < count ? words[i + 1] : "";
        if (word == "--runs" || word == "--seed" || word == "--first") {
            (word == "--runs"   ? runs
             : word == "--seed" ? seed
                                : first) = std::strtoull(value, nullptr, 10);
            ++i;
        } else if (word == "--write-seeds") {
            return write_seeds(value);
        } else if (run_file(words[i]) != 0) {
            return 1;
        }
    }
    return runs == 0 ? 0 : run_generated(runs, seed, first);
}

}  // namespace
}  // namespace uchronia::fuzz

int main(int count, char** words) {
    return uchronia::fuzz::run_command(count, words);
}
