#include "tests/witness/compare.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "cpu/state.h"
#include "tests/witness/rules.h"
#include "tests/witness/vendors.h"

namespace uchronia::witness {

using namespace cpu;

namespace {

constexpr const char* kRegisterNames[16] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                            "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
// The frame of a fault has RF set; it is not the instruction's.
constexpr u64 kComparedFlags = ~rflags::kRF;
constexpr u8 kPageFault = 14;

class Report {
  public:
    [[gnu::format(printf, 2, 3)]] void add(const char* format, ...) {
        char line[200];
        va_list arguments;
        va_start(arguments, format);
        std::vsnprintf(line, sizeof line, format, arguments);
        va_end(arguments);
        text_ += line;
    }
    void compare(const char* name, u64 before, u64 native, u64 guest) {
        if (native != guest)
            add("  %-8s %016lx -> host %016lx, here %016lx\n", name, before, native, guest);
    }
    const std::string& text() const { return text_; }

  private:
    std::string text_;
};

void compare_faults(Report& report, const Outcome& native, const Outcome& guest) {
    if (native.faulted != guest.faulted || native.vector != guest.vector) {
        report.add("  fault    host %s %u, here %s %u\n", native.faulted ? "yes" : "no",
                   native.vector, guest.faulted ? "yes" : "no", guest.vector);
        return;
    }
    if (!native.faulted)
        return;
    report.compare("error", 0, native.error_code, guest.error_code);
    if (native.vector == kPageFault)
        report.compare("cr2", 0, native.fault_address, guest.fault_address);
}

// The instruction and data pointers and the opcode are not compared: AMD saves and restores them
// only while an exception is pending.
void compare_fx(Report& report, const FXImage& before, const FXImage& native,
                const FXImage& guest) {
    report.compare("fcw", before.fcw, native.fcw, guest.fcw);
    report.compare("fsw", before.fsw, native.fsw, guest.fsw);
    report.compare("ftw", before.ftw, native.ftw, guest.ftw);
    report.compare("mxcsr", before.mxcsr, native.mxcsr, guest.mxcsr);
    for (unsigned i = 0; i < 8; ++i) {
        const FXImage::Register &n = native.st[i], &g = guest.st[i], &b = before.st[i];
        if (n.mantissa != g.mantissa || n.exponent != g.exponent)
            report.add("  st%u      %04x.%016lx -> host %04x.%016lx, here %04x.%016lx\n", i,
                       b.exponent, b.mantissa, n.exponent, n.mantissa, g.exponent, g.mantissa);
    }
    for (unsigned i = 0; i < 16; ++i) {
        if (native.xmm[i] != guest.xmm[i])
            report.add("  xmm%-2u    %016lx%016lx -> host %016lx%016lx, here %016lx%016lx\n", i,
                       before.xmm[i][1], before.xmm[i][0], native.xmm[i][1], native.xmm[i][0],
                       guest.xmm[i][1], guest.xmm[i][0]);
    }
}

void compare_upper(Report& report, const UpperHalves& before, const UpperHalves& native,
                   const UpperHalves& guest) {
    for (unsigned i = 0; i < 16; ++i) {
        if (native[i] != guest[i])
            report.add("  ymm%-2u up %016lx%016lx -> host %016lx%016lx, here %016lx%016lx\n", i,
                       before[i][1], before[i][0], native[i][1], native[i][0], guest[i][1],
                       guest[i][0]);
    }
}

void compare_memory(Report& report, std::span<const u8> native, std::span<const u8> guest) {
    if (std::memcmp(native.data(), guest.data(), native.size()) == 0)
        return;
    unsigned shown = 0;
    for (std::size_t i = 0; i < native.size() && shown < 16; ++i) {
        if (native[i] == guest[i])
            continue;
        report.add("  [%lx] host %02x, here %02x\n", kData + i, native[i], guest[i]);
        ++shown;
    }
}

}  // namespace

std::string difference_of(const Case& c, const Outcome& native, std::span<const u8> native_data,
                          const Outcome& guest, std::span<const u8> guest_data) {
    if (is_vendor_difference(c, native, guest))
        return {};
    Report report;
    const State &b = c.before, &n = native.state, &g = guest.state;
    compare_faults(report, native, guest);
    report.compare("rip", b.rip, n.rip, g.rip);
    const bool undefined_result = !native.faulted && has_undefined_result(c, native);
    if (!undefined_result) {
        for (unsigned i = 0; i < 16; ++i)
            report.compare(kRegisterNames[i], b.gpr[i], n.gpr[i], g.gpr[i]);
        compare_memory(report, native_data, guest_data);
    }
    const u64 flags = kComparedFlags & ~(native.faulted ? 0 : undefined_flags(c));
    report.compare("rflags", b.rflags, n.rflags & flags, g.rflags & flags);
    compare_fx(report, b.fx, n.fx, g.fx);
    compare_upper(report, b.upper, n.upper, g.upper);
    return report.text();
}

std::string describe(const Case& c) {
    Report report;
    const std::string_view name = row_of(c.decoded.instruction).name;
    report.add("%.*s:", static_cast<int>(name.size()), name.data());
    for (const u8 byte : c.code)
        report.add(" %02x", byte);
    report.add("  (fcw %04x fsw %04x ftw %02x mxcsr %04x)\n ", c.before.fx.fcw, c.before.fx.fsw,
               c.before.fx.ftw, c.before.fx.mxcsr);
    for (unsigned i = 0; i < 16; ++i)
        report.add(" %s=%lx", kRegisterNames[i], c.before.gpr[i]);
    report.add(" flags=%lx\n", c.before.rflags);
    return report.text();
}

}  // namespace uchronia::witness
