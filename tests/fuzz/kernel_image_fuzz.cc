// No file makes the kernel's parser fail in another way than with an Error.
#include <algorithm>

#include "base/check.h"
#include "machine/fake_kernel.h"
#include "machine/kernel_image.h"
#include "tests/fuzz/target.h"

namespace uchronia::fuzz {

std::vector<std::vector<u8>> seeds() {
    return {machine::fake_kernel(), machine::fake_kernel("5.4.0-1")};
}

}  // namespace uchronia::fuzz

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace uchronia;
    const auto kernel = machine::parse_kernel_image({data, size}, "input");
    if (kernel)
        CHECK(kernel->protected_mode.size() <= size);
    return 0;
}
