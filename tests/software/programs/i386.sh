# needs: gcc /usr/lib/gcc/x86_64-linux-gnu/12/32
# 32-bit programs, static and dynamic.
cd /tmp
cat >threads.c <<'C'
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long long total;
static void *work(void *argument) {
    long n = (long)argument;
    for (int i = 0; i < 2000; ++i) {
        char *copy = malloc(100 + i % 50);
        sprintf(copy, "%ld-%d", n, i);
        pthread_mutex_lock(&mutex);
        total += strlen(copy) * n;
        pthread_mutex_unlock(&mutex);
        free(copy);
    }
    return NULL;
}
int main(void) {
    pthread_t threads[4];
    for (long i = 0; i < 4; ++i) pthread_create(&threads[i], NULL, work, (void *)(i + 1));
    for (int i = 0; i < 4; ++i) pthread_join(threads[i], NULL);
    printf("%zu-bit pointers: %lld %.3f\n", 8 * sizeof(void *), total, (double)total / 7);
    return 0;
}
C
gcc -m32 -O2 -static -pthread -o static32 threads.c && ./static32
gcc -m32 -O2 -pthread -o dynamic32 threads.c && ./dynamic32
