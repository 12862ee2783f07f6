// A guest calls the machine in any order and with any numbers, while commands are called into it
// and somebody types: what is recorded replays as the same, also after it was written and read; and
// the agent can read all messages.
#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "guest/hypercall.h"
#include "guest/run_description.h"
#include "history/history_file.h"
#include "history/session.h"
#include "machine/flat_guest.h"
#include "tests/fuzz/environment.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/small_image.h"
#include "tests/fuzz/target.h"

namespace uchronia::fuzz {
namespace {

using history::History;
using history::Session;
using history::TerminalInput;
using history::Visit;

constexpr u64 kTable = 0x4'0000, kMostCalls = 64, kBuffers = 0x6'0000;
constexpr u64 kResults = 0x8000;  // from the table
constexpr u64 kMemorySize = u64{2} << 20;

// Makes the calls of the table, one after the other, for ever. Each has four numbers.
// clang-format off
const std::vector<u8> kCode = {
    0xbb, 0x00, 0x00, 0x04, 0x00,              // begin: mov ebx, kTable
    0x48, 0x8b, 0x03,                          // next:  mov rax, [rbx]
    0x48, 0x8b, 0x7b, 0x08,                    //        mov rdi, [rbx + 8]
    0x48, 0x8b, 0x73, 0x10,                    //        mov rsi, [rbx + 16]
    0x48, 0x8b, 0x53, 0x18,                    //        mov rdx, [rbx + 24]
    0x0f, 0x04,                                //        hypercall
    0x48, 0x89, 0x83, 0x00, 0x80, 0x00, 0x00,  //        mov [rbx + kResults], rax
    0x83, 0xc3, 0x20,                          //        add ebx, 32
    0x81, 0xfb, 0x00, 0x08, 0x04, 0x00,        //        cmp ebx, kTable + 64 * 32
    0x72, 0xdd,                                //        jb next
    0xeb, 0xd6,                                //        jmp begin
};
// clang-format on

struct HyperCall {
    u64 function, first, second, third;
};

u64 any_address(Input& input) {
    if (input.percent(80))
        return kBuffers + input.below(0x1'0000);
    static constexpr u64 kEdges[] = {0, kMemorySize - 5, ~u64{0} - 7, u64{1} << 47, kTable};
    return input.pick(kEdges);
}

u64 any_size(Input& input) {
    static constexpr u64 kEdges[] = {
        0, 1, 8, 4096, UCHRONIA_MAXIMUM_TRANSFER, UCHRONIA_MAXIMUM_TRANSFER + 1, ~u64{0}};
    return input.percent(60) ? input.below(200) : input.pick(kEdges);
}

HyperCall any_call(Input& input) {
    const u64 address = any_address(input), size = any_size(input);
    const u64 owner = input.below(input.percent(5) ? 256 : 2);
    switch (input.below(input.percent(10) ? 9 : 5)) {
        case 0:
            return {UCHRONIA_CALL, address, input.percent(80) ? 4096 : size, 0};
        case 1:
            return {UCHRONIA_INPUT, address, size, owner};
        case 2:
            return {UCHRONIA_OUTPUT, input.below(6), address, size};
        case 3:
            return {UCHRONIA_FILES, address, size, owner};
        case 4:
            // The number is mostly none, so that the visit goes on for a while.
            return {UCHRONIA_VISIT_END, input.below(3), input.below(256),
                    input.percent(80) ? ~u64{0} : input.below(4)};
        case 5:
            return {UCHRONIA_EXIT, input.below(3), input.word(), 0};
        case 6:
            return {input.percent(50) ? UCHRONIA_LOG : UCHRONIA_OOPS, input.below(6), address,
                    size};
        case 7:
            return {UCHRONIA_ENTROPY, address, input.below(64), 0};
        default:
            return {input.below(256), address, size, input.word()};
    }
}

// The base image of a guest that makes such calls.
std::vector<u8> any_guest(Input& input) {
    FixedDecisions decisions;
    machine::FlatGuest guest({.memory_size = kMemorySize, .vcpu_count = 1}, decisions);
    guest.set_code(kCode);
    const u64 distinct = 1 + input.below(kMostCalls);
    HyperCall calls[kMostCalls];
    for (u64 i = 0; i < kMostCalls; ++i) {
        calls[i] = i < distinct ? any_call(input) : calls[i % distinct];
        // No command would begin without it.
        if (i == distinct / 2)
            calls[i] = {UCHRONIA_CALL, kBuffers, 8192, 0};
        for (unsigned word = 0; word < 4; ++word)
            guest.store(kTable + 32 * i + 8 * word, (&calls[i].function)[word]);
    }
    guest.machine.set_boot_state(guest.state_of_boot);
    return image_of(guest.machine);
}

std::string any_text(Input& input, u64 most) {
    std::string text(input.below(most + 1), 'x');
    for (char& c : text) {
        const u8 byte = input.byte();
        c = static_cast<char>(byte == 0 ? 1 : byte);
    }
    return text;
}

machine::RunRequest any_request(Input& input) {
    machine::RunRequest request{.arguments = {any_text(input, 9)},
                                .environment = {},
                                .working_directory = "/" + any_text(input, 9),
                                .shares = {},
                                .modules_folder = "",
                                .groups = {}};
    for (u64 count = input.below(3); count != 0; --count) {
        request.arguments.push_back(any_text(input, 30));
        request.environment.push_back("A" + std::to_string(count) + "=" + any_text(input, 9));
        request.groups.push_back(static_cast<u32>(input.word(4)));
    }
    request.uid = static_cast<u32>(input.word(4));
    request.input =
        input.percent(50) ? machine::StandardInput::kFromHost : machine::StandardInput::kNone;
    request.streams = input.percent(50) ? machine::Streams::kTerminal : machine::Streams::kPipes;
    return request;
}

class AnyInput final : public history::VisitCalls::Input {
  public:
    explicit AnyInput(u64 size) : size_(size) {}
    u64 visit_input(u64 offset, std::span<u8> bytes) override {
        const u64 count = std::min<u64>(bytes.size(), offset < size_ ? size_ - offset : 0);
        for (u64 i = 0; i < count; ++i)
            bytes[i] = static_cast<u8>(offset + i);
        return count;
    }

  private:
    const u64 size_;
};

class AnyTerminal final : public history::LiveTerminal {
  public:
    explicit AnyTerminal(Input& input) : input_(input) {}
    VirtualTime limit(VirtualTime time) override {
        return time + VirtualTime(1 + input_.below(5000));
    }
    std::vector<TerminalInput> take(VirtualTime) override {
        std::vector<TerminalInput> result;
        for (u64 count = input_.below(3); count != 0; --count) {
            TerminalInput one;
            one.kind = static_cast<TerminalInput::Kind>(input_.below(3));
            if (one.kind == TerminalInput::Kind::kTyped)
                one.typed = "t" + any_text(input_, 20);
            one.rows = static_cast<u16>(
                one.kind == TerminalInput::Kind::kWindow ? input_.below(65536) : 0);
            result.push_back(one);
        }
        return result;
    }

  private:
    Input& input_;
};

// What the agent makes of the messages of a history.
void check_messages(History recorded) {
    history::VisitCalls calls(recorded.visits, Ticks(5), VirtualTime(6));
    u64 index = 0;
    for (const Visit& visit : recorded.visits) {
        const std::vector<u8>& message = calls.call(index)->message;
        guest::RunDescription run;
        CHECK(guest::parse_run_description(message.data() + sizeof(UchroniaCallHeader),
                                           message.size() - sizeof(UchroniaCallHeader), run));
        CHECK(run.arguments.count == visit.request.arguments.size());
        CHECK(visit.request.arguments[0] == run.arguments.first);
        index += 1 + visit.terminal.size();
    }
    CHECK(calls.call(index) == nullptr);
}

machine::Engine any_engine(Input& input) {
    return input.percent(50) ? machine::Engine::kInterpreter : machine::Engine::kTranslator;
}

void check_replay(Input& input, const machine::BaseImage& base, const History& recorded) {
    const auto read = history::parse_history(history::serialise_history(recorded), "recorded");
    CHECK(read.ok() && *read == recorded);
    check_messages(*read);
    RememberingOutside outside;
    Session session(base, *read, outside, nullptr,
                    {.expected = &recorded.chain, .engine = any_engine(input)});
    CHECK(session.run().ok());
    CHECK(!session.divergence());
    CHECK(session.history() == recorded);
}

// From a moment of a history, another one with a visit; nothing if the guest does not let it be.
std::optional<History> visited(Input& input, const machine::BaseImage& base,
                               const History& recorded) {
    RememberingOutside outside;
    AnyInput live(input.below(400));
    AnyTerminal terminal(input);
    Session session(base, recorded, outside, nullptr,
                    {.expected = &recorded.chain, .engine = any_engine(input)});
    const u64 ticks = recorded.result->ticks.value;
    const u64 tick = input.percent(20) ? ticks : input.below(ticks + 1);
    CHECK(session.go_to(history::Moment::at(Ticks(tick))).ok());
    Visit visit;
    visit.kind = static_cast<Visit::Kind>(input.below(3));
    visit.request = any_request(input);
    const bool has_terminal = visit.request.streams == machine::Streams::kTerminal;
    const VirtualTime timeout(1 + input.below(20'000));
    if (!session.visit(std::move(visit), timeout,
                       {.input = input.percent(50) ? &live : nullptr,
                        .terminal = has_terminal ? &terminal : nullptr}))
        return std::nullopt;
    if (!session.run())
        return std::nullopt;
    return session.history();
}

}  // namespace

std::vector<std::vector<u8>> seeds() {
    return {};
}

}  // namespace uchronia::fuzz

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace uchronia;
    using namespace uchronia::fuzz;
    Input input(data, size);
    const auto base = open_image(any_guest(input));
    CHECK(base.ok());
    History first;
    first.base.image = (*base)->digest();
    first.base.memory_size = kMemorySize;
    first.request = any_request(input);
    first.request.streams = machine::Streams::kPipes;
    first.limits.stop_tick = Ticks(1 + input.below(20'000));
    first.tape = history::Tape::from_seed(input.below(4));
    RememberingOutside outside;
    Session session(**base, first, outside, nullptr,
                    {.live_input = history::LiveInput::kYes, .engine = any_engine(input)});
    if (!session.run())
        return 0;
    History recorded = session.history();
    for (u64 count = 1 + input.below(3); count != 0; --count) {
        const std::optional<History> next = visited(input, **base, recorded);
        if (!next)
            break;
        recorded = *next;
    }
    check_replay(input, **base, recorded);
    return 0;
}
