#include "tests/engines/small_guest.h"

#include <cstring>

#include "base/check.h"
#include "cpu/flat_segments.h"
#include "cpu/mmu/page_walk.h"

namespace uchronia::engines {

using namespace cpu;

namespace {

constexpr u64 kPlain = pte::kPresent | pte::kWritable | pte::kAccessed | pte::kDirty;
constexpr u64 kUserPage = kPlain | pte::kUser;
constexpr u16 kTaskAttributes = 0x8b;

class Builder {
  public:
    Builder() : memory_(page::kCount * kPageSize) {}

    void put(u64 page, u64 offset, u64 value) {
        std::memcpy(memory_.data() + page * kPageSize + offset, &value, sizeof value);
    }
    void put(u64 page, u64 offset, const Bytes& bytes) {
        std::memcpy(memory_.data() + page * kPageSize + offset, bytes.data(), bytes.size());
    }

    // SUB EBX, step; JLE to the HLT behind it all; the body; JMP back.
    void put_loop(u64 page, u8 step, const Bytes& body) {
        constexpr std::size_t kHead = 5, kJump = 2;
        CHECK(kHead + body.size() + kJump < 0x80);
        Bytes code = {0x83, 0xeb, step, 0x7e, static_cast<u8>(body.size() + kJump)};
        code.insert(code.end(), body.begin(), body.end());
        code.insert(code.end(), {0xeb, static_cast<u8>(-(code.size() + kJump)), 0xf4});
        put(page, 0, code);
    }

    void put_tables() {
        put_address_space(page::kRoot, page::kPointers, page::kDirectory, page::kTable);
        put_address_space(page::kOtherRoot, page::kOtherPointers, page::kOtherDirectory,
                          page::kOtherTable);
        // The second one has other code and other data at the same addresses.
        put(page::kOtherTable, 8 * page::kUserCode, user(page::kOtherUserCode) | kUserPage);
        put(page::kOtherTable, 8 * page::kData, user(page::kNextData) | kUserPage);
        // Of kKernelBase, and of its alias.
        put(page::kKernelPointers, 8 * 510, user(page::kKernelDirectory) | kPlain);
        put(page::kKernelDirectory, 0, user(page::kKernelTable) | kPlain);
        for (u64 i = 0; i < page::kCount; ++i)
            put(page::kKernelTable, 8 * i, user(i) | kPlain);
    }

    void put_descriptors() {
        const auto descriptor = [](u16 attributes) {
            return 0x000f'0000'0000'ffff | (u64{attributes} & 0xff) << 40 |
                   (u64{attributes} >> 8) << 52;
        };
        put(page::kGDT, kKernelCS, descriptor(descriptor::kFlatCode64));
        put(page::kGDT, kKernelSS, descriptor(descriptor::kFlatData));
        put(page::kGDT, kUserSS & ~7u, descriptor(descriptor::with_dpl(descriptor::kFlatData, 3)));
        put(page::kGDT, kUserCS & ~7u,
            descriptor(descriptor::with_dpl(descriptor::kFlatCode64, 3)));
        put(page::kTSS, 4, kernel(page::kKernelStack, kPageSize));
        put(page::kTSS, 36, kernel(page::kHandlerStack, kPageSize));  // IST1
        for (unsigned vector = 0; vector < 256; ++vector)
            put_handler(vector,
                        vector == 1 || vector == kInterrupt ? Bytes{0x48, 0xcf} : Bytes{0xf4});
    }

  private:
    // An interrupt gate on the stack IST1, and what it leads to.
    void put_handler(unsigned vector, const Bytes& code) {
        const u64 address = kernel(page::kHandlers, 16 * vector);
        put(page::kIDT, 16 * vector,
            (address & 0xffff) | u64{kKernelCS} << 16 | u64{1} << 32 | u64{0x8e} << 40 |
                (address >> 16 & 0xffff) << 48);
        put(page::kIDT, 16 * vector + 8, address >> 32);
        put(page::kHandlers, 16 * vector, code);
    }

    void put_address_space(u64 root, u64 pointers, u64 directory, u64 table) {
        put(root, 0, user(pointers) | kUserPage);
        put(root, 8 * 255, user(pointers) | kUserPage);  // with the last entries: kEdge
        put(root, 8 * 256, user(page::kKernelPointers) | kPlain);
        put(root, 8 * 511, user(page::kKernelPointers) | kPlain);
        put(pointers, 0, user(directory) | kUserPage);
        put(pointers, 8 * 511, user(directory) | kUserPage);
        put(directory, 0, user(table) | kUserPage);
        put(directory, 8 * 511, user(table) | kUserPage);
        for (const u64 i : {page::kUserCode, page::kFunctions, page::kFarFunctions, page::kData,
                            page::kNextData, page::kUserStack, page::kUserStack + 1})
            put(table, 8 * i, user(i) | kUserPage);
        put(table, 8 * page::kReadOnly, user(page::kReadOnly) | (kUserPage & ~pte::kWritable));
        put(table, 8 * page::kLowCode, user(page::kLowCode) | kPlain);
    }

  public:
    std::vector<u8> memory_;
};

CPUState start_state(Place place) {
    CPUState state;
    state.cr0 = cr0::kPE | cr0::kMP | cr0::kET | cr0::kNE | cr0::kWP | cr0::kPG;
    state.cr2 = 0x1234'5678'9abc;
    state.cr3 = user(page::kRoot);
    state.cr4 = cr4::kPAE | cr4::kFSGSBASE | cr4::kOSFXSR | cr4::kOSXMMEXCPT | cr4::kOSXSAVE;
    state.xcr0 = 7;
    state.efer = efer::kSCE | efer::kLME | efer::kLMA | efer::kNXE;
    state.star = kSTAR;
    state.lstar = kernel(page::kEntry);
    state.sfmask = kUsualMask;
    state.gdtr = {kernel(page::kGDT), 0x7f};
    state.idtr = {kernel(page::kIDT), 0xfff};
    state.tr = {kernel(page::kTSS), 0x67, kTaskState, kTaskAttributes};
    const unsigned level = place == Place::kUser ? 3 : 0;
    const auto flat = [&](u16 selector, u16 attributes) {
        return Segment{0, ~u32{0}, selector, descriptor::with_dpl(attributes, level)};
    };
    state.set_segment(kCS, flat(level == 3 ? kUserCS : kKernelCS, descriptor::kFlatCode64));
    for (const SegmentRegister segment : {kES, kSS, kDS, kFS, kGS})
        state.set_segment(segment, flat(level == 3 ? kUserSS : kKernelSS, descriptor::kFlatData));
    for (const SegmentRegister segment : {kFS, kGS}) {
        Segment based = state.segments[segment];
        based.selector = segment == kFS ? 0x1b : 0;
        based.base = user(page::kData, segment == kFS ? 0x400 : 0x800);
        state.set_segment(segment, based);
    }
    state.kernel_gs_base = user(page::kData, 0xc00);
    for (unsigned i = 0; i < 16; ++i)
        state.gpr[i] = 0x1234'0000'5670 + 0x1111'1111 * u64{i};
    state.gpr[kRBX] = kLoops + 1;
    state.gpr[kR14] = 0x6b5b'4b3b'2b1b'0b9d;  // added up in R13 it gives all kinds of flags
    state.gpr[kRSP] =
        level == 3 ? user(page::kUserStack + 1, 0x800) : kernel(page::kKernelStack, 0x800);
    state.gpr[kRBP] = kernel(page::kKernelStack, 0x400);
    state.gpr[kRSI] = user(page::kData, 0x100);
    state.gpr[kRDI] = kernel(page::kKernelData, 0x100);
    state.set_rflags(rflags::kFixed | rflags::kIF);
    return state;
}

}  // namespace

random::Image make_guest(Place place, const Bytes& body, const Bytes& entry) {
    Builder builder;
    builder.put_tables();
    builder.put_descriptors();
    for (const u64 page : {page::kData, page::kNextData, page::kReadOnly, page::kKernelData}) {
        for (u64 i = 0; i < kPageSize; i += 8)
            builder.put(page, i, (page * kPageSize + i) * 0x9e37'79b9'7f4a'7c15);
    }
    // At RSI and RDI: values for MXCSR, with all exceptions masked and with one unmasked.
    builder.put(page::kData, 0x100, 0x1f80);
    builder.put(page::kNextData, 0x100, 0x9f80);
    builder.put(page::kKernelData, 0x100, 0x1f00);
    builder.put_loop(page::kUserCode, 1, body);
    builder.put_loop(page::kOtherUserCode, 2, body);
    builder.put_loop(page::kKernelCode, 1, body);
    builder.put_loop(page::kLowCode, 1, body);
    builder.put(page::kEntry, 0, entry);
    builder.put(page::kFunctions, 0, {0xfa, 0xc3});
    builder.put(page::kFunctions, 0x40, {0xe9, 0xbb, 0x0f, 0, 0});
    builder.put(page::kFarFunctions, 0, {0xc3});
    random::Image image;
    image.state = start_state(place);
    image.state.rip = place == Place::kUser     ? user(page::kUserCode)
                      : place == Place::kKernel ? kernel(page::kKernelCode)
                                                : user(page::kLowCode);
    image.parts.push_back({0, std::move(builder.memory_)});
    return image;
}

}  // namespace uchronia::engines
