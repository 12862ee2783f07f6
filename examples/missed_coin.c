/* A window of one instruction: between two stores a coin is nowhere, and a reader looks just once.
 *
 * Seeds hardly ever hit it. Hold the writer's CPU exactly there, and it shows every time:
 *
 *     cc -O1 -pthread -o missed_coin missed_coin.c
 *     uchronia run --cpus 2 --save coin.uch -- ./missed_coin
 *     uchronia perf --list --every 1 --from '#...' --to '#...' coin.uch   # where is move_coin?
 *     uchronia replay --hold '1@#...+50ms' --save missed.uch coin.uch
 *
 * docs/commands.md goes through it. Exit status 0: the reader saw one coin. 1: it did not.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

static volatile long here = 1, there;
static atomic_int ready;

__attribute__((noinline)) static void move_coin(void) {
    here = 0;
    there = 1;
}

static void wait_for(int steps) {
    for (volatile int i = 0; i < steps; ++i)
        continue;
}

static void* writer(void* unused) {
    atomic_store(&ready, 1);
    wait_for(1000);
    move_coin();
    return unused;
}

int main(void) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, writer, NULL) != 0) {
        perror("pthread_create");
        return 2;
    }
    while (!atomic_load(&ready))
        continue;
    wait_for(20000);
    const long seen = here + there;
    printf("coins: %ld\n", seen);
    pthread_join(thread, NULL);
    return seen == 1 ? 0 : 1;
}
