// No file makes the kernel's parser fail in another way than with an Error.
#include <cstddef>

#include "base/check.h"
#include "machine/kernel_image.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace uchronia;
    const auto kernel = machine::parse_kernel_image({data, size}, "input");
    if (kernel)
        CHECK(kernel->protected_mode.size() <= size);
    return 0;
}
