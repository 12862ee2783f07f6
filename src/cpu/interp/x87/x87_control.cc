// Control instructions of the x87: control and status words, initialisation, the environment and
// the whole state in memory (APM vol. 2, 11.4 and vol. 5).
//
// The memory format depends on the operand size and on protection: 14 or 28 bytes of environment.
// 64-bit mode uses the 32-bit protected format.
#include <array>
#include <cstring>

#include "cpu/interp/handlers.h"
#include "cpu/interp/x87/unit.h"

namespace uchronia::cpu::interp {
namespace x87 {
namespace {

// Tags of the full tag word.
enum class Tag : u16 { kValid, kZero, kSpecial, kEmpty };

Tag tag_of(const X87State& x, unsigned number) {
    if (((x.empty >> number) & 1) != 0)
        return Tag::kEmpty;
    const Number n = unpack(x.registers[number]);
    if (n.kind == Kind::kZero)
        return Tag::kZero;
    return n.kind == Kind::kFinite && !n.denormal ? Tag::kValid : Tag::kSpecial;
}

u16 tag_word(const X87State& x) {
    u16 tags = 0;
    for (unsigned i = 0; i < 8; ++i)
        tags = static_cast<u16>(tags | (static_cast<u16>(tag_of(x, i)) << (2 * i)));
    return tags;
}

void set_tag_word(X87State& x, u16 tags) {
    x.empty = 0;
    for (unsigned i = 0; i < 8; ++i)
        if (((tags >> (2 * i)) & 3) == 3)
            x.empty = static_cast<u8>(x.empty | (1u << i));
}

// The environment as it lies in memory: seven words or doublewords, control, status, tags,
// instruction pointer (2), data pointer (2).
using Environment = std::array<u32, 7>;

// In real mode the pointers are linear addresses, split over both of their fields.
bool real_mode(const VCPU& cpu) {
    return (cpu.state.cr0 & cr0::kPE) == 0;
}

Environment environment_of(const VCPU& cpu, bool wide) {
    const X87State& x = cpu.state.x87;
    const u32 upper = wide ? 0xffff0000 : 0;
    const u32 instruction = static_cast<u32>(x.instruction), data = static_cast<u32>(x.data);
    Environment e{x.control | upper, x.status | upper, tag_word(x) | upper};
    if (real_mode(cpu)) {
        e[3] = (instruction & 0xffff) | upper;
        e[4] = ((instruction >> 4) & 0x0ffff000) | x.opcode;
        e[5] = (data & 0xffff) | upper;
        e[6] = (data >> 4) & 0x0ffff000;
    } else {
        e[3] = instruction;
        e[4] = static_cast<u32>(x.opcode) << 16;  // with a 0 selector; cut off in the 16-bit format
        e[5] = data;
        e[6] = upper;
    }
    return e;
}

void set_environment(VCPU& cpu, bool wide, const Environment& e) {
    X87State& x = cpu.state.x87;
    x.control = normalised_control(static_cast<u16>(e[0]));
    x.status = static_cast<u16>(e[1]);
    set_tag_word(x, static_cast<u16>(e[2]));
    if (real_mode(cpu)) {
        x.instruction = (e[3] & 0xffff) | ((e[4] & 0x0ffff000) << 4);
        x.opcode = e[4] & 0x7ff;
        x.data = (e[5] & 0xffff) | ((e[6] & 0x0ffff000) << 4);
    } else {
        x.instruction = e[3];
        x.opcode = wide ? (e[4] >> 16) & 0x7ff : 0;
        x.data = e[5];
    }
    update_summary(x);
}

// The environment and, for FNSAVE and FRSTOR, the registers in stack order.
struct Image {
    std::array<u8, 28 + 80> bytes;
    u32 size;
};

void write_environment(Image& image, const Environment& e, bool wide) {
    const u32 field = wide ? 4 : 2;
    for (const u32 value : e) {
        std::memcpy(image.bytes.data() + image.size, &value, field);
        image.size += field;
    }
}

Environment read_environment(const Image& image, bool wide) {
    Environment e{};
    const u32 field = wide ? 4 : 2;
    for (unsigned i = 0; i < e.size(); ++i)
        std::memcpy(&e[i], image.bytes.data() + i * field, field);
    return e;
}

bool is_wide(const Op* op) {
    return (op->flags & op_flag::kOperand16) == 0;
}

constexpr u32 environment_size(bool wide) {
    return wide ? 28 : 14;
}

[[gnu::noinline]] bool store_environment(VCPU& cpu, const Op* op) {
    if (!available(cpu, op))
        return false;
    Image image{{}, 0};
    write_environment(image, environment_of(cpu, is_wide(op)), is_wide(op));
    if (!write_bytes(cpu, op, linear_address(cpu, op, Access::kWrite), image.bytes.data(),
                     image.size))
        return false;
    X87State& x = cpu.state.x87;
    x.control |= exception::kAll;
    update_summary(x);
    return true;
}

[[gnu::noinline]] bool load_environment(VCPU& cpu, const Op* op) {
    Image image{{}, environment_size(is_wide(op))};
    if (!waiting(cpu, op) ||
        !read_bytes(cpu, op, linear_address(cpu, op), image.bytes.data(), image.size))
        return false;
    set_environment(cpu, is_wide(op), read_environment(image, is_wide(op)));
    return true;
}

[[gnu::noinline]] bool save(VCPU& cpu, const Op* op) {
    if (!available(cpu, op))
        return false;
    X87State& x = cpu.state.x87;
    Image image{{}, 0};
    write_environment(image, environment_of(cpu, is_wide(op)), is_wide(op));
    for (unsigned i = 0; i < 8; ++i, image.size += 10) {
        std::memcpy(image.bytes.data() + image.size, &st(x, i).mantissa, 8);
        std::memcpy(image.bytes.data() + image.size + 8, &st(x, i).exponent, 2);
    }
    if (!write_bytes(cpu, op, linear_address(cpu, op, Access::kWrite), image.bytes.data(),
                     image.size))
        return false;
    initialise(x);
    return true;
}

[[gnu::noinline]] bool restore(VCPU& cpu, const Op* op) {
    const u32 registers = environment_size(is_wide(op));
    Image image{{}, registers + 80};
    if (!waiting(cpu, op) ||
        !read_bytes(cpu, op, linear_address(cpu, op), image.bytes.data(), image.size))
        return false;
    set_environment(cpu, is_wide(op), read_environment(image, is_wide(op)));
    X87State& x = cpu.state.x87;
    for (unsigned i = 0; i < 8; ++i) {
        Extended& value = x.registers[physical(x, i)];
        std::memcpy(&value.mantissa, image.bytes.data() + registers + 10 * i, 8);
        std::memcpy(&value.exponent, image.bytes.data() + registers + 10 * i + 8, 2);
    }
    return true;
}

void load_control(VCPU& cpu, const Op* op) {
    u16 value;
    if (!waiting(cpu, op) || !read_memory(cpu, op, linear_address(cpu, op), value))
        return;
    cpu.state.x87.control = normalised_control(value);
    update_summary(cpu.state.x87);
    return next(cpu, op);
}

void store_control(VCPU& cpu, const Op* op) {
    if (!available(cpu, op) ||
        !write_memory(cpu, op, linear_address(cpu, op, Access::kWrite), cpu.state.x87.control))
        return;
    return next(cpu, op);
}

void store_status(VCPU& cpu, const Op* op) {
    if (!available(cpu, op) ||
        !write_memory(cpu, op, linear_address(cpu, op, Access::kWrite), cpu.state.x87.status))
        return;
    return next(cpu, op);
}

void status_to_ax(VCPU& cpu, const Op* op) {
    if (!available(cpu, op))
        return;
    set_register<u16>(cpu, 8 * kRAX, cpu.state.x87.status);
    return next(cpu, op);
}

void clear_exceptions(VCPU& cpu, const Op* op) {
    if (!available(cpu, op))
        return;
    X87State& x = cpu.state.x87;
    x.status &= static_cast<u16>(~(exception::kAll | status::kStackFault));
    update_summary(x);
    return next(cpu, op);
}

void initialise_unit(VCPU& cpu, const Op* op) {
    if (!available(cpu, op))
        return;
    initialise(cpu.state.x87);
    return next(cpu, op);
}

// FNOP waits; FNENI, FNDISI and FNSETPM are left over from the 8087 and 80287 and do nothing.
void no_operation(VCPU& cpu, const Op* op) {
    if (!waiting(cpu, op))
        return;
    note_instruction(cpu, op);
    return next(cpu, op);
}

void nothing(VCPU& cpu, const Op* op) {
    if (!available(cpu, op))
        return;
    return next(cpu, op);
}

// FWAIT looks at CR0.MP and TS, not at EM.
void wait(VCPU& cpu, const Op* op) {
    constexpr u64 kBoth = cr0::kMP | cr0::kTS;
    if ((cpu.state.cr0 & kBoth) == kBoth)
        return cpu.raise(op, Vector::kNM);
    if ((cpu.state.x87.status & status::kSummary) != 0)
        return cpu.raise(op, Vector::kMF);
    return next(cpu, op);
}

}  // namespace
}  // namespace x87

namespace handler {

const HandlerSet FNSTENV_m = always(x87::run<x87::store_environment>);
const HandlerSet FLDENV_m = always(x87::run<x87::load_environment>);
const HandlerSet FNSAVE_m = always(x87::run<x87::save>);
const HandlerSet FRSTOR_m = always(x87::run<x87::restore>);
const HandlerSet FLDCW_m16 = always(x87::load_control);
const HandlerSet FNSTCW_m16 = always(x87::store_control);
const HandlerSet FNSTSW_m16 = always(x87::store_status);
const HandlerSet FNSTSW_AX = always(x87::status_to_ax);
const HandlerSet FNCLEX = always(x87::clear_exceptions);
const HandlerSet FNINIT = always(x87::initialise_unit);
const HandlerSet FNOP = always(x87::no_operation);
const HandlerSet FNENI = always(x87::nothing);
const HandlerSet FNDISI = always(x87::nothing);
const HandlerSet FNSETPM = always(x87::nothing);
const HandlerSet FWAIT = always(x87::wait);

}  // namespace handler
}  // namespace uchronia::cpu::interp
