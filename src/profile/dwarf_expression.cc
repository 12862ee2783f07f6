#include "profile/dwarf_expression.h"

#include <vector>

#include "profile/dwarf_reader.h"

namespace uchronia::profile {
namespace {

constexpr cpu::Register kRegisters[] = {
    cpu::kRAX, cpu::kRDX, cpu::kRCX, cpu::kRBX, cpu::kRSI, cpu::kRDI, cpu::kRBP, cpu::kRSP,
    cpu::kR8,  cpu::kR9,  cpu::kR10, cpu::kR11, cpu::kR12, cpu::kR13, cpu::kR14, cpu::kR15,
};
constexpr u64 kReturnAddress = std::size(kRegisters);

// DW_OP_*.
enum Operation : u8 {
    kDereference = 0x06,
    kUnsigned1 = 0x08,
    kSigned1 = 0x09,
    kUnsigned2 = 0x0a,
    kSigned2 = 0x0b,
    kUnsigned4 = 0x0c,
    kSigned4 = 0x0d,
    kUnsigned8 = 0x0e,
    kSigned8 = 0x0f,
    kUnsigned = 0x10,
    kSigned = 0x11,
    kDuplicate = 0x12,
    kDrop = 0x13,
    kAnd = 0x1a,
    kMinus = 0x1c,
    kMultiply = 0x1e,
    kOr = 0x21,
    kPlus = 0x22,
    kPlusConstant = 0x23,
    kShiftLeft = 0x24,
    kShiftRight = 0x25,
    kEqual = 0x29,
    kGreaterOrEqual = 0x2a,
    kGreater = 0x2b,
    kLessOrEqual = 0x2c,
    kLess = 0x2d,
    kNotEqual = 0x2e,
    kLiteral0 = 0x30,
    kLiteral31 = 0x4f,
    kBase0 = 0x70,
    kBase31 = 0x8f,
    kNothing = 0x96,
};

constexpr std::size_t kDeepestStack = 64;

class Evaluation {
  public:
    Evaluation(GuestView& view, const Registers& registers) : view_(view), registers_(registers) {}

    void push(u64 value) { stack_.push_back(value); }
    std::optional<u64> top() const {
        return stack_.empty() ? std::nullopt : std::optional(stack_.back());
    }

    bool step(DWARFReader& reader) {
        const u8 operation = reader.number<u8>();
        const bool known =
            push_value(operation, reader) || combine(operation) || change_top(operation, reader);
        return known && reader.ok() && stack_.size() <= kDeepestStack;
    }

  private:
    bool push_value(u8 operation, DWARFReader& reader) {
        if (operation >= kLiteral0 && operation <= kLiteral31) {
            push(operation - kLiteral0);
            return true;
        }
        if (operation >= kBase0 && operation <= kBase31) {
            const std::optional<u64> base = dwarf_register(registers_, operation - kBase0);
            push(base.value_or(0) + static_cast<u64>(reader.sleb()));
            return base.has_value();
        }
        switch (operation) {
            case kUnsigned1:
                push(reader.number<u8>());
                return true;
            case kSigned1:
                push(static_cast<u64>(i64{reader.number<i8>()}));
                return true;
            case kUnsigned2:
                push(reader.number<u16>());
                return true;
            case kSigned2:
                push(static_cast<u64>(i64{reader.number<i16>()}));
                return true;
            case kUnsigned4:
                push(reader.number<u32>());
                return true;
            case kSigned4:
                push(static_cast<u64>(i64{reader.number<i32>()}));
                return true;
            case kUnsigned8:
            case kSigned8:
                push(reader.number<u64>());
                return true;
            case kUnsigned:
                push(reader.uleb());
                return true;
            case kSigned:
                push(static_cast<u64>(reader.sleb()));
                return true;
            default:
                return operation == kNothing;
        }
    }

    bool change_top(u8 operation, DWARFReader& reader) {
        if (stack_.empty())
            return false;
        u64& top = stack_.back();
        switch (operation) {
            case kDereference:
                return view_.load(top, top);
            case kPlusConstant:
                top += reader.uleb();
                return true;
            case kDuplicate:
                push(u64{top});
                return true;
            case kDrop:
                stack_.pop_back();
                return true;
            default:
                return false;
        }
    }

    // Two values become one.
    bool combine(u8 operation) {
        if (stack_.size() < 2)
            return false;
        const u64 b = stack_.back();
        const u64 a = stack_[stack_.size() - 2];
        const std::optional<u64> result = result_of(operation, a, b);
        if (!result)
            return false;
        stack_.pop_back();
        stack_.back() = *result;
        return true;
    }

    static std::optional<u64> result_of(u8 operation, u64 a, u64 b) {
        const i64 x = static_cast<i64>(a), y = static_cast<i64>(b);
        switch (operation) {
            case kAnd:
                return a & b;
            case kOr:
                return a | b;
            case kMinus:
                return a - b;
            case kMultiply:
                return a * b;
            case kPlus:
                return a + b;
            case kShiftLeft:
                return b < 64 ? a << b : 0;
            case kShiftRight:
                return b < 64 ? a >> b : 0;
            case kEqual:
                return a == b;
            case kNotEqual:
                return a != b;
            case kGreaterOrEqual:
                return x >= y;
            case kGreater:
                return x > y;
            case kLessOrEqual:
                return x <= y;
            case kLess:
                return x < y;
            default:
                return std::nullopt;
        }
    }

    GuestView& view_;
    const Registers& registers_;
    std::vector<u64> stack_;
};

}  // namespace

std::optional<u64> dwarf_register(const Registers& registers, u64 number) {
    if (number < std::size(kRegisters))
        return registers.gpr[kRegisters[number]];
    return number == kReturnAddress ? std::optional(registers.rip) : std::nullopt;
}

void set_dwarf_register(Registers& registers, u64 number, u64 value) {
    if (number < std::size(kRegisters))
        registers.gpr[kRegisters[number]] = value;
    else if (number == kReturnAddress)
        registers.rip = value;
}

std::optional<u64> evaluate(GuestView& view, Bytes expression, const Registers& registers,
                            std::optional<u64> initial) {
    Evaluation evaluation(view, registers);
    if (initial)
        evaluation.push(*initial);
    DWARFReader reader(expression, 0, 0);
    while (!reader.at_end()) {
        if (!evaluation.step(reader))
            return std::nullopt;
    }
    return reader.ok() ? evaluation.top() : std::nullopt;
}

}  // namespace uchronia::profile
