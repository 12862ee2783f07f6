// What a debugger is told of beside its breakpoints: signals that a handler takes (from itself,
// from a timer, from a forked child), processes that fork, and a loop for Ctrl-C.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t alarms, asked, told;
static volatile unsigned long turns;
static volatile int calls;

static void on_alarm(int number) {
    (void)number;
    ++alarms;
}

static void on_ask(int number) {
    asked = number;
}

static void on_tell(int number) {
    told = number;
}

static void wait_for_alarm(void) {
    const struct itimerval soon = {.it_value = {.tv_usec = 1000}};
    setitimer(ITIMER_REAL, &soon, NULL);
    while (alarms == 0)
        ++turns;
}

static int count_call(int by) {
    calls += by;
    return calls;
}

// The child does the same as its parent, and tells it.
static int fork_and_wait(void) {
    int status = 0;
    const pid_t child = fork();
    if (child == 0) {
        count_call(40);
        kill(getppid(), SIGUSR2);
        _exit(calls);
    }
    waitpid(child, &status, 0);
    count_call(2);
    return WEXITSTATUS(status);
}

static void run_long(unsigned long count) {
    for (unsigned long i = 0; i < count; ++i)
        ++turns;
}

static void end(void) {
    kill(getpid(), SIGTERM);
}

int main(int argc, char** argv) {
    signal(SIGALRM, on_alarm);
    signal(SIGUSR1, on_ask);
    signal(SIGUSR2, on_tell);
    wait_for_alarm();
    raise(SIGUSR1);
    const int child = fork_and_wait();
    printf("%d %d %d %d\n", asked == SIGUSR1, told == SIGUSR2, child, calls);
    fflush(stdout);
    if (argc > 1)
        run_long(strtoul(argv[1], NULL, 10));
    end();
    return 0;
}
