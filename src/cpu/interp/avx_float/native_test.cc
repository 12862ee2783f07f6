// The rows of this folder against the host CPU, where it has AVX2, FMA and F16C.
#include "cpu/interp/test_support/vex_native_test.h"

namespace uchronia::cpu::interp::avx_float {
namespace {

using namespace test_support;

class NativeTest : public VEXNativeTest {
  protected:
    NativeTest() : VEXNativeTest(20261124) {}

    u64 random_quad() override {
        switch (random_() % 8) {
            case 0:
                return random_() % 70;
            case 1:
                return random_();
            case 2:
                return random_halves(random_);
            case 3:
            case 4:
            case 5:
                return random_double(random_);
            default:
                return random_singles(random_);
        }
    }
};

TEST_F(NativeTest, EveryRowAgreesWithTheHost) {
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) {
        RecordProperty("not_compared", "the host has no AVX2 or no FMA");
        return;
    }
    compare_with_host(rows::avx_float(), 100);
}

}  // namespace
}  // namespace uchronia::cpu::interp::avx_float
