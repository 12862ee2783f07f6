#include "cpu/decode/encoding.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace uchronia::cpu {

namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> words;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(separator), text.size());
        if (end != 0)
            words.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return words;
}

std::optional<u8> hex_byte(std::string_view word) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    if (word.size() != 2)
        return std::nullopt;
    const std::size_t high = kDigits.find(word[0]), low = kDigits.find(word[1]);
    if (high == std::string_view::npos || low == std::string_view::npos)
        return std::nullopt;
    return static_cast<u8>(high * 16 + low);
}

struct NamedImmediate {
    std::string_view word;
    ImmediateKind kind;
};
constexpr NamedImmediate kImmediates[] = {
    {"ib", ImmediateKind::kByte},      {"iw", ImmediateKind::kWord},
    {"id", ImmediateKind::kDword},     {"iz", ImmediateKind::kZ},
    {"iv", ImmediateKind::kV},         {"cb", ImmediateKind::kRelativeByte},
    {"cz", ImmediateKind::kRelativeZ}, {"moffs", ImmediateKind::kAddress},
    {"is4", ImmediateKind::kRegister},
};

// One part of VEX.<L>.<pp>.<map>.<W>: what a word of it means.
template <class T>
struct Meaning {
    std::string_view word;
    T value;
};
constexpr Meaning<VectorLength> kLengths[] = {{"128", VectorLength::k128},
                                              {"256", VectorLength::k256},
                                              {"LIG", VectorLength::kAny},
                                              {"LZ", VectorLength::k128}};
constexpr Meaning<MandatoryPrefix> kVEXPrefixes[] = {{"NP", MandatoryPrefix::kNone},
                                                     {"66", MandatoryPrefix::k66},
                                                     {"F2", MandatoryPrefix::kF2},
                                                     {"F3", MandatoryPrefix::kF3}};
constexpr Meaning<OpcodeMap> kVEXMaps[] = {
    {"0F", OpcodeMap::kVEX0F}, {"0F38", OpcodeMap::kVEX0F38}, {"0F3A", OpcodeMap::kVEX0F3A}};
constexpr Meaning<RexW> kVEXWs[] = {{"WIG", RexW::kAny}, {"W0", RexW::k0}, {"W1", RexW::k1}};

template <class T, std::size_t N>
bool take_meaning(const Meaning<T> (&meanings)[N], std::string_view word, T& value) {
    for (const Meaning<T>& meaning : meanings) {
        if (meaning.word == word) {
            value = meaning.value;
            return true;
        }
    }
    return false;
}

// The words of the encoding string, from left to right.
class EncodingParser {
  public:
    explicit EncodingParser(std::string_view text) : words_(split(text, ' ')) {}

    bool parse(Encoding& encoding) {
        if (!words_.empty() && words_.front().starts_with("VEX.")) {
            if (!take_vex(encoding))
                return false;
        } else {
            take_prefixes(encoding);
            take_map(encoding);
        }
        if (!take_opcode(encoding))
            return false;
        while (!words_.empty()) {
            if (!take_detail(encoding, words_.front()))
                return false;
            words_.erase(words_.begin());
        }
        return true;
    }

  private:
    bool take(std::string_view word) {
        if (words_.empty() || words_.front() != word)
            return false;
        words_.erase(words_.begin());
        return true;
    }

    void take_prefixes(Encoding& encoding) {
        // A prefix byte is never an opcode, so that no row starts with one that it does not mean.
        constexpr std::pair<std::string_view, MandatoryPrefix> kPrefixes[] = {
            {"NP", MandatoryPrefix::kNone},      {"66", MandatoryPrefix::k66},
            {"F2", MandatoryPrefix::kF2},        {"F3", MandatoryPrefix::kF3},
            {"NFx", MandatoryPrefix::kNoRepeat},
        };
        for (const auto& [word, prefix] : kPrefixes)
            if (take(word))
                encoding.prefix = prefix;
        if (take("REX.W"))
            encoding.rex_w = RexW::k1;
        else if (take("REX.W0"))
            encoding.rex_w = RexW::k0;
    }

    bool take_vex(Encoding& encoding) {
        const std::vector<std::string_view> parts = split(words_.front(), '.');
        words_.erase(words_.begin());
        return parts.size() == 5 && take_meaning(kLengths, parts[1], encoding.length) &&
               take_meaning(kVEXPrefixes, parts[2], encoding.prefix) &&
               take_meaning(kVEXMaps, parts[3], encoding.map) &&
               take_meaning(kVEXWs, parts[4], encoding.rex_w);
    }

    void take_map(Encoding& encoding) {
        if (!take("0F"))
            return;
        encoding.map = OpcodeMap::k0F;
        if (words_.size() > 1 && take("38"))
            encoding.map = OpcodeMap::k0F38;
        else if (words_.size() > 1 && take("3A"))
            encoding.map = OpcodeMap::k0F3A;
    }

    bool take_opcode(Encoding& encoding) {
        if (words_.empty())
            return false;
        std::string_view word = words_.front();
        if (word.size() == 4 && word.ends_with("+r")) {
            encoding.opcode_register = true;
            word.remove_suffix(2);
        }
        const std::optional<u8> opcode = hex_byte(word);
        if (!opcode)
            return false;
        encoding.opcode = *opcode;
        words_.erase(words_.begin());
        return true;
    }

    static bool take_detail(Encoding& encoding, std::string_view word) {
        if (word == "+r") {
            encoding.opcode_register = true;
        } else if (word == "/r") {
            encoding.modrm = ModRMUse::kRegister;
        } else if (word.size() == 2 && word[0] == '/' && word[1] >= '0' && word[1] <= '7') {
            encoding.modrm = ModRMUse::kDigit;
            encoding.modrm_value = static_cast<u8>(word[1] - '0');
        } else if (word == "mem") {
            encoding.form = RMForm::kMemory;
        } else if (word == "reg") {
            encoding.form = RMForm::kRegister;
        } else if (const std::optional<u8> byte = hex_byte(word)) {
            encoding.modrm = ModRMUse::kWhole;
            encoding.modrm_value = *byte;
            encoding.form = RMForm::kRegister;
            return *byte >= 0xc0;
        } else {
            return take_immediate(encoding, word);
        }
        return true;
    }

    static bool take_immediate(Encoding& encoding, std::string_view word) {
        for (const NamedImmediate& named : kImmediates) {
            if (named.word != word)
                continue;
            const bool first = encoding.immediates[0] == ImmediateKind::kAbsent;
            encoding.immediates[first ? 0 : 1] = named.kind;
            return true;
        }
        return false;
    }

    std::vector<std::string_view> words_;
};

bool is_lower_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

// The register that an operand's letter stands for. kGeneral is kByte if the size is b.
struct OperandLetter {
    char letter;
    RegisterClass Encoding::*field;
    RegisterClass kind;
};
// clang-format off
constexpr OperandLetter kOperandLetters[] = {
    {'G', &Encoding::reg, RegisterClass::kGeneral},
    {'Z', &Encoding::reg, RegisterClass::kGeneral},
    {'V', &Encoding::reg, RegisterClass::kVector},
    {'P', &Encoding::reg, RegisterClass::kX87},
    {'S', &Encoding::reg, RegisterClass::kSegment},
    {'C', &Encoding::reg, RegisterClass::kControl},
    {'D', &Encoding::reg, RegisterClass::kDebug},
    {'E', &Encoding::rm, RegisterClass::kGeneral},
    {'R', &Encoding::rm, RegisterClass::kGeneral},
    {'W', &Encoding::rm, RegisterClass::kVector},
    {'U', &Encoding::rm, RegisterClass::kVector},
    {'Q', &Encoding::rm, RegisterClass::kX87},
    {'N', &Encoding::rm, RegisterClass::kX87},
    {'H', &Encoding::vvvv, RegisterClass::kVector},
    {'B', &Encoding::vvvv, RegisterClass::kGeneral},
};
// clang-format on

// Operands are an upper-case letter and a lower-case size; other words are fixed registers.
void add_operand(Encoding& encoding, std::string_view operand) {
    if (operand == "STi") {
        encoding.rm = RegisterClass::kX87;
        return;
    }
    if (operand.starts_with("vm")) {
        encoding.vsib = true;
        return;
    }
    const char letter = operand[0];
    const std::string_view size = operand.substr(1);
    if (!std::all_of(size.begin(), size.end(), is_lower_or_digit))
        return;
    encoding.implicit_address |= letter == 'X' || letter == 'Y' || letter == 'O';
    for (const OperandLetter& known : kOperandLetters) {
        if (known.letter != letter)
            continue;
        const bool byte = known.kind == RegisterClass::kGeneral && size == "b";
        encoding.*known.field = byte ? RegisterClass::kByte : known.kind;
    }
}

// Whether an operand depends on REX.W alone, and none on the operand size.
bool ignores_66(const std::vector<std::string_view>& words) {
    const auto has_size = [&](char size) {
        return std::any_of(words.begin() + 1, words.end(), [&](std::string_view operand) {
            return operand.size() == 2 && operand[0] != 'I' && operand[1] == size;
        });
    };
    return has_size('y') && !has_size('v') && !has_size('z');
}

// Instructions that use the address size but name no memory operand.
bool has_implicit_address(std::string_view mnemonic) {
    return mnemonic.starts_with("LOOP") || mnemonic.ends_with("CXZ") ||
           mnemonic.starts_with("XLAT") || mnemonic.starts_with("MASKMOV") ||
           mnemonic == "VMASKMOVDQU" || mnemonic == "MONITOR";
}

}  // namespace

Result<Encoding> parse_encoding(const InstructionRow& row) {
    Encoding encoding;
    if (!EncodingParser(row.encoding).parse(encoding))
        return Error{"the instruction table's row " + std::string(row.name) +
                     " has an encoding outside the grammar: \"" + std::string(row.encoding) + '"'};
    const std::vector<std::string_view> words = split(row.name, '_');
    for (std::size_t i = 1; i < words.size(); ++i)
        add_operand(encoding, words[i]);
    encoding.ignores_66 = ignores_66(words);
    encoding.implicit_address |= has_implicit_address(words[0]);
    encoding.mod_ignored =
        encoding.reg == RegisterClass::kControl || encoding.reg == RegisterClass::kDebug;
    if (encoding.mod_ignored)
        encoding.form = RMForm::kRegister;
    if ((row.attributes & attribute::kNoSIMDPrefix) != 0)
        encoding.ignores_66 = true;
    if (!is_vex(encoding.map) && (encoding.vvvv != RegisterClass::kAbsent || encoding.vsib))
        return Error{"the instruction table's row " + std::string(row.name) +
                     " has operands that only VEX can encode"};
    return encoding;
}

}  // namespace uchronia::cpu
