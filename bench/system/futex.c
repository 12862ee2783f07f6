// Two threads that hand a turn to and fro with futex wait and wake: an operation is a round trip.
#include "kernels/measure.h"

#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static size_t count;
static _Atomic uint32_t turn;

static void wait_for(uint32_t mine) {
    while (atomic_load(&turn) != mine)
        syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, 1 - mine, NULL, NULL, 0);
}

static void play(uint32_t mine) {
    for (size_t i = 0; i < count; ++i) {
        wait_for(mine);
        atomic_store(&turn, 1 - mine);
        syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    }
}

static void* play_second(void* unused) {
    play(1);
    return unused;
}

uint64_t prepare(double scale) {
    return count = scaled(30000, scale);
}

uint64_t run(void) {
    pthread_t other;
    if (pthread_create(&other, NULL, play_second, NULL) != 0)
        exit(1);
    play(0);
    pthread_join(other, NULL);
    return atomic_load(&turn);
}
