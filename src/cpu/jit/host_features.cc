#include "cpu/jit/host_features.h"

#include <cpuid.h>
#include <immintrin.h>
#include <sys/auxv.h>

namespace uchronia::cpu::jit {
namespace {

// Linux lets programs write the GS base (Documentation/arch/x86/x86_64/fsgs).
constexpr unsigned long kHWCAP2FSGSBase = 1u << 1;

struct Registers {
    unsigned a = 0, b = 0, c = 0, d = 0;
};
Registers cpuid(unsigned leaf) {
    Registers r;
    __get_cpuid_count(leaf, 0, &r.a, &r.b, &r.c, &r.d);
    return r;
}
bool has(unsigned value, unsigned bit) {
    return (value >> bit & 1) != 0;
}

}  // namespace

const char* missing_host_feature() {
    if (!__builtin_cpu_supports("avx2"))
        return "AVX2";
    if (!__builtin_cpu_supports("bmi2") || !__builtin_cpu_supports("bmi"))
        return "BMI1 and BMI2";
    if (!__builtin_cpu_supports("fma"))
        return "FMA";
    if (!__builtin_cpu_supports("aes") || !__builtin_cpu_supports("pclmul"))
        return "AES and PCLMULQDQ";
    const unsigned features = cpuid(1).c;
    if (!has(features, 22) || !has(features, 29))
        return "MOVBE and F16C";
    const unsigned extended = cpuid(0x8000'0001).c;
    if (!has(extended, 5) || !has(extended, 0))
        return "LZCNT and LAHF";
    if ((::getauxval(AT_HWCAP2) & kHWCAP2FSGSBase) == 0)
        return "FSGSBASE (a Linux of version 5.9 or later)";
    return nullptr;
}

[[gnu::target("fsgsbase")]] u64 gs_base() {
    return _readgsbase_u64();
}
[[gnu::target("fsgsbase")]] void set_gs_base(u64 base) {
    _writegsbase_u64(base);
}

}  // namespace uchronia::cpu::jit
