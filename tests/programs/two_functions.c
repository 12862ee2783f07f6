/* For perf_test: heavy() executes three times as many instructions as light(). */

#include <stdio.h>

static volatile unsigned sink;

__attribute__((noinline)) static void heavy(unsigned count) {
    for (unsigned i = 0; i < count; ++i)
        sink = sink * 3 + i;
}

__attribute__((noinline)) static void light(unsigned count) {
    for (unsigned i = 0; i < count; ++i)
        sink = sink * 3 + i;
}

/* Something happens after the calls, so that they are no jumps. */
__attribute__((noinline)) static unsigned work(void) {
    for (unsigned round = 0; round < 20; ++round) {
        heavy(150000);
        light(50000);
    }
    return sink;
}

int main(void) {
    printf("%u\n", work());
    return 0;
}
