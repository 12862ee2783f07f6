// Random accesses to the chips and to their saved states: they stay within their bounds, a timer
// that has been served lies in the future, and a copy made from a saved state does the same.
#include <memory>

#include "base/check.h"
#include "base/state_io.h"
#include "devices/acpi_power.h"
#include "devices/apic_bus.h"
#include "devices/cmos_rtc.h"
#include "devices/io_apic.h"
#include "devices/local_apic.h"
#include "devices/pci_configuration.h"
#include "devices/uart_16550.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/target.h"

namespace uchronia::fuzz {
namespace {

using namespace devices;

class Sink final : public CharacterSink {
  public:
    void put(u8) override {}
};

// One of each, and two local APICs.
struct Board {
    APICBus bus;
    LocalAPIC first{0, LocalAPIC::Role::kBootProcessor, bus};
    LocalAPIC second{1, LocalAPIC::Role::kApplicationProcessor, bus};
    IOAPIC io_apic{bus};
    Sink sink;
    UART16550 uart{sink, io_apic.line(4)};
    CMOSRTC rtc{1'767'225'600};
    ACPIPower power;
    PCIConfiguration pci;
    MMIODevice* const memory_mapped[3] = {&first, &second, &io_apic};
    PortDevice* const ports[4] = {&uart, &rtc, &power, &pci};

    Board() {
        bus.connect(first);
        bus.connect(second);
        bus.connect(io_apic);
    }
    template <class Function>
    void for_each(Function function) {
        for (Device* device : memory_mapped)
            function(*device);
        for (Device* device : ports)
            function(*device);
    }
    void fields(FieldVisitor& v) {
        for_each([&](Device& device) { v("device", device); });
    }
};

// Two boards that are treated alike.
class Pair {
  public:
    explicit Pair(Input& input) : input_(input) {}

    void run() {
        for (u64 steps = 1 + input_.below(100); steps != 0; --steps) {
            step();
            now_ += VirtualTime(input_.percent(90) ? input_.below(2000) : input_.word(4));
            for (Board* board : {a_.get(), b_.get()}) {
                serve(board->first);
                serve(board->second);
            }
        }
        CHECK(hash_of(*a_) == hash_of(*b_));
    }

  private:
    void serve(LocalAPIC& apic) {
        apic.run_events(now_);
        CHECK(apic.next_event() > now_);
    }

    void step() {
        switch (input_.below(12)) {
            case 0:
                return move();
            case 1:
                return input_.percent(10) ? spoil() : take_interrupts();
            case 2:
                return access_msr();
            case 3:
            case 4:
            case 5:
                return access_ports();
            default:
                return access_memory();
        }
    }

    void access_memory() {
        const u64 which = input_.below(3);
        const unsigned size = input_.percent(90) ? 4 : 1u << input_.below(4);
        const u64 offset = which == 2 ? 16 * input_.below(3) : 16 * input_.below(0x40);
        const u64 at = input_.percent(95) ? offset : input_.below(0x1000);
        const u64 value =
            input_.percent(50) ? input_.below(0x100) | input_.below(4) << 16 : input_.word();
        if (input_.percent(30)) {
            CHECK(a_->memory_mapped[which]->read(at, size, now_) ==
                  b_->memory_mapped[which]->read(at, size, now_));
            return;
        }
        a_->memory_mapped[which]->write(at, size, value, now_);
        b_->memory_mapped[which]->write(at, size, value, now_);
    }

    void access_ports() {
        const u64 which = input_.below(4);
        const unsigned size = 1u << input_.below(3);
        const u16 port = static_cast<u16>(input_.below(8));
        const u32 value = static_cast<u32>(input_.percent(50) ? input_.byte() : input_.word(4));
        if (input_.percent(30)) {
            CHECK(a_->ports[which]->read(port, size, now_) ==
                  b_->ports[which]->read(port, size, now_));
            return;
        }
        a_->ports[which]->write(port, size, value, now_);
        b_->ports[which]->write(port, size, value, now_);
    }

    void access_msr() {
        static constexpr u32 kIndices[] = {0x1b, 0x6e0, 0x800, 0x80b, 0x80f, 0x830, 0x832, 0x838};
        const u32 index =
            input_.pick(kIndices) + static_cast<u32>(input_.percent(30) ? input_.below(0x40) : 0);
        const u64 value = input_.percent(30)   ? 0xfee0'0000 | input_.below(16) << 8
                          : input_.percent(50) ? now_.value + input_.below(5000)
                                               : input_.word();
        u64 read[2] = {0, 0};
        if (!LocalAPIC::owns_msr(index))
            return;
        if (input_.percent(40)) {
            CHECK(a_->first.msr_read(index, read[0], now_) ==
                  b_->first.msr_read(index, read[1], now_));
            CHECK(read[0] == read[1]);
            return;
        }
        CHECK(a_->first.msr_write(index, value, now_) == b_->first.msr_write(index, value, now_));
    }

    void take_interrupts() {
        const u8 byte = input_.byte();
        const bool level = input_.percent(50);
        const unsigned pin = static_cast<unsigned>(input_.below(24));
        for (Board* board : {a_.get(), b_.get()}) {
            board->io_apic.line(pin).set(level);
            if (board->uart.receive_space() != 0)
                board->uart.receive(byte);
            if (board->first.interrupt_pending())
                board->first.acknowledge();
            board->first.take_nmi();
            board->second.take_init();
            board->second.take_startup();
        }
    }

    void move() {
        SavingVisitor saving;
        b_->fields(saving);
        b_ = std::make_unique<Board>();
        LoadingVisitor loading(saving.saved());
        b_->fields(loading);
        CHECK(loading.status().ok());
    }

    // Any bytes in place of the states.
    void spoil() {
        SavingVisitor saving;
        a_->fields(saving);
        std::vector<u8> state = saving.take();
        for (u64 count = 1 + input_.below(60); count != 0; --count)
            state[input_.below(state.size())] = input_.byte();
        for (Board* board : {a_.get(), b_.get()}) {
            LoadingVisitor loading(state);
            board->fields(loading);
        }
    }

    Input& input_;
    std::unique_ptr<Board> a_ = std::make_unique<Board>(), b_ = std::make_unique<Board>();
    VirtualTime now_{1000};
};

}  // namespace

std::vector<std::vector<u8>> seeds() {
    return {};
}

}  // namespace uchronia::fuzz

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    uchronia::fuzz::Input input(data, size);
    uchronia::fuzz::Pair(input).run();
    return 0;
}
