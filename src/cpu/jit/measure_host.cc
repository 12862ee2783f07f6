#include "cpu/jit/measure_host.h"

#include <array>
#include <memory>
#include <span>

#include "base/check.h"
#include "cpu/decode/encoding.h"
#include "cpu/jit/assembler.h"
#include "cpu/jit/shape.h"
#include "cpu/jit/translator.h"
#include "host/executable_memory.h"

namespace uchronia::cpu::jit {
namespace {

// What the operands are in.
constexpr u8 kRM = kRBX, kReg = kRSI, kVVVV = kRDI;
// The registers that are loaded and compared: 0 to 3, 6 and 7.
constexpr std::array<u8, 6> kUsed = {kRAX, kRCX, kRDX, kRBX, kRSI, kRDI};

struct Registers {
    std::array<u64, 8> gpr{};  // by number
    u64 flags = ArithmeticFlags::kFixed;
};

constexpr u64 kValues[] = {0,
                           1,
                           ~u64{0},
                           0x8000'8000'8000'8000,
                           0x7fff'ffff'7fff'ff7f,
                           0x0123'4567'89ab'cdef,
                           0xf0e1'd2c3'8000'0000};
constexpr u8 kImmediates[] = {0, 1, 0x7f, 0x80, 0xff};
constexpr u8 kCounts[] = {0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 63, 64, 255};
constexpr u16 kFlagsBefore[] = {
    ArithmeticFlags::kFixed, 0xd701,  // all
    ArithmeticFlags::kFixed | ArithmeticFlags::kCF,
    ArithmeticFlags::kFixed | ArithmeticFlags::kZF | ArithmeticFlags::kAF | ArithmeticFlags::kOF};

// A platform of the newest model that the functions under test never ask anything else.
class NoPlatform final : public Platform {
  public:
    NoPlatform() : Platform(CPUModel::kV3) {}
    u32 port_read(unsigned, u16, unsigned) override { CHECK(false); }
    void port_write(unsigned, u16, unsigned, u32) override { CHECK(false); }
    u64 mmio_read(unsigned, u64, unsigned) override { CHECK(false); }
    void mmio_write(unsigned, u64, unsigned, u64) override { CHECK(false); }
    MSRResult msr_read(unsigned, u32, u64&) override { CHECK(false); }
    MSRResult msr_write(unsigned, u32, u64) override { CHECK(false); }
    u64 task_priority(unsigned) override { CHECK(false); }
    void set_task_priority(unsigned, u64) override { CHECK(false); }
    bool interrupt_pending(unsigned) override { CHECK(false); }
    u8 acknowledge_interrupt(unsigned) override { CHECK(false); }
    u64 time_stamp(unsigned) override { CHECK(false); }
    u64 entropy() override { CHECK(false); }
    void hypercall(unsigned) override { CHECK(false); }
    void pause(unsigned) override {}
};

// One instruction as bytes, with the operands in kRM, kReg and kVVVV. Its immediate is the same
// byte over and over.
class Encoder {
  public:
    Encoder(const Encoding& e, unsigned operand_size, u8 immediate) {
        if (is_vex(e.map))
            put_vex(e, operand_size);
        else
            put_legacy(e, operand_size);
        if (e.modrm == ModRMUse::kRegister)
            out_.modrm_register(kReg, kRM);
        else if (e.modrm == ModRMUse::kDigit)
            out_.modrm_register(e.modrm_value, kRM);
        for (const ImmediateKind kind : e.immediates) {
            const unsigned size = kind == ImmediateKind::kByte ? 1
                                  : kind == ImmediateKind::kZ  ? operand_size == 2 ? 2 : 4
                                                               : 0;
            for (unsigned i = 0; i < size; ++i)
                out_.byte(immediate);
        }
    }
    std::span<const u8> bytes() const {
        return {bytes_.data(), static_cast<std::size_t>(out_.here() - bytes_.data())};
    }

  private:
    static u8 opcode_of(const Encoding& e) {
        return static_cast<u8>(e.opcode | (e.opcode_register ? kReg : 0));
    }

    void put_legacy(const Encoding& e, unsigned operand_size) {
        if (operand_size == 2)
            out_.byte(0x66);
        if (e.prefix == MandatoryPrefix::kF2 || e.prefix == MandatoryPrefix::kF3)
            out_.byte(e.prefix == MandatoryPrefix::kF2 ? 0xf2 : 0xf3);
        out_.byte(operand_size == 8 ? 0x48 : 0x40);
        if (e.map != OpcodeMap::kOneByte)
            out_.byte(0x0f);
        if (e.map == OpcodeMap::k0F38 || e.map == OpcodeMap::k0F3A)
            out_.byte(e.map == OpcodeMap::k0F38 ? 0x38 : 0x3a);
        out_.byte(opcode_of(e));
    }

    void put_vex(const Encoding& e, unsigned operand_size) {
        const u8 map = static_cast<u8>(static_cast<u8>(e.map) - static_cast<u8>(OpcodeMap::kVEX0F));
        const u8 prefix = e.prefix == MandatoryPrefix::k66   ? 1
                          : e.prefix == MandatoryPrefix::kF3 ? 2
                          : e.prefix == MandatoryPrefix::kF2 ? 3
                                                             : 0;
        out_.byte(0xc4);
        out_.byte(static_cast<u8>(0xe1 + map));
        out_.byte(static_cast<u8>((operand_size == 8 ? 0x80 : 0) | (~kVVVV & 15) << 3 | prefix));
        out_.byte(opcode_of(e));
    }

    std::array<u8, 16> bytes_{};
    Assembler out_{bytes_.data()};
};

// Runs instructions on the host.
class HostRunner {
  public:
    HostRunner() : memory_(host::allocate_executable(kSize)) {
        if (memory_ == nullptr)
            return;
        Assembler out(memory_);
        put_runner(out);
        code_ = memory_ + kCodeStart;
    }
    ~HostRunner() {
        if (memory_ != nullptr)
            host::release_executable(memory_, kSize);
    }
    HostRunner(const HostRunner&) = delete;
    HostRunner& operator=(const HostRunner&) = delete;

    bool usable() const { return memory_ != nullptr; }

    // What run() executes from now on.
    void load(std::span<const u8> instruction) {
        code_ += kCodeSpacing;
        if (code_ + kCodeSpacing > memory_ + kSize)
            code_ = memory_ + kCodeStart;
        Assembler out(code_);
        out.bytes(instruction.data(), static_cast<unsigned>(instruction.size()));
        out.ret();
    }
    void run(Registers& registers) const {
        using Run = void (*)(Registers*, const u8*);
        reinterpret_cast<Run>(reinterpret_cast<u64>(memory_))(&registers, code_);
    }

  private:
    static constexpr std::size_t kSize = 128 * 1024, kCodeStart = 4096, kCodeSpacing = 64;

    static Memory place_of(u8 number) { return {.base = kHostR8, .displacement = 8 * number}; }
    static constexpr Memory kFlagsPlace{.base = kHostR8,
                                        .displacement = offsetof(Registers, flags)};

    static void put_runner(Assembler& out) {
        out.push(kHostRBX);
        out.move(kHostR8, kHostRDI);
        out.move(kHostR9, kHostRSI);
        out.load(kHostRAX, kFlagsPlace);
        out.byte(0x04);  // ADD AL, 7Fh: sets OF if AL is 1
        out.byte(0x7f);
        out.byte(0x9e);  // SAHF
        for (const u8 number : kUsed)
            out.load(HostRegister{number}, place_of(number));
        out.call(kHostR9);
        for (const u8 number : kUsed)
            out.store(place_of(number), HostRegister{number});
        out.byte(0x9f);  // LAHF
        out.byte(0x0f);  // SETO AL
        out.byte(0x90);
        out.byte(0xc0);
        out.byte(0x0f);  // MOVZX EAX, AX
        out.rr32(0xb7, kHostRAX, kHostRAX);
        out.store(kFlagsPlace, kHostRAX);
        out.pop(kHostRBX);
        out.ret();
    }

    u8* memory_;
    u8* code_ = nullptr;
};

u8 flags_of(u64 bits) {
    u8 flags = flag::kNone;
    for (u8 one = 1; one <= flag::kOF; one = static_cast<u8>(one << 1)) {
        if ((bits & arithmetic_bits(one)) != 0)
            flags |= one;
    }
    return flags;
}

class SelfTest {
  public:
    SelfTest(MMU& mmu, const Binder& binder)
        : binder_(binder), cpu_(std::make_unique<VCPU>(0, mmu, platform_)) {}

    HostDifferences run() {
        for (u16 i = 1; i < static_cast<u16>(Instruction::kCount); ++i) {
            if (has_undefined_results(Instruction{i}))
                run_row(Instruction{i});
        }
        return found_;
    }

  private:
    void run_row(Instruction instruction) {
        const bool byte = row_of(instruction).name.find("_Eb") != std::string_view::npos ||
                          row_of(instruction).name.find("_AL") != std::string_view::npos;
        const Result<Encoding> parsed = parse_encoding(row_of(instruction));
        CHECK(parsed.ok());
        encoding_ = *parsed;
        if (!is_vex(encoding_.map))
            run_size(instruction, 2);
        for (const unsigned size : {4u, 8u}) {
            if (byte)
                found_.at(instruction, size) = found_.at(instruction, 2);
            else
                run_size(instruction, size);
        }
    }

    void run_size(Instruction instruction, unsigned size) {
        flag_bits_ = result_bits_ = 0;
        executed_ = false;
        const std::string_view name = row_of(instruction).name;
        if (name.find("_I") == std::string_view::npos)
            run_form(instruction, size, 0);
        else
            for (const u8 immediate :
                 is_counted(name) ? std::span<const u8>(kCounts) : std::span<const u8>(kImmediates))
                run_form(instruction, size, immediate);
        found_.at(instruction, size) = {
            .flags = executed_ ? flags_of(flag_bits_) : kAllFlags,
            .result = !executed_ || result_bits_ != 0,
        };
    }

    // Shifts and rotates.
    static bool is_counted(std::string_view name) {
        return name.starts_with("SH") || name.starts_with("SA") || name.starts_with("RO") ||
               name.starts_with("RC");
    }

    void run_form(Instruction instruction, unsigned size, u8 immediate) {
        const Encoder encoder(encoding_, size, immediate);
        Decoded decoded;
        if (!host_.usable() ||
            decode(padded(encoder.bytes()), CodeMode::k64, 0, decoded) != DecodeStatus::kDone)
            return;
        if (decoded.instruction != instruction || decoded.operand_size != size ||
            decoded.op.length != encoder.bytes().size())
            return;
        executed_ = true;
        host_.load(encoder.bytes());
        ops_ = {binder_.bind(decoded), binder_.end_of_block(decoded.op.length)};
        if (shape_of(instruction).uses_cl)
            run_counts();
        else
            run_operands();
    }

    std::span<const u8> padded(std::span<const u8> bytes) {
        padded_.fill(0x90);
        std::copy(bytes.begin(), bytes.end(), padded_.begin());
        return padded_;
    }

    void run_operands() {
        unsigned number = 0;
        for (const u64 a : kValues) {
            for (const u64 b : kValues) {
                Registers r;
                r.gpr[kRM] = a;
                r.gpr[kReg] = r.gpr[kVVVV] = r.gpr[kRAX] = b;
                r.gpr[kRCX] = ~a;
                // A half for divisions that do not fault.
                r.gpr[kRDX] = number % 3 == 0 ? 0 : number % 3 == 1 ? b >> 63 : a >> 1;
                run_case(r, number++);
            }
        }
    }

    void run_counts() {
        unsigned number = 0;
        for (unsigned count = 0; count < 256; count += count < 34 ? 1 : 13) {
            for (const u64 value : {kValues[2], kValues[4], kValues[5]}) {
                Registers r;
                r.gpr[kRM] = value;
                r.gpr[kReg] = kValues[number % std::size(kValues)];
                r.gpr[kRCX] = 0x5a00 | count;
                run_case(r, number++);
            }
        }
    }

    void run_case(Registers& r, unsigned number) {
        r.flags = kFlagsBefore[number % std::size(kFlagsBefore)];
        CPUState& state = cpu_->state;
        for (const u8 used : kUsed)
            state.gpr[used] = r.gpr[used];
        state.flags.bits = static_cast<u16>(r.flags);
        cpu_->exit = Exit::kNone;
        ops_[0].handler(*cpu_, ops_.data());
        if (cpu_->exit != Exit::kNone)
            return;  // a division that faults
        host_.run(r);
        flag_bits_ |= r.flags ^ state.flags.bits;
        for (const u8 used : kUsed)
            result_bits_ |= r.gpr[used] ^ state.gpr[used];
    }

    const Binder& binder_;
    NoPlatform platform_;
    std::unique_ptr<VCPU> cpu_;
    HostRunner host_;
    HostDifferences found_;
    // The present row and size.
    Encoding encoding_;
    u64 flag_bits_ = 0, result_bits_ = 0;  // 1 where the two were not the same
    bool executed_ = false;
    std::array<Op, 2> ops_{};
    std::array<u8, 16> padded_{};
};

}  // namespace

HostDifferences measure_host(MMU& mmu, const Binder& binder) {
    return SelfTest(mmu, binder).run();
}

}  // namespace uchronia::cpu::jit
