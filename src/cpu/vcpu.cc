#include "cpu/vcpu.h"

namespace uchronia::cpu {
namespace {

// Room for the frames of some signals with all vector registers.
constexpr std::size_t kStackBelow = 64 * 1024;

}  // namespace

void* VCPU::operator new(std::size_t size, std::align_val_t alignment) {
    return static_cast<u8*>(::operator new(size + kStackBelow, alignment)) + kStackBelow;
}

void VCPU::operator delete(void* vcpu, std::align_val_t alignment) {
    ::operator delete(static_cast<u8*>(vcpu) - kStackBelow, alignment);
}

}  // namespace uchronia::cpu
