// main() of each measured program: prepares the work once, and runs it several times between two
// markers on standard output, which the driver (bench/compare) stamps with the host's clock as they
// arrive. The program itself looks at no clock: in a deterministic machine clocks are virtual.
//
//     PROGRAM ROUNDS SCALE
//
// After each marker it sleeps for a moment, so that whoever carries its output onwards (the agent,
// the serial port) has done so before the work begins. Empty regions tell the driver what markers
// and sleep cost, and it subtracts that.
#include "measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { kEmptyRounds = 5, kSettleNanoseconds = 500000 };

static void say(const char* line) {
    const size_t size = strlen(line);
    for (size_t done = 0; done < size;) {
        const ssize_t count = write(STDOUT_FILENO, line + done, size - done);
        if (count <= 0)
            exit(1);
        done += (size_t)count;
    }
}

static void settle(void) {
    const struct timespec pause = {0, kSettleNanoseconds};
    nanosleep(&pause, NULL);
}

static uint64_t nothing(void) {
    return 0;
}

static void measure(const char* what, uint64_t (*work)(void)) {
    char line[64];
    say("@begin\n");
    settle();
    const uint64_t sum = work();
    snprintf(line, sizeof line, "@end %s %016llx\n", what, (unsigned long long)sum);
    say(line);
    settle();
}

int main(int count, char** words) {
    if (count == 2 && strcmp(words[1], "--exit") == 0)
        return 0;  // the program that system/fork_exec.c executes
    if (count != 3) {
        fprintf(stderr, "usage: %s ROUNDS SCALE\n", words[0]);
        return 2;
    }
    const int rounds = atoi(words[1]);
    const uint64_t operations = prepare(atof(words[2]));
    char line[64];
    snprintf(line, sizeof line, "@operations %llu\n", (unsigned long long)operations);
    say(line);
    settle();
    if (operations == 0)
        return 0;
    for (int round = 0; round < kEmptyRounds; ++round)
        measure("empty", nothing);
    for (int round = 0; round < rounds; ++round)
        measure("run", run);
    return 0;
}
