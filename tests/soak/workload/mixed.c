/* Integer, floating point, vectors, threads that race for a counter, signals, maps and code that
 * is written as it runs. ROUND makes another program, the argument other data. */
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static uint64_t next(uint64_t* state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static int compare(const void* a, const void* b) {
    const uint64_t x = *(const uint64_t*)a, y = *(const uint64_t*)b;
    return (x > y) - (x < y);
}

static double matrices(uint64_t* state) {
    enum { N = 120 };
    static double a[N][N], b[N][N], c[N][N];
    for (int i = 0; i < N; ++i) {
        for (int j = 0; j < N; ++j) {
            a[i][j] = (double)(next(state) % 1000) / 7;
            b[i][j] = sin((double)(i * N + j)) + ROUND;
        }
    }
    for (int i = 0; i < N; ++i)
        for (int k = 0; k < N; ++k)
            for (int j = 0; j < N; ++j)
                c[i][j] += a[i][k] * b[k][j];
    double sum = 0;
    for (int i = 0; i < N; ++i)
        for (int j = 0; j < N; ++j)
            sum += log(1 + fabs(c[i][j]));
    return sum;
}

static volatile long racy;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long exact;

static void* worker(void* data) {
    for (int i = 0; i < 3000; ++i) {
        racy = racy + 1;
        if (i % 10 == 0) {
            pthread_mutex_lock(&mutex);
            exact += (long)(intptr_t)data;
            pthread_mutex_unlock(&mutex);
        }
    }
    return NULL;
}

static void threads(void) {
    pthread_t ids[4];
    for (long i = 0; i < 4; ++i)
        pthread_create(&ids[i], NULL, worker, (void*)(intptr_t)(i + 1));
    for (int i = 0; i < 4; ++i)
        pthread_join(ids[i], NULL);
    printf("threads %ld %d\n", exact, racy > 0 && racy <= 12000);
}

static sigjmp_buf back;
static volatile int faults;

static void on_fault(int signal) {
    faults += signal;
    siglongjmp(back, 1);
}

static void signals(char* page) {
    signal(SIGSEGV, on_fault);
    signal(SIGFPE, on_fault);
    volatile int zero = 0;
    for (int i = 0; i < 60; ++i) {
        if (sigsetjmp(back, 1) == 0) {
            mprotect(page, 4096, i % 2 ? PROT_READ : PROT_READ | PROT_WRITE);
            page[i] = (char)i;
            printf("%d", 10 / zero);
        }
    }
    printf("faults %d %d\n", faults, page[0] + page[58]);
}

/* MOV EAX, n; RET, again and again in the same place. */
static unsigned written_code(unsigned char* code) {
    unsigned sum = 0;
    for (unsigned i = 0; i < 500; ++i) {
        const unsigned value = i * ROUND;
        code[0] = 0xb8;
        memcpy(code + 1, &value, 4);
        code[5] = 0xc3;
        sum += ((unsigned (*)(void))(void*)code)();
    }
    return sum;
}

int main(int count, char** words) {
    uint64_t state = 88172645463325252u + (count > 1 ? strtoull(words[1], NULL, 10) : 0);
    enum { N = 150000 };
    uint64_t* values = malloc(N * sizeof *values);
    for (int i = 0; i < N; ++i)
        values[i] = next(&state) % (i % 3 ? 1000003 : 17 + ROUND);
    qsort(values, N, sizeof *values, compare);
    uint64_t hash = 0;
    for (int i = 0; i < N; ++i)
        hash = hash * 31 + (values[i] / (1 + values[N - 1 - i] % 97)) +
               (unsigned)__builtin_popcountll(values[i]);
    printf("sorted %016llx\n", (unsigned long long)hash);
    printf("matrices %.12g\n", matrices(&state));
    threads();
    char* page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    signals(page);
    unsigned char* code =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    printf("code %u\n", written_code(code));
    free(values);
    return 0;
}
