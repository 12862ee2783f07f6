#include "tests/random/reduce.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace uchronia::random {
namespace {

constexpr unsigned kMostSeconds = 20;  // a trial that takes longer hangs

std::size_t count_of(const Mask& mask) {
    return static_cast<std::size_t>(std::count(mask.begin(), mask.end(), true));
}

// Without the pieces [first, first + size) of those that are left.
Mask without(const Mask& mask, std::size_t first, std::size_t size) {
    Mask result = mask;
    std::size_t at = 0;
    for (std::size_t i = 0; i < mask.size(); ++i) {
        if (!mask[i])
            continue;
        if (at >= first && at < first + size)
            result[i] = false;
        ++at;
    }
    return result;
}

}  // namespace

Verdict try_apart(const std::function<bool()>& trial) {
    std::fflush(nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
        ::alarm(kMostSeconds);
        const int nowhere = ::open("/dev/null", O_WRONLY);
        ::dup2(nowhere, STDERR_FILENO);  // failed checks, again and again
        ::_exit(trial() ? 1 : 0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    if (WIFSIGNALED(status))
        return {false, WTERMSIG(status)};
    return {WEXITSTATUS(status) != 0, 0};
}

Mask reduce(Mask mask, const std::function<bool(const Mask&)>& trial) {
    for (std::size_t size = std::max<std::size_t>(1, count_of(mask) / 2); size != 0;) {
        bool smaller = false;
        for (std::size_t first = 0; first < count_of(mask);) {
            const Mask candidate = without(mask, first, size);
            if (try_apart([&] { return trial(candidate); }).failed()) {
                mask = candidate;
                smaller = true;
            } else {
                first += size;
            }
        }
        if (size > 1 || !smaller)
            size /= 2;
    }
    return mask;
}

}  // namespace uchronia::random
