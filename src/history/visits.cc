#include "history/visits.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "guest/hypercall.h"
#include "history/recorded_input.h"

namespace uchronia::history {
namespace {

std::vector<u8> message_of(UchroniaCallKind kind, u64 number, std::span<const u8> content) {
    const UchroniaCallHeader header{.kind = kind, .number = static_cast<unsigned>(number)};
    std::vector<u8> message(sizeof header + content.size());
    std::memcpy(message.data(), &header, sizeof header);
    std::copy(content.begin(), content.end(),
              message.begin() + static_cast<std::ptrdiff_t>(sizeof header));
    return message;
}

std::vector<u8> message_of(const Visit& visit, u64 number) {
    static constexpr UchroniaCallKind kKinds[] = {UCHRONIA_CALL_COMMAND, UCHRONIA_CALL_LIST,
                                                  UCHRONIA_CALL_BRING};
    const Result<std::vector<u8>> request = machine::encode_run_request(visit.request);
    CHECK(request.ok());
    return message_of(kKinds[static_cast<std::size_t>(visit.kind)], number, *request);
}

std::vector<u8> message_of(const TerminalInput& input, u64 number) {
    switch (input.kind) {
        case TerminalInput::Kind::kTyped:
            return message_of(
                UCHRONIA_CALL_INPUT, number,
                {reinterpret_cast<const u8*>(input.typed.data()), input.typed.size()});
        case TerminalInput::Kind::kWindow: {
            const u8 window[4] = {static_cast<u8>(input.rows), static_cast<u8>(input.rows >> 8),
                                  static_cast<u8>(input.columns),
                                  static_cast<u8>(input.columns >> 8)};
            return message_of(UCHRONIA_CALL_WINDOW, number, window);
        }
        case TerminalInput::Kind::kHangUp:
            return message_of(UCHRONIA_CALL_HANG_UP, number, {});
    }
    CHECK(false);
}

Status check_input(const TerminalInput& input) {
    const bool typed = input.kind == TerminalInput::Kind::kTyped;
    if (typed == input.typed.empty() || input.typed.size() > kMostTyped)
        return Error{"a visit's terminal gets nothing, or too much at once"};
    return {};
}

}  // namespace

bool Visit::operator==(const Visit& other) const {
    return at == other.at && kind == other.kind && same_request(request, other.request) &&
           terminal == other.terminal && input == other.input;
}

bool same_request(const machine::RunRequest& a, const machine::RunRequest& b) {
    return a.arguments == b.arguments && a.environment == b.environment &&
           a.working_directory == b.working_directory && a.shares == b.shares &&
           a.modules_folder == b.modules_folder && a.groups == b.groups && a.uid == b.uid &&
           a.gid == b.gid && a.input == b.input && a.root == b.root &&
           a.out_folder == b.out_folder && a.streams == b.streams;
}

Status check_visits(const std::vector<Visit>& visits) {
    Place last{};
    const auto comes_before = [&last](const Place& place) {
        const bool ascends = place.tick >= last.tick && place.time >= last.time;
        last = place;
        return ascends;
    };
    for (const Visit& visit : visits) {
        if (!comes_before(visit.at))
            return Error{"the visits are not in the order of their moments"};
        const Result<std::vector<u8>> request = machine::encode_run_request(visit.request);
        if (!request)
            return request.error();
        for (const TerminalInput& input : visit.terminal) {
            if (!comes_before(input.at))
                return Error{"a visit's input is not in the order of its moments"};
            if (Status status = check_input(input); !status)
                return status;
        }
    }
    return {};
}

void cut_visits(std::vector<Visit>& visits, u64 calls) {
    for (std::size_t i = 0; i < visits.size(); ++i) {
        if (calls == 0) {
            visits.resize(i);
            return;
        }
        --calls;
        std::vector<TerminalInput>& terminal = visits[i].terminal;
        if (calls < terminal.size())
            terminal.resize(calls);
        calls -= terminal.size();
    }
}

VisitCalls::VisitCalls(std::vector<Visit>& visits, Ticks tick, VirtualTime time)
    : visits_(visits), origin_{tick, time} {
    update();
}

void VisitCalls::update() {
    std::size_t index = 0;
    const auto add = [&](const Place& at, bool begins, const auto& content, u64 number) {
        if (index++ < calls_.size())
            return;  // it is there already
        calls_.push_back({.tick = origin_.tick + at.tick,
                          .time = origin_.time + at.time,
                          .begins_visit = begins,
                          .message = message_of(content, number)});
    };
    for (std::size_t number = 0; number < visits_.size(); ++number) {
        const Visit& visit = visits_[number];
        add(visit.at, true, visit, number);
        for (const TerminalInput& input : visit.terminal)
            add(input.at, false, input, number);
    }
    calls_.resize(index);
}

const machine::Call* VisitCalls::call(u64 index) {
    return index < calls_.size() ? &calls_[index] : nullptr;
}

u64 VisitCalls::visit_input(u64 visit, u64 offset, std::span<u8> bytes) {
    if (visit >= visits_.size())
        return 0;
    std::vector<u8>& recorded = visits_[visit].input;
    if (input_ == nullptr || visit + 1 != visits_.size())
        return read_recorded(recorded, offset, bytes);
    return read_and_record(recorded, offset, bytes, [this](u64 at, std::span<u8> rest) {
        return input_->visit_input(at, rest);
    });
}

}  // namespace uchronia::history
