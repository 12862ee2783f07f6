// Vectors of 256 bits with AVX2 and FMA, where the processor has them.
#include "measure.h"

#include <immintrin.h>
#include <string.h>

enum { kCount = 2048 };

static float x[kCount] __attribute__((aligned(32)));
static float y[kCount] __attribute__((aligned(32)));
static uint32_t u[kCount] __attribute__((aligned(32)));
static size_t repetitions;

static __attribute__((noinline, target("avx2,fma"))) uint32_t step(float factor) {
    const __m256 f = _mm256_set1_ps(factor);
    const __m256 half = _mm256_set1_ps(0.5f);
    __m256i sums = _mm256_setzero_si256();
    for (int i = 0; i < kCount; i += 8) {
        const __m256 old = _mm256_mul_ps(_mm256_load_ps(y + i), half);
        _mm256_store_ps(y + i, _mm256_add_ps(_mm256_mul_ps(_mm256_load_ps(x + i), f), old));
        const __m256i word = _mm256_load_si256((const __m256i*)(u + i));
        const __m256i shuffled = _mm256_shuffle_epi8(word, _mm256_srli_epi32(word, 4));
        sums = _mm256_add_epi32(sums, _mm256_xor_si256(shuffled, _mm256_slli_epi32(word, 5)));
    }
    uint32_t lanes[8];
    _mm256_storeu_si256((__m256i*)lanes, sums);
    uint32_t sum = 0;
    for (int i = 0; i < 8; ++i)
        sum = sum * 31 + lanes[i];
    return sum;
}

uint64_t prepare(double scale) {
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
        return 0;
    repetitions = scaled(100000, scale);
    for (int i = 0; i < kCount; ++i) {
        x[i] = (float)(i % 97);
        u[i] = (uint32_t)i * 2654435761U;
    }
    return 1;
}

uint64_t run(void) {
    uint64_t sum = 0;
    memset(y, 0, sizeof y);
    for (size_t i = 0; i < repetitions; ++i)
        sum = mix(sum, step((float)(i & 15)));
    uint32_t bits;
    memcpy(&bits, &y[kCount / 3], sizeof bits);
    return mix(sum, bits);
}
