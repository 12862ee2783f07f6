#include "tests/fuzz/instructions.h"

#include "base/check.h"
#include "cpu/decode/encoding.h"
#include "cpu/state.h"
#include "devices/acpi_power.h"
#include "devices/cmos_rtc.h"
#include "devices/pci_configuration.h"
#include "devices/uart_16550.h"

namespace uchronia::fuzz {
namespace {

using namespace cpu;

struct Row {
    Encoding encoding;
    u16 attributes;
};

struct Rows {
    std::vector<Row> integer, other;
};

const Rows& rows() {
    static const Rows result = [] {
        Rows made;
        for (u16 i = 1; i < static_cast<u16>(Instruction::kCount); ++i) {
            const InstructionRow& row = row_of(static_cast<Instruction>(i));
            const Result<Encoding> encoding = parse_encoding(row);
            CHECK(encoding.ok());
            auto& list = row.feature == Feature::kBase ? made.integer : made.other;
            list.push_back({*encoding, row.attributes});
        }
        return made;
    }();
    return result;
}

class Writer {
  public:
    Writer(Input& input, const Places& places, u64 address, std::vector<u8>& code)
        : input_(input), places_(places), address_(address), code_(code) {}

    void write() {
        switch (input_.below(16)) {
            case 0:
                return write_device_idiom();
            case 1:
                return write_store_idiom();
            case 2:
                return write_bytes();
            default:
                return write_row(input_.pick(input_.percent(60) ? rows().integer : rows().other));
        }
    }

  private:
    void put(u64 value, unsigned size) {
        for (unsigned i = 0; i < size; ++i)
            code_.push_back(static_cast<u8>(value >> (8 * i)));
    }
    void load(Register reg, u64 value) {
        put(reg >= 8 ? 0x49 : 0x48, 1);
        put(0xb8 + (reg & 7), 1);
        put(value, 8);
    }

    void write_bytes() {
        for (u64 count = 1 + input_.below(6); count != 0; --count)
            put(input_.byte(), 1);
    }

    // IN, OUT, RDMSR, WRMSR and hypercalls, with arguments that mean something.
    void write_device_idiom() {
        static constexpr u16 kPorts[] = {devices::UART16550::kCOM1,
                                         devices::ACPIPower::kDefaultBase,
                                         devices::CMOSRTC::kDefaultBase,
                                         devices::CMOSRTC::kDefaultBase + 1,
                                         devices::PCIConfiguration::kDefaultBase,
                                         devices::PCIConfiguration::kDefaultBase + 4};
        static constexpr u32 kMSRs[] = {0x10,  0x1b,       0x174,      0x200,      0x277,
                                        0x2ff, 0x6e0,      0x800,      0x808,      0x830,
                                        0x838, 0xc0000080, 0xc0000081, 0xc0000100, 0xc0000102,
                                        0x11,  0x12,       0x4b564d00, 0x4b564d01};
        switch (input_.below(3)) {
            case 0:
                load(kRDX, input_.pick(kPorts) + input_.below(8));
                load(kRAX, input_.word(4));
                put(0xec + input_.below(4), 1);
                return;
            case 1:
                load(kRCX, input_.pick(kMSRs) + (input_.percent(30) ? input_.below(64) : 0));
                load(kRAX, input_.percent(50) ? input_.pick(places_.data) : input_.word(4));
                load(kRDX, input_.percent(70) ? 0 : input_.word(4));
                put(input_.percent(70) ? 0x300f : 0x320f, 2);
                return;
            default:
                load(kRAX, input_.below(19));
                load(kRDI, input_.percent(40) ? input_.below(4) : input_.pick(places_.data));
                load(kRSI, input_.percent(40) ? input_.below(0x3000) : input_.pick(places_.data));
                load(kRDX, input_.below(0x3000));
                put(0x040f, 2);
                return;
        }
    }

    // A store to a page table, to code or to a device register.
    void write_store_idiom() {
        u64 value = input_.word();
        u64 target = input_.pick(places_.data) + input_.below(0x400);
        switch (input_.below(4)) {
            case 0:
                target = input_.pick(places_.page_table_entries) + 8 * input_.below(16);
                value = (input_.below(64) << kPageBits) | (input_.byte() | 1);
                break;
            case 1:
                target = input_.pick(places_.code) + input_.below(64);
                break;
            case 2:
                value &= 0xffff'ffff;
                break;
            default:
                break;
        }
        load(kRBX, target);
        load(kRSI, value);
        switch (input_.below(3)) {
            case 0:
                return put(0x338948, 3);  // MOV [RBX], RSI
            case 1:
                return put(0x3389, 2);  // MOV [RBX], ESI
            default:
                return put(0x3387f0, 3);  // LOCK XCHG [RBX], ESI
        }
    }

    void write_row(const Row& row) {
        const Encoding& encoding = row.encoding;
        if (is_vex(encoding.map))
            write_vex(encoding);
        else
            write_prefixes(row);
        put(encoding.opcode + (encoding.opcode_register ? input_.below(8) : 0), 1);
        write_modrm(encoding);
        for (const ImmediateKind kind : encoding.immediates)
            write_immediate(kind);
    }

    void write_prefixes(const Row& row) {
        static constexpr u8 kPrefixes[] = {0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x2e, 0x64, 0x65};
        if (input_.percent(12))
            put(input_.pick(kPrefixes), 1);
        if ((row.attributes & attribute::kRepeat) != 0 && input_.percent(60))
            put(input_.percent(50) ? 0xf3 : 0xf2, 1);
        switch (row.encoding.prefix) {
            case MandatoryPrefix::k66:
                put(0x66, 1);
                break;
            case MandatoryPrefix::kF2:
                put(0xf2, 1);
                break;
            case MandatoryPrefix::kF3:
                put(0xf3, 1);
                break;
            default:
                break;
        }
        wide_ = row.encoding.rex_w == RexW::k1 || input_.percent(30);
        if (wide_ || input_.percent(30))
            put(0x40 | (wide_ ? 8 : 0) | input_.below(8), 1);
        const OpcodeMap map = row.encoding.map;
        if (map != OpcodeMap::kOneByte)
            put(0x0f, 1);
        if (map == OpcodeMap::k0F38)
            put(0x38, 1);
        if (map == OpcodeMap::k0F3A)
            put(0x3a, 1);
    }

    // VEX with three bytes; what the row leaves open comes from the input.
    void write_vex(const Encoding& encoding) {
        static constexpr u8 kPrefixes[] = {0x67, 0x64, 0x65, 0x2e};
        if (input_.percent(12))
            put(input_.pick(kPrefixes), 1);
        put(0xc4, 1);
        const u64 map = 1 + static_cast<u64>(encoding.map) - static_cast<u64>(OpcodeMap::kVEX0F);
        put(input_.below(8) << 5 | map, 1);
        wide_ = encoding.rex_w == RexW::k1 || (encoding.rex_w == RexW::kAny && input_.percent(30));
        const bool l = encoding.length == VectorLength::k256 ||
                       (encoding.length == VectorLength::kAny && input_.percent(30));
        const u64 vvvv = encoding.vvvv == RegisterClass::kAbsent ? 15 : input_.below(16);
        const u64 pp = encoding.prefix == MandatoryPrefix::k66   ? 1
                       : encoding.prefix == MandatoryPrefix::kF3 ? 2
                       : encoding.prefix == MandatoryPrefix::kF2 ? 3
                                                                 : 0;
        put((wide_ ? 0x80 : 0) | vvvv << 3 | (l ? 4 : 0) | pp, 1);
    }

    void write_modrm(const Encoding& encoding) {
        if (encoding.modrm == ModRMUse::kAbsent)
            return;
        if (encoding.modrm == ModRMUse::kWhole)
            return put(encoding.modrm_value, 1);
        const u64 reg = encoding.modrm == ModRMUse::kDigit ? encoding.modrm_value : input_.below(8);
        u64 mode = encoding.form == RMForm::kRegister ? 3 : input_.below(4);
        if (encoding.form == RMForm::kMemory && mode == 3)
            mode = 0;
        const u64 rm = encoding.vsib ? 4 : input_.below(8);
        put(mode << 6 | reg << 3 | rm, 1);
        if (mode == 3)
            return;
        u64 base = rm;
        if (rm == 4) {
            const u64 sib = input_.byte();
            put(sib, 1);
            base = sib & 7;
        }
        if (mode == 1)
            put(input_.byte(), 1);
        else if (mode == 2 || (mode == 0 && base == 5))
            put(near(), 4);
    }

    // A displacement: small, or from here to code or data.
    u64 near() {
        const u64 here = address_ + code_.size() + 4;
        switch (input_.below(4)) {
            case 0:
                return input_.pick(places_.code) - here;
            case 1:
                return input_.pick(places_.data) - here;
            default:
                return input_.below(0x2000) - 0x1000;
        }
    }

    void write_immediate(ImmediateKind kind) {
        switch (kind) {
            case ImmediateKind::kAbsent:
                return;
            case ImmediateKind::kByte:
            case ImmediateKind::kRegister:
            case ImmediateKind::kRelativeByte:
                return put(input_.byte(), 1);
            case ImmediateKind::kWord:
                return put(input_.word(2), 2);
            case ImmediateKind::kDword:
            case ImmediateKind::kZ:
                return put(input_.word(4), 4);
            case ImmediateKind::kV:
                return put(input_.word(), wide_ ? 8 : 4);
            case ImmediateKind::kRelativeZ:
                return put(input_.pick(places_.code) - (address_ + code_.size() + 4), 4);
            case ImmediateKind::kAddress:
                return put(input_.pick(places_.data) + input_.below(0x1000), 8);
        }
    }

    Input& input_;
    const Places& places_;
    const u64 address_;
    std::vector<u8>& code_;
    bool wide_ = false;
};

}  // namespace

void append_code(Input& input, const Places& places, u64 address, std::vector<u8>& code) {
    Writer(input, places, address, code).write();
}

}  // namespace uchronia::fuzz
