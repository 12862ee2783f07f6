// The rows of this folder against the host CPU, where it has AVX2.
#include "cpu/interp/test_support/vex_native_test.h"

namespace uchronia::cpu::interp::avx_integer {
namespace {

using namespace test_support;

class NativeTest : public VEXNativeTest {
  protected:
    NativeTest() : VEXNativeTest(20261123) {}

    u64 random_quad() override {
        switch (random_() % 5) {
            case 0:
                return random_() % 70;
            case 1:
                return random_() & 0x01017f80ff00ff00;
            case 2:
                return (random_() % 40) << 32 | random_() % 40;
            case 3:
                return (random_() & 0x8000800080008000) | 0x7fff007f7fffffff;
            default:
                return random_();
        }
    }
};

TEST_F(NativeTest, EveryRowAgreesWithTheHost) {
    if (__builtin_cpu_supports("avx2") == 0) {
        RecordProperty("not_compared", "the host has no AVX2");
        return;
    }
    compare_with_host(rows::avx_integer(), 100);
}

}  // namespace
}  // namespace uchronia::cpu::interp::avx_integer
