#include "debug/registers.h"

#include <algorithm>
#include <cstring>

namespace uchronia::debug {
namespace {

struct RegisterKind {
    std::string name;
    unsigned bits;
    const char* type;  // null: an integer
};
struct Feature {
    const char* name;
    const char* types;  // definitions that its registers use
    std::vector<RegisterKind> registers;
};

constexpr char kFlagTypes[] =
    "<flags id=\"eflags\" size=\"4\">"
    "<field name=\"CF\" start=\"0\" end=\"0\"/><field name=\"PF\" start=\"2\" end=\"2\"/>"
    "<field name=\"AF\" start=\"4\" end=\"4\"/><field name=\"ZF\" start=\"6\" end=\"6\"/>"
    "<field name=\"SF\" start=\"7\" end=\"7\"/><field name=\"TF\" start=\"8\" end=\"8\"/>"
    "<field name=\"IF\" start=\"9\" end=\"9\"/><field name=\"DF\" start=\"10\" end=\"10\"/>"
    "<field name=\"OF\" start=\"11\" end=\"11\"/><field name=\"NT\" start=\"14\" end=\"14\"/>"
    "<field name=\"RF\" start=\"16\" end=\"16\"/><field name=\"AC\" start=\"18\" end=\"18\"/>"
    "<field name=\"ID\" start=\"21\" end=\"21\"/></flags>";

constexpr char kVectorTypes[] =
    "<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/>"
    "<vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/>"
    "<vector id=\"v16i8\" type=\"int8\" count=\"16\"/>"
    "<vector id=\"v8i16\" type=\"int16\" count=\"8\"/>"
    "<vector id=\"v4i32\" type=\"int32\" count=\"4\"/>"
    "<vector id=\"v2i64\" type=\"int64\" count=\"2\"/>"
    "<union id=\"vec128\"><field name=\"v4_float\" type=\"v4f\"/>"
    "<field name=\"v2_double\" type=\"v2d\"/><field name=\"v16_int8\" type=\"v16i8\"/>"
    "<field name=\"v8_int16\" type=\"v8i16\"/><field name=\"v4_int32\" type=\"v4i32\"/>"
    "<field name=\"v2_int64\" type=\"v2i64\"/><field name=\"uint128\" type=\"uint128\"/></union>"
    "<flags id=\"mxcsr\" size=\"4\">"
    "<field name=\"IE\" start=\"0\" end=\"0\"/><field name=\"DE\" start=\"1\" end=\"1\"/>"
    "<field name=\"ZE\" start=\"2\" end=\"2\"/><field name=\"OE\" start=\"3\" end=\"3\"/>"
    "<field name=\"UE\" start=\"4\" end=\"4\"/><field name=\"PE\" start=\"5\" end=\"5\"/>"
    "<field name=\"DAZ\" start=\"6\" end=\"6\"/><field name=\"IM\" start=\"7\" end=\"7\"/>"
    "<field name=\"DM\" start=\"8\" end=\"8\"/><field name=\"ZM\" start=\"9\" end=\"9\"/>"
    "<field name=\"OM\" start=\"10\" end=\"10\"/><field name=\"UM\" start=\"11\" end=\"11\"/>"
    "<field name=\"PM\" start=\"12\" end=\"12\"/><field name=\"FZ\" start=\"15\" end=\"15\"/>"
    "</flags>";

// gdb's order of the general registers, by their numbers in instructions.
constexpr unsigned kGeneralOrder[] = {
    cpu::kRAX, cpu::kRBX, cpu::kRCX, cpu::kRDX, cpu::kRSI, cpu::kRDI, cpu::kRBP, cpu::kRSP,
    8,         9,         10,        11,        12,        13,        14,        15};
constexpr const char* kGeneralNames[] = {"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp",
                                         "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
constexpr cpu::SegmentRegister kSegmentOrder[] = {cpu::kCS, cpu::kSS, cpu::kDS,
                                                  cpu::kES, cpu::kFS, cpu::kGS};
constexpr const char* kSegmentNames[] = {"cs", "ss", "ds", "es", "fs", "gs"};

// Offsets in the FXSAVE area.
constexpr std::size_t kControl = 0, kStatus = 2, kTags = 4, kOpcode = 6, kInstruction = 8,
                      kData = 16, kMXCSR = 24, kStack = 32, kXMM = 160, kAVX = 576;

Feature core_feature() {
    Feature core{"org.gnu.gdb.i386.core", kFlagTypes, {}};
    for (const char* name : kGeneralNames)
        core.registers.push_back(
            {name, 64,
             name == std::string("rbp") || name == std::string("rsp") ? "data_ptr" : "int64"});
    core.registers.push_back({"rip", 64, "code_ptr"});
    core.registers.push_back({"eflags", 32, "eflags"});
    for (const char* name : kSegmentNames)
        core.registers.push_back({name, 32, "int32"});
    for (unsigned i = 0; i < 8; ++i)
        core.registers.push_back({"st" + std::to_string(i), 80, "i387_ext"});
    for (const char* name : {"fctrl", "fstat", "ftag", "fiseg", "fioff", "foseg", "fooff", "fop"})
        core.registers.push_back({name, 32, "int"});
    return core;
}

std::vector<Feature> make_features() {
    Feature sse{"org.gnu.gdb.i386.sse", kVectorTypes, {}};
    Feature avx{"org.gnu.gdb.i386.avx", "", {}};
    for (unsigned i = 0; i < 16; ++i) {
        sse.registers.push_back({"xmm" + std::to_string(i), 128, "vec128"});
        avx.registers.push_back({"ymm" + std::to_string(i) + "h", 128, "uint128"});
    }
    sse.registers.push_back({"mxcsr", 32, "mxcsr"});
    return {core_feature(),
            std::move(sse),
            {"org.gnu.gdb.i386.linux", "", {{"orig_rax", 64, "int"}}},
            {"org.gnu.gdb.i386.segments", "", {{"fs_base", 64, "int"}, {"gs_base", 64, "int"}}},
            std::move(avx),
            {"org.uchronia.control",
             "",
             {{"cr0", 64, "int64"},
              {"cr2", 64, "data_ptr"},
              {"cr3", 64, "int64"},
              {"cr4", 64, "int64"},
              {"cr8", 64, "int64"},
              {"efer", 64, "int64"}}}};
}

const std::vector<Feature>& features() {
    static const std::vector<Feature> all = make_features();
    return all;
}

class Bytes {
  public:
    void add(const void* data, std::size_t size) {
        const u8* const bytes = static_cast<const u8*>(data);
        bytes_.insert(bytes_.end(), bytes, bytes + size);
    }
    void add64(u64 value) { add(&value, sizeof value); }
    void add32(u64 value) {
        const u32 low = static_cast<u32>(value);
        add(&low, sizeof low);
    }
    std::vector<u8> take() { return std::move(bytes_); }

  private:
    std::vector<u8> bytes_;
};

template <class T>
T at(const std::array<u8, 512>& area, std::size_t offset) {
    T value;
    std::memcpy(&value, area.data() + offset, sizeof value);
    return value;
}
template <class T>
void put(std::array<u8, 512>& area, std::size_t offset, T value) {
    std::memcpy(area.data() + offset, &value, sizeof value);
}

// Two bits for each register, by physical number: 3 is empty. What kind of number the others have
// is left out, as gdb looks for itself.
u16 full_tags(u8 abridged) {
    u16 tags = 0;
    for (unsigned i = 0; i < 8; ++i)
        tags = static_cast<u16>(tags | ((abridged >> i & 1) != 0 ? 0 : 3u << (2 * i)));
    return tags;
}

void add_x87(Bytes& bytes, const std::array<u8, 512>& area) {
    for (unsigned i = 0; i < 8; ++i)
        bytes.add(area.data() + kStack + 16 * i, 10);
    const u64 instruction = at<u64>(area, kInstruction), data = at<u64>(area, kData);
    bytes.add32(at<u16>(area, kControl));
    bytes.add32(at<u16>(area, kStatus));
    bytes.add32(full_tags(at<u8>(area, kTags)));
    bytes.add32(instruction >> 32 & 0xffff);
    bytes.add32(instruction);
    bytes.add32(data >> 32 & 0xffff);
    bytes.add32(data);
    bytes.add32(at<u16>(area, kOpcode));
}

}  // namespace

RegisterValues registers_of(const cpu::CPUState& state, u64 task_priority) {
    RegisterValues values;
    std::copy_n(state.gpr.begin(), values.gpr.size(), values.gpr.begin());
    values.rip = state.rip;
    values.rflags = state.rflags();
    for (unsigned i = 0; i < values.selectors.size(); ++i)
        values.selectors[i] = state.segments[i].selector;
    const cpu::X87State& x87 = state.x87;
    put(values.legacy, kControl, x87.control);
    put(values.legacy, kStatus, x87.status);
    put(values.legacy, kTags, static_cast<u8>(~x87.empty));
    put(values.legacy, kOpcode, x87.opcode);
    put(values.legacy, kInstruction, x87.instruction);
    put(values.legacy, kData, x87.data);
    put(values.legacy, kMXCSR, state.mxcsr);
    for (unsigned i = 0; i < 8; ++i) {
        const auto& extended = x87.registers[(x87.top() + i) & 7u];
        put(values.legacy, kStack + 16 * i, extended.mantissa);
        put(values.legacy, kStack + 16 * i + 8, extended.exponent);
    }
    for (unsigned i = 0; i < 16; ++i) {
        std::memcpy(values.legacy.data() + kXMM + 16 * i, state.vectors[i].q.data(), 16);
        std::memcpy(values.upper.data() + 16 * i, state.vectors[i].q.data() + 2, 16);
    }
    values.fs_base = state.segment_base[cpu::kFS];
    values.gs_base = state.segment_base[cpu::kGS];
    values.cr0 = state.cr0;
    values.cr2 = state.cr2;
    values.cr3 = state.cr3;
    values.cr4 = state.cr4;
    values.cr8 = task_priority;
    values.efer = state.efer;
    return values;
}

void set_saved(RegisterValues& values, const SavedRegisters& saved) {
    values.gpr = {saved.rax, saved.rcx, saved.rdx, saved.rbx, saved.rsp, saved.rbp,
                  saved.rsi, saved.rdi, saved.r8,  saved.r9,  saved.r10, saved.r11,
                  saved.r12, saved.r13, saved.r14, saved.r15};
    values.rip = saved.rip;
    values.rflags = saved.rflags;
    values.selectors[cpu::kCS] = static_cast<u16>(saved.cs);
    values.selectors[cpu::kSS] = static_cast<u16>(saved.ss);
    values.orig_rax = saved.orig_rax;
}

void set_vectors(RegisterValues& values, std::span<const u8> area) {
    if (area.size() < kAVX + values.upper.size())
        return;
    std::copy_n(area.begin(), values.legacy.size(), values.legacy.begin());
    std::copy_n(area.begin() + kAVX, values.upper.size(), values.upper.begin());
}

std::vector<u8> register_bytes(const RegisterValues& values) {
    Bytes bytes;
    for (const unsigned number : kGeneralOrder)
        bytes.add64(values.gpr[number]);
    bytes.add64(values.rip);
    bytes.add32(values.rflags);
    for (const cpu::SegmentRegister segment : kSegmentOrder)
        bytes.add32(values.selectors[segment]);
    add_x87(bytes, values.legacy);
    bytes.add(values.legacy.data() + kXMM, 256);
    bytes.add(values.legacy.data() + kMXCSR, 4);
    bytes.add64(values.orig_rax);
    bytes.add64(values.fs_base);
    bytes.add64(values.gs_base);
    bytes.add(values.upper.data(), values.upper.size());
    for (const u64 value :
         {values.cr0, values.cr2, values.cr3, values.cr4, values.cr8, values.efer})
        bytes.add64(value);
    return bytes.take();
}

RegisterPlace register_place(std::size_t number) {
    std::size_t offset = 0;
    for (const Feature& feature : features()) {
        for (const RegisterKind& kind : feature.registers) {
            if (number-- == 0)
                return {offset, kind.bits / 8};
            offset += kind.bits / 8;
        }
    }
    return {};
}

std::string target_description() {
    std::string text =
        "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\"><target version=\"1.0\">"
        "<architecture>i386:x86-64</architecture><osabi>GNU/Linux</osabi>";
    for (const Feature& feature : features()) {
        text += std::string("<feature name=\"") + feature.name + "\">" + feature.types;
        for (const RegisterKind& kind : feature.registers)
            text += "<reg name=\"" + kind.name + "\" bitsize=\"" + std::to_string(kind.bits) +
                    "\" type=\"" + kind.type + "\"/>";
        text += "</feature>";
    }
    return text + "</target>";
}

}  // namespace uchronia::debug
