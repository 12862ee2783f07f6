/* A bank with a race: two tellers pay money into the same accounts.
 *
 * Each teller checks its slip (honest work, no shared data) and then pays it in: it reads the
 * balance, writes a line for the log, and stores the new balance. Who is interrupted exactly
 * between the reading and the storing loses the payments that the other one makes meanwhile. That
 * is some forty instructions in six thousand, and a run has only about ten interruptions: nearly
 * every run is right.
 *
 *     cc -O1 -pthread -o racy_counter racy_counter.c
 *     uchronia explore --seeds 200 -- ./racy_counter
 *
 * Exit status 0: all the money is there. 1: some was lost.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

enum {
    kTellers = 2,
    kAccounts = 2,
    /* Of each teller. A run takes 2 * kPayments * kCheckSteps * 4 instructions. */
    kPayments = 1500,
    kCheckSteps = 1500, /* work outside of the window, for each payment: longer = rarer failures */
    kLogSteps = 8,      /* work inside of the window: longer = more frequent failures */
};

struct Account {
    volatile long balance;
};

static struct Account accounts[kAccounts];
static atomic_uint log_checksum;

/* Some arithmetic that the compiler cannot leave out. */
static unsigned work(unsigned value, int steps) {
    for (int i = 0; i < steps; ++i)
        value = value * 1664525u + 1013904223u;
    return value;
}

static void pay_in(struct Account* account, long amount) {
    const long before = account->balance;
    atomic_fetch_add(&log_checksum, work((unsigned)before, kLogSteps));
    account->balance = before + amount; /* the bug: `before` may be old by now */
}

static void* teller(void* argument) {
    unsigned slip = *(const unsigned*)argument;
    for (int i = 0; i < kPayments; ++i) {
        slip = work(slip, kCheckSteps);
        pay_in(&accounts[(slip >> 16) % kAccounts], 1);
    }
    return NULL;
}

int main(void) {
    pthread_t threads[kTellers];
    unsigned numbers[kTellers];
    for (unsigned i = 0; i < kTellers; ++i) {
        numbers[i] = i + 1;
        if (pthread_create(&threads[i], NULL, teller, &numbers[i]) != 0) {
            perror("pthread_create");
            return 2;
        }
    }
    for (int i = 0; i < kTellers; ++i)
        pthread_join(threads[i], NULL);

    long total = 0;
    for (int i = 0; i < kAccounts; ++i)
        total += accounts[i].balance;
    const long expected = (long)kTellers * kPayments;
    if (total != expected) {
        printf("LOST MONEY: the accounts hold %ld of %ld (log %08x)\n", total, expected,
               atomic_load(&log_checksum));
        return 1;
    }
    printf("ok: %ld\n", total);
    return 0;
}
