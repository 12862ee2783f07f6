#include "profile/frame_rules.h"

#include "profile/dwarf_expression.h"

namespace uchronia::profile {
namespace {

// DW_CFA_*: the upper two bits, or the whole byte.
enum Instruction : u8 {
    kAdvance = 1,
    kOffset = 2,
    kRestore = 3,

    kNothing = 0x00,
    kSetLocation = 0x01,
    kAdvance1 = 0x02,
    kAdvance2 = 0x03,
    kAdvance4 = 0x04,
    kOffsetExtended = 0x05,
    kRestoreExtended = 0x06,
    kUndefinedRegister = 0x07,
    kSameValue = 0x08,
    kCopyOfRegister = 0x09,
    kRememberState = 0x0a,
    kRestoreState = 0x0b,
    kDefineFrame = 0x0c,
    kDefineFrameRegister = 0x0d,
    kDefineFrameOffset = 0x0e,
    kDefineFrameExpression = 0x0f,
    kExpressionOfRegister = 0x10,
    kOffsetSigned = 0x11,
    kDefineFrameSigned = 0x12,
    kDefineFrameOffsetSigned = 0x13,
    kValueOffset = 0x14,
    kValueOffsetSigned = 0x15,
    kValueExpression = 0x16,
    kArgumentsSize = 0x2e,
};

constexpr std::size_t kMostRemembered = 64;
// More than any function has.
constexpr unsigned kMostInstructions = 100'000;
constexpr u64 kReturnAddress = 16;

}  // namespace

void FrameRules::set(u64 number, const Rule& rule) {
    if (number < kRegisterCount)
        row_.rules[number] = rule;
}

bool FrameRules::run(u64 offset, u64 end, u64 location, u64 target) {
    location_ = location;
    DWARFReader reader(part_of(section_, 0, end), address_, offset);
    for (unsigned i = 0; !reader.at_end(); ++i) {
        if (i == kMostInstructions)
            return false;
        const u8 byte = reader.number<u8>();
        const u8 low = byte & 0x3f;
        switch (byte >> 6) {
            case kAdvance:
                location_ += low * code_factor_;
                break;
            case kOffset:
                set(low, {.how = How::kAt, .offset = factored(reader.uleb())});
                break;
            case kRestore:
                if (low < kRegisterCount)
                    row_.rules[low] = initial_.rules[low];
                break;
            default:
                if (!execute(byte, reader))
                    return false;
        }
        if (location_ > target)
            return reader.ok();
    }
    return reader.ok();
}

bool FrameRules::execute(u8 opcode, DWARFReader& reader) {
    switch (opcode) {
        case kNothing:
            return true;
        case kAdvance1:
            location_ += reader.number<u8>() * code_factor_;
            return true;
        case kAdvance2:
            location_ += reader.number<u16>() * code_factor_;
            return true;
        case kAdvance4:
            location_ += reader.number<u32>() * code_factor_;
            return true;
        case kRememberState:
            stack_.push_back(row_);
            return stack_.size() <= kMostRemembered;
        case kRestoreState:
            if (stack_.empty())
                return false;
            row_ = stack_.back();
            stack_.pop_back();
            return true;
        case kArgumentsSize:
            reader.uleb();
            return true;
        case kSetLocation:  // no compiler for AMD64 writes it
            return false;
        default:
            return execute_frame_address(opcode, reader) || execute_register(opcode, reader);
    }
}

bool FrameRules::execute_frame_address(u8 opcode, DWARFReader& reader) {
    switch (opcode) {
        case kDefineFrame:
            row_.expression = {};
            row_.base = reader.uleb();
            row_.offset = static_cast<i64>(reader.uleb());
            return true;
        case kDefineFrameSigned:
            row_.expression = {};
            row_.base = reader.uleb();
            row_.offset = reader.sleb() * data_factor_;
            return true;
        case kDefineFrameRegister:
            row_.expression = {};
            row_.base = reader.uleb();
            return true;
        case kDefineFrameOffset:
            row_.offset = static_cast<i64>(reader.uleb());
            return true;
        case kDefineFrameOffsetSigned:
            row_.offset = reader.sleb() * data_factor_;
            return true;
        case kDefineFrameExpression:
            row_.expression = reader.block(reader.uleb());
            return true;
        default:
            return false;
    }
}

bool FrameRules::execute_register(u8 opcode, DWARFReader& reader) {
    const u64 number = reader.uleb();
    switch (opcode) {
        case kOffsetExtended:
            set(number, {.how = How::kAt, .offset = factored(reader.uleb())});
            return true;
        case kOffsetSigned:
            set(number, {.how = How::kAt, .offset = reader.sleb() * data_factor_});
            return true;
        case kValueOffset:
            set(number, {.how = How::kValue, .offset = factored(reader.uleb())});
            return true;
        case kValueOffsetSigned:
            set(number, {.how = How::kValue, .offset = reader.sleb() * data_factor_});
            return true;
        case kRestoreExtended:
            if (number < kRegisterCount)
                row_.rules[number] = initial_.rules[number];
            return true;
        case kUndefinedRegister:
            set(number, {.how = How::kUndefined});
            return true;
        case kSameValue:
            set(number, {});
            return true;
        case kCopyOfRegister:
            set(number, {.how = How::kRegister, .from = reader.uleb()});
            return true;
        case kExpressionOfRegister:
            set(number, {.how = How::kAtExpression, .expression = reader.block(reader.uleb())});
            return true;
        case kValueExpression:
            set(number, {.how = How::kExpression, .expression = reader.block(reader.uleb())});
            return true;
        default:
            return false;
    }
}

std::optional<u64> FrameRules::value_of(GuestView& view, const Rule& rule, u64 frame, u64 old,
                                        const Registers& registers) const {
    std::optional<u64> address = frame + static_cast<u64>(rule.offset);
    switch (rule.how) {
        case How::kSame:
            return old;
        case How::kUndefined:
            return std::nullopt;
        case How::kValue:
            return address;
        case How::kRegister:
            return dwarf_register(registers, rule.from);
        case How::kExpression:
            return evaluate(view, rule.expression, registers, frame);
        case How::kAtExpression:
            address = evaluate(view, rule.expression, registers, frame);
            break;
        case How::kAt:
            break;
    }
    u64 value = 0;
    if (!address || !view.load(*address, value))
        return std::nullopt;
    return value;
}

bool FrameRules::apply(GuestView& view, u64 return_register, Registers& registers) const {
    std::optional<u64> frame;
    if (!row_.expression.empty())
        frame = evaluate(view, row_.expression, registers, std::nullopt);
    else if (const std::optional<u64> base = dwarf_register(registers, row_.base))
        frame = *base + static_cast<u64>(row_.offset);
    if (!frame || return_register != kReturnAddress)
        return false;
    Registers caller = registers;
    // The stack pointer is the frame's address, if no rule says otherwise.
    caller.gpr[cpu::kRSP] = *frame;
    for (u64 number = 0; number < kRegisterCount; ++number) {
        const Rule& rule = row_.rules[number];
        if (rule.how == How::kSame)
            continue;
        const std::optional<u64> value =
            value_of(view, rule, *frame, *dwarf_register(registers, number), registers);
        // Of a lost register nothing may depend; but without a return address there is no caller.
        if (!value && number == kReturnAddress)
            return false;
        set_dwarf_register(caller, number, value.value_or(0));
    }
    if (row_.rules[kReturnAddress].how == How::kSame)
        return false;
    registers = caller;
    return true;
}

}  // namespace uchronia::profile
