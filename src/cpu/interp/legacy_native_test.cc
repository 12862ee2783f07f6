// Random sequences of 32-bit integer instructions against the host CPU, which runs them in
// compatibility mode: registers, flags, memory and stack at the end must be equal.
//
// What the manuals leave undefined does not get into a sequence, or is overwritten by what follows:
// a comparison comes after every instruction with undefined flags.

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>
#include <random>
#include <vector>

#include "base/check.h"
#include "cpu/interp/test_computer.h"

// Enters 32-bit code from 64-bit code and comes back, by addresses that kLow* below repeat.
asm(R"(
.pushsection .rodata
.code64
legacy_native_begin:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    pushfq
    mov %rsp, 0x10000100
    mov $0x2b, %eax
    mov %eax, %ds
    mov %eax, %es
    mov 0x10000020, %eax
    mov $0x10000080, %esp
    push %rax
    popfq
    mov 0x10000000, %eax
    mov 0x10000004, %ecx
    mov 0x10000008, %edx
    mov 0x1000000c, %ebx
    mov 0x10000010, %esp
    mov 0x10000014, %ebp
    mov 0x10000018, %esi
    mov 0x1000001c, %edi
    ljmp *0x10000108
legacy_native_return:
    mov 0x10000100, %rsp
    xor %eax, %eax
    mov %eax, %ds
    mov %eax, %es
    popfq
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret
.code32
legacy_native_leave:
    mov %eax, 0x10000000
    mov %ecx, 0x10000004
    mov %edx, 0x10000008
    mov %ebx, 0x1000000c
    mov %esp, 0x10000010
    mov %ebp, 0x10000014
    mov %esi, 0x10000018
    mov %edi, 0x1000001c
    mov $0x10000080, %esp
    pushf
    pop 0x10000020
    ljmp *0x10000110
legacy_native_end:
.code64
.popsection
)");
extern "C" const char legacy_native_begin[], legacy_native_return[], legacy_native_leave[],
    legacy_native_end[];

namespace uchronia::cpu::interp {
namespace {

// One low address range on the host and, by its page tables, on the test computer.
constexpr u64 kLow = 0x10000000, kLowContext = kLow, kLowStub = kLow + 0x1000,
              kLowCode = kLow + 0x2000, kLowData = kLow + 0x3000, kLowStack = kLow + 0x5000,
              kLowSize = 0x6000;
constexpr u64 kRegisters = 8;
constexpr u64 kSeed = 0x5eed'0032;

// In the computer's memory.
constexpr u64 kPhysical = 0x60000, kLowTable = 0x70000;

struct Registers {
    u32 gpr[kRegisters];
    u32 flags;
};

class HostProcessor {
  public:
    HostProcessor() {
        void* const wanted = reinterpret_cast<void*>(kLow);
        void* const got = mmap(wanted, kLowSize, PROT_READ | PROT_WRITE | PROT_EXEC,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
        CHECK(got == wanted);
        std::memcpy(at(kLowStub), legacy_native_begin,
                    static_cast<std::size_t>(legacy_native_end - legacy_native_begin));
        store_pointer(kLowContext + 0x108, kLowCode, TestProcessor::kUserCS - 0x10);
        store_pointer(kLowContext + 0x110, stub(legacy_native_return), TestProcessor::kUserCS);
    }
    ~HostProcessor() { munmap(at(kLow), kLowSize); }

    static u8* at(u64 address) { return reinterpret_cast<u8*>(address); }

    // The code must end with leave().
    Registers run(const Registers& before) {
        Registers registers = before;
        std::memcpy(at(kLowContext), &registers, sizeof registers);
        reinterpret_cast<void (*)()>(kLowStub)();
        std::memcpy(&registers, at(kLowContext), sizeof registers);
        return registers;
    }
    static std::vector<u8> leave() {
        const u32 distance = static_cast<u32>(stub(legacy_native_leave));
        return {0x68, u8(distance), u8(distance >> 8), u8(distance >> 16), u8(distance >> 24),
                0xc3};  // push; ret
    }

  private:
    static u64 stub(const char* label) {
        return kLowStub + static_cast<u64>(label - legacy_native_begin);
    }
    static void store_pointer(u64 address, u64 offset, u16 selector) {
        const u32 low = static_cast<u32>(offset);
        std::memcpy(at(address), &low, 4);
        std::memcpy(at(address + 4), &selector, 2);
    }
};

class Generator {
  public:
    explicit Generator(u64 seed) : random_(seed) {}

    std::vector<u8> sequence(unsigned count) {
        code_.clear();
        for (unsigned i = 0; i < count; ++i)
            add_one();
        return code_;
    }
    u32 word() { return static_cast<u32>(random_()); }
    // Often small, or near a sign.
    u32 value() {
        static constexpr u32 kEdges[] = {0,          1,      0x7f,   0x80,       0xff,
                                         0x7fff,     0x8000, 0xffff, 0x7fffffff, 0x80000000,
                                         0xffffffff, 9,      0x99};
        return below(2) == 0 ? kEdges[below(std::size(kEdges))] : word();
    }

  private:
    static constexpr u8 kESP = 4, kEBP = 5;

    u32 below(u64 limit) { return static_cast<u32>(random_() % limit); }
    void add(std::initializer_list<u32> bytes) {
        for (const u32 byte : bytes)
            code_.push_back(static_cast<u8>(byte));
    }
    void add_word(u32 value, unsigned bytes) {
        for (unsigned i = 0; i < bytes; ++i)
            code_.push_back(static_cast<u8>(value >> (8 * i)));
    }
    // Not ESP and EBP, which hold the stack and the data.
    u8 free_register() {
        static constexpr u8 kFree[] = {0, 1, 2, 3, 6, 7};
        return kFree[below(std::size(kFree))];
    }
    u8 byte_register() { return static_cast<u8>(below(8)); }

    // ModRM with a free register, [ebp + disp8], [ebp + disp32], [disp32], or [ebp + index] of a
    // register that is made small before. The caller has put the opcode into `opcode`.
    void add_operand(std::vector<u8> opcode, u32 reg, bool is_byte, bool only_memory = false) {
        const u32 kind = below(only_memory ? 3 : 6);
        if (kind >= 3) {
            append(opcode);
            return add({0xc0 | reg << 3 | (is_byte ? byte_register() : free_register())});
        }
        append(opcode);
        if (kind == 0) {
            add({0x45 | reg << 3, below(256)});
        } else if (kind == 1) {
            add({0x85 | reg << 3});
            add_word(below(0x800) - 0x400, 4);
        } else {
            add({0x05 | reg << 3});
            add_word(static_cast<u32>(kLowData) + below(0xf00), 4);
        }
    }
    void append(const std::vector<u8>& bytes) {
        code_.insert(code_.end(), bytes.begin(), bytes.end());
    }

    // 66h, sometimes: gives the bytes of an immediate.
    unsigned operand_size() {
        if (below(3) != 0)
            return 4;
        add({0x66});
        return 2;
    }
    void define_flags() { add({0x39, 0xc0 | below(8) << 3 | below(8)}); }

    void add_one() {
        using Add = void (Generator::*)();
        static constexpr Add kAll[] = {
            &Generator::add_arithmetic,   &Generator::add_arithmetic, &Generator::add_group_1,
            &Generator::add_group_3,      &Generator::add_increment,  &Generator::add_shift,
            &Generator::add_double_shift, &Generator::add_bit,        &Generator::add_move,
            &Generator::add_extension,    &Generator::add_condition,  &Generator::add_exchange,
            &Generator::add_one_byte,     &Generator::add_decimal,    &Generator::add_stack,
            &Generator::add_frame,        &Generator::add_branch,     &Generator::add_call,
            &Generator::add_string,       &Generator::add_address,    &Generator::add_segment,
            &Generator::add_offset,       &Generator::add_loop,       &Generator::add_division,
        };
        (this->*kAll[below(std::size(kAll))])();
    }

    void add_arithmetic() {  // 00-3B
        const u32 opcode = below(8) << 3 | below(4);
        const bool is_byte = (opcode & 1) == 0;
        if (!is_byte)
            operand_size();
        add_operand({u8(opcode)}, is_byte ? byte_register() : free_register(), is_byte);
        define_flags();
    }
    void add_group_1() {
        const u32 opcode = 0x80 + below(4);
        const bool is_byte = opcode == 0x80 || opcode == 0x82;
        const unsigned size = is_byte ? 1 : operand_size();
        add_operand({u8(opcode)}, below(8), is_byte);
        add_word(value(), opcode == 0x81 ? size : 1);
        define_flags();
    }
    void add_group_3() {  // TEST, NOT, NEG, MUL, IMUL
        const u32 reg = below(6);
        const bool is_byte = below(2) == 0;
        const unsigned size = is_byte ? 1 : operand_size();
        add_operand({u8(is_byte ? 0xf6 : 0xf7)}, reg, is_byte);
        if (reg < 2)
            add_word(value(), size);
        define_flags();
    }
    void add_division() {  // EDX:EAX, AX or DX:AX by something greater than the upper half
        const u32 byte = below(3);
        if (byte == 0)
            add({0xb4, 0, 0xb1, 1 + below(255), 0xf6, 0xf1});  // mov ah, 0; mov cl, n; div cl
        else if (byte == 1)
            add({0x99, 0xb9, below(250) + 2, 0, 0, 0, 0xf7, 0xf9});  // cdq; mov ecx, n; idiv ecx
        else
            add({0x66, 0x31, 0xd2, 0x66, 0xbb, 1 + below(255), below(256), 0x66, 0xf7, 0xf3});
        define_flags();
    }
    void add_increment() {
        operand_size();
        if (below(2) == 0)
            add({0x40 + below(2) * 8 + free_register()});
        else
            add_operand({0xff}, below(2), false);
    }
    void add_shift() {
        static constexpr u8 kOpcodes[] = {0xc0, 0xc1, 0xd0, 0xd1, 0xd2, 0xd3};
        const u8 opcode = kOpcodes[below(std::size(kOpcodes))];
        const bool is_byte = (opcode & 1) == 0;
        if (!is_byte)
            operand_size();
        add_operand({opcode}, below(8), is_byte);
        if (opcode < 0xd0)
            add_word(word(), 1);
        define_flags();
    }
    void add_double_shift() {
        add_operand({0x0f, u8(below(2) == 0 ? 0xa4 : 0xac)}, free_register(), false);
        add_word(word(), 1);
        define_flags();
    }
    void add_bit() {
        operand_size();
        if (below(2) == 0)
            add({0x0f, 0xa3 + below(4) * 8, 0xc0 | below(8) << 3 | free_register()});
        else {
            add_operand({0x0f, 0xba}, 4 + below(4), false);
            add_word(word(), 1);
        }
        define_flags();
    }
    void add_move() {
        const u32 kind = below(4);
        if (kind < 2) {
            const bool is_byte = below(2) == 0;
            if (!is_byte)
                operand_size();
            add_operand({u8(0x88 + (is_byte ? 0 : 1) + 2 * kind)},
                        is_byte ? byte_register() : free_register(), is_byte);
        } else if (kind == 2) {
            const unsigned size = operand_size();
            add({0xb8u + free_register()});
            add_word(value(), size);
        } else {
            const unsigned size = operand_size();
            add_operand({0xc7}, 0, false);
            add_word(value(), size);
        }
    }
    void add_extension() {
        static constexpr u8 kOpcodes[] = {0xb6, 0xb7, 0xbe, 0xbf};
        const u8 opcode = kOpcodes[below(4)];
        operand_size();
        add_operand({0x0f, opcode}, free_register(), (opcode & 1) == 0);
    }
    void add_condition() {
        if (below(2) == 0) {
            add_operand({0x0f, u8(0x90 + below(16))}, 0, true);
        } else {
            operand_size();
            add_operand({0x0f, u8(0x40 + below(16))}, free_register(), false);
        }
    }
    void add_exchange() {
        operand_size();
        switch (below(5)) {
            case 0:
                return add_operand({0x87}, free_register(), false);
            case 1:
                return add({0x90u + free_register()});
            case 2:
                add_operand({0x0f, 0xc1}, free_register(), false);
                break;
            case 3:
                add_operand({0x0f, 0xb1}, free_register(), false);
                break;
            default:
                add({0x0f, 0xc7, 0x4d, below(256)});  // cmpxchg8b [ebp + disp8]
        }
        define_flags();
    }
    void add_one_byte() {
        static constexpr u8 kOpcodes[] = {0x98, 0x99, 0x9e, 0x9f, 0xf5, 0xf8, 0xf9, 0xd6, 0x90};
        operand_size();
        const u8 opcode = kOpcodes[below(std::size(kOpcodes))];
        add({opcode});
    }
    void add_decimal() {
        static constexpr u8 kOpcodes[] = {0x27, 0x2f, 0x37, 0x3f, 0xd4, 0xd5};
        const u8 opcode = kOpcodes[below(std::size(kOpcodes))];
        add({opcode});
        if (opcode >= 0xd4)
            add({below(4) == 0 ? 1 + below(255) : 10});
        define_flags();
    }
    void add_stack() {
        switch (below(8)) {
            case 0:
                operand_size();
                return add({0x50u + below(8)});
            case 1:
                operand_size();
                return add({0x58u + free_register()});
            case 2: {
                const unsigned size = operand_size();
                add({0x68});
                return add_word(value(), size);
            }
            case 3:
                operand_size();
                return add({0x6a, below(256)});
            case 4:
                operand_size();
                return add_operand({0xff}, 6, false);
            case 5:
                operand_size();
                return add_operand({0x8f}, 0, false, true);
            case 6:  // pusha; popa, or pusha; add esp, 32
                if (below(2) == 0)
                    return add({0x60, 0x61});
                return add({0x66, 0x60, 0x66, 0x61, 0x60, 0x83, 0xc4, 0x20});
            default:  // pushf; popf
                return add({0x9c, 0x9d, 0x66, 0x9c, 0x66, 0x9d});
        }
    }
    void add_frame() {
        add({0xc8});
        add_word(below(64), 2);
        add({below(4)});
        if (below(2) == 0)
            add({0x89, 0xe0});  // mov eax, esp
        add({0xc9});
    }
    void add_branch() {
        const u32 condition = below(16);
        if (below(2) == 0)
            add({0x70 + condition, 2});
        else
            add({0x0f, 0x80 + condition, 2, 0, 0, 0});
        add({0x40u + free_register(), 0xf5});  // inc; cmc
    }
    // A processor may push a selector as 32 bits (AMD) or leave the upper half of its place on the
    // stack as it is (Intel), so that half is zero before: push 0; lea esp, [esp + 4]; push.
    void push_selector(u32 opcode) { add({0x6a, 0, 0x8d, 0x64, 0x24, 4, opcode}); }
    void add_call() {
        switch (below(4)) {
            case 0:
                return add({0xe8, 0, 0, 0, 0, 0x58u + free_register()});
            case 1:  // call +2; jmp +3; ret 0
                return add({0xe8, 2, 0, 0, 0, 0xeb, 3, 0xc2, 0, 0});
            case 2: {  // push cs; call +2; jmp +1; retf
                push_selector(0x0e);
                return add({0xe8, 2, 0, 0, 0, 0xeb, 1, 0xcb});
            }
            default: {  // call far cs:+2; jmp +1; retf
                const u32 here = static_cast<u32>(kLowCode + code_.size());
                add({0x9a});
                add_word(here + 9, 4);
                add({0x23, 0, 0xeb, 1, 0xcb});
            }
        }
    }
    void add_string() {
        static constexpr u8 kOpcodes[] = {0xa4, 0xa5, 0xa6, 0xa7, 0xaa,
                                          0xab, 0xac, 0xad, 0xae, 0xaf};
        const u8 opcode = kOpcodes[below(std::size(kOpcodes))];
        const bool up = below(3) != 0;
        add({up ? 0xfcu : 0xfdu, 0x8d, 0x75, below(256), 0x8d, 0x7d, below(256)});
        const u32 prefix = below(3);
        if (prefix != 0)
            add({0xb9, below(40), 0, 0, 0, prefix == 1 ? 0xf2u : 0xf3u});
        if (below(3) == 0)
            add({0x66});
        add({opcode, 0xfc});
    }
    void add_address() {
        const u32 kind = below(5);
        if (kind != 0)
            operand_size();
        switch (kind) {
            case 0:  // xlat through [ebp]
                return add({0x8d, 0x5d, 0x10, 0xd7});
            case 1:
                return add({0x8d, 0x04u | free_register() << 3, below(256) & 0xfb});
            case 2:
                return add({0x67, 0x8d, 0x40u | below(8) | free_register() << 3, below(256)});
            case 3:
                add({0x67, 0x8d, 0x80u | below(8) | free_register() << 3});
                return add_word(word(), 2);
            default:
                return add({0x8d, 0x44u | free_register() << 3, below(256), below(256)});
        }
    }
    void add_segment() {
        switch (below(6)) {
            case 0:  // push ss; pop es
                push_selector(0x16);
                return add({0x07});
            case 1:  // push ds; pop ds
                return add({0x66, 0x1e, 0x66, 0x1f});
            case 2:  // mov eax, ss; mov ds, ax
                return add({0x8c, 0xd0, 0x8e, 0xd8});
            case 3:  // arpl
                add({0x63, 0xc0 | below(8) << 3 | free_register()});
                return;
            case 4:  // push ss; push eax; les ecx, [esp]; add esp, 8
                push_selector(0x16);
                return add({0x50, 0xc4, 0x0c, 0x24, 0x83, 0xc4, 0x08});
            default: {  // a segment override on data
                static constexpr u8 kOverrides[] = {0x26, 0x36, 0x3e};
                add({kOverrides[below(3)], 0x8b, 0x45, below(256)});
            }
        }
    }
    void add_offset() {
        const u32 opcode = 0xa0 + below(4);
        if ((opcode & 1) != 0)
            operand_size();
        add({opcode});
        add_word(static_cast<u32>(kLowData) + below(0xf00), 4);
    }
    void add_loop() {  // mov ecx, n; inc eax; loop -3
        add({0xb9, 1 + below(5), below(2), 0, 0});
        if (below(2) == 0)
            return add({0x40, 0xe2, 0xfd});
        if (below(2) == 0)
            return add({0x40, 0x67, 0xe2, 0xfc});
        add({0xe3, 1, 0x40, 0x67, 0xe3, 1, 0x4b});
    }

    std::mt19937_64 random_;
    std::vector<u8> code_;
};

struct Compatibility : TestComputer {
    static constexpr u8 kHLT = 0xf4;

    Compatibility() {
        store<u64>(kTables + 0x2000 + 8 * (kLow >> 21), kLowTable | 7);
        for (u64 page = 0; page < kLowSize / kPageSize; ++page)
            store<u64>(kLowTable + 8 * page, (kPhysical + page * kPageSize) | 7);
        load_handler(static_cast<u8>(Vector::kUD), {kHLT});
    }
    u8* at(u64 address) { return memory.bytes.data() + kPhysical + (address - kLow); }

    void enter(const Registers& registers) {
        CPUState& state = cpu.state;
        state.set_segment(kCS,
                          {0, ~u32{0}, 0x23, descriptor::with_dpl(descriptor::kFlatCode32, 3)});
        for (const SegmentRegister index : {kSS, kDS, kES})
            state.set_segment(
                index, {0, ~u32{0}, kUserDS, descriptor::with_dpl(descriptor::kFlatData, 3)});
        for (unsigned i = 0; i < kRegisters; ++i)
            state.gpr[i] = registers.gpr[i];
        state.set_rflags(registers.flags);
        state.rip = kLowCode;
        state.halted = false;
        mmu.update_context(cpu);
    }
    Registers registers() const {
        Registers result;
        for (unsigned i = 0; i < kRegisters; ++i)
            result.gpr[i] = static_cast<u32>(cpu.state.gpr[i]);
        result.flags = static_cast<u32>(cpu.state.rflags());
        return result;
    }
};

// In odd pieces up to the end of the code.
void run_to(Compatibility& computer, u64 end, std::mt19937_64& random) {
    for (unsigned i = 0; computer.cpu.state.rip != end; ++i) {
        ASSERT_LT(i, 100'000u);
        ASSERT_EQ(computer.run(1).stop, Stop::kBudget);
        if (random() % 64 == 0)
            computer.interpreter.drop_caches();
    }
}

std::string text_of(const std::vector<u8>& code) {
    std::string text;
    for (const u8 byte : code) {
        char digits[4];
        std::snprintf(digits, sizeof digits, "%02x ", byte);
        text += digits;
    }
    return text;
}

TEST(LegacyAgainstTheHost, RandomSequences) {
    HostProcessor host;
    std::mt19937_64 random(kSeed);
    for (unsigned n = 0; n < 3000; ++n) {
        Generator generator(kSeed + n);
        const std::vector<u8> code = generator.sequence(1 + n % 24);
        SCOPED_TRACE("sequence " + std::to_string(n) + ": " + text_of(code));
        std::vector<u8> native = code;
        const std::vector<u8> leave = HostProcessor::leave();
        native.insert(native.end(), leave.begin(), leave.end());
        ASSERT_LT(native.size(), kPageSize);
        std::memcpy(host.at(kLowCode), native.data(), native.size());
        for (u64 i = 0; i < 0x2000; ++i)
            host.at(kLowData)[i] = static_cast<u8>(random());
        std::memset(host.at(kLowStack), 0x5a, kPageSize);
        Registers before;
        for (u32& value : before.gpr)
            value = generator.value();
        before.gpr[kRSP] = static_cast<u32>(kLowStack + 0x800);
        before.gpr[kRBP] = static_cast<u32>(kLowData + 0x800);
        before.flags = static_cast<u32>(rflags::kFixed | rflags::kIF |
                                        (generator.word() & rflags::kArithmetic));

        Compatibility computer;
        computer.load_code(kPhysical + (kLowCode - kLow), native);
        for (u64 i = 0; i < 0x3000; ++i)
            computer.store<u8>(kPhysical + (kLowData - kLow) + i, host.at(kLowData)[i]);
        computer.enter(before);
        run_to(computer, kLowCode + code.size(), random);

        const Registers wanted = host.run(before);
        const Registers got = computer.registers();
        for (unsigned i = 0; i < kRegisters; ++i)
            ASSERT_EQ(got.gpr[i], wanted.gpr[i]) << "register " << i;
        ASSERT_EQ(got.flags, wanted.flags);
        // The host has pushed the way back.
        const u64 used = wanted.gpr[kRSP] - 4 - kLowData;
        ASSERT_EQ(std::memcmp(computer.at(kLowData), host.at(kLowData), 0x2000), 0);
        for (u64 i = 0x2000; i < 0x3000; ++i) {
            if (i < used || i >= used + 4) {
                ASSERT_EQ(computer.at(kLowData)[i], host.at(kLowData)[i]) << "stack " << i;
            }
        }
    }
}

}  // namespace
}  // namespace uchronia::cpu::interp
