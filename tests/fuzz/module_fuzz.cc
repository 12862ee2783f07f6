// No file makes the reader of kernel modules (ELF) fail in another way than with an Error.
#include <cstring>
#include <memory>
#include <string>

#include "machine/initramfs.h"
#include "tests/fuzz/bytes.h"
#include "tests/fuzz/target.h"

namespace uchronia::fuzz {

// An ELF file with the sections ".modinfo" and ".shstrtab" (the gABI's layouts).
std::vector<std::vector<u8>> seeds() {
    const std::string information("license=GPL\0depends=a,b\0name=x\0", 31);
    const std::string names("\0.modinfo\0.shstrtab\0", 20);
    constexpr u64 kSections = 64, kInformation = kSections + 3 * 64;
    std::vector<u8> file(kInformation + information.size() + names.size());
    std::memcpy(file.data(),
                "\x7f"
                "ELF\2\1\1",
                7);
    put(file, 16, u16{1});
    put(file, 18, u16{62});
    put(file, 40, kSections);
    put(file, 58, u16{64});
    put(file, 60, u16{3});
    put(file, 62, u16{2});
    const auto section = [&](u64 index, u32 name, u32 type, u64 offset, u64 size) {
        put(file, kSections + index * 64, name);
        put(file, kSections + index * 64 + 4, type);
        put(file, kSections + index * 64 + 24, offset);
        put(file, kSections + index * 64 + 32, size);
    };
    section(1, 1, 1, kInformation, information.size());
    section(2, 10, 3, kInformation + information.size(), names.size());
    std::memcpy(file.data() + kInformation, information.data(), information.size());
    std::memcpy(file.data() + kInformation + information.size(), names.data(), names.size());
    return {file};
}

}  // namespace uchronia::fuzz

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace uchronia;
    const std::unique_ptr<u8[]> copy(new u8[size]);
    std::memcpy(copy.get(), data, size);
    for (const char* key : {"depends", "name", "absent"})
        static_cast<void>(machine::module_information({copy.get(), size}, key).ok());
    return 0;
}
