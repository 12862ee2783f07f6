// What a thread's instructions go through without its doing: system calls, a signal's handler, and
// turns of another thread on the same CPU.
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static volatile sig_atomic_t handled;
static volatile int others_turns;
static volatile int done;

static void on_signal(int number) {
    handled = number;
}

static void* take_turns(void* unused) {
    (void)unused;
    while (!done) {
        ++others_turns;
        sched_yield();
    }
    return NULL;
}

static long ask_kernel(void) {
    return syscall(SYS_getppid);
}

static void send_signal(void) {
    raise(SIGUSR1);
}

static void switch_threads(void) {
    sched_yield();
}

int main(void) {
    pthread_t other;
    signal(SIGUSR1, on_signal);
    pthread_create(&other, NULL, take_turns, NULL);
    while (others_turns == 0)
        sched_yield();
    ask_kernel();
    send_signal();
    switch_threads();
    done = 1;
    pthread_join(other, NULL);
    printf("%d\n", handled);
    return handled == SIGUSR1 ? 0 : 1;
}
