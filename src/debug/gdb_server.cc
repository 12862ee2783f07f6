#include "debug/gdb_server.h"

#include <signal.h>

#include <algorithm>

namespace uchronia::debug {
namespace {

constexpr char kOK[] = "OK", kNoSuch[] = "E01", kNotMapped[] = "E0e", kBadPacket[] = "E16";
constexpr char kPastIsFixed[] = "E.this is a recorded history: the past cannot be changed";
constexpr u64 kMachineProcess = 1;  // where there is none

// Insertions: software and hardware breakpoints, then watches for writes, reads, both.
enum PointKind : u64 { kSoftware, kHardware, kWriteWatch, kReadWatch, kAccessWatch };

std::string part_of(std::string_view all, u64 offset, u64 size) {
    size = std::min<u64>(size, kMostInPacket);
    if (offset >= all.size())
        return "l";
    const std::string_view part = all.substr(offset, size);
    return (offset + part.size() < all.size() ? "m" : "l") + escaped(part);
}

std::string xml_text(const std::string& text) {
    std::string result;
    for (const char c : text) {
        const bool is_plain = c >= ' ' && c < 127 && c != '<' && c != '&' && c != '"' && c != '>';
        result += is_plain ? c : '?';
    }
    return result;
}

}  // namespace

// The first row whose prefix the packet has.
const GDBServer::Row GDBServer::kRows[] = {
    {"qSupported", &GDBServer::supported},
    {"QStartNoAckMode", &GDBServer::without_acknowledgement},
    {"QPassSignals:", &GDBServer::pass_signals},
    {"qXfer:", &GDBServer::transfer},
    {"qfThreadInfo", &GDBServer::first_threads},
    {"qsThreadInfo", &GDBServer::more_threads},
    {"qThreadExtraInfo,", &GDBServer::thread_name},
    {"qRcmd,", &GDBServer::monitor},
    {"qAttached", &GDBServer::attached},
    {"qSymbol:", &GDBServer::yes},
    {"qC", &GDBServer::current_thread},
    {"vCont?", &GDBServer::resume_kinds},
    {"vCont;", &GDBServer::resume},
    {"vFile:", &GDBServer::file_operation},
    {"vKill", &GDBServer::kill},
    {"?", &GDBServer::last_stop},
    {"g", &GDBServer::read_registers},
    {"p", &GDBServer::read_register},
    {"m", &GDBServer::read_memory},
    {"G", &GDBServer::refuse_write},
    {"P", &GDBServer::refuse_write},
    {"M", &GDBServer::refuse_write},
    {"H", &GDBServer::set_thread},
    {"T", &GDBServer::is_alive},
    {"Z", &GDBServer::insert_point},
    {"z", &GDBServer::remove_point},
    {"bc", &GDBServer::back_on},
    {"bs", &GDBServer::back_step},
    {"c", &GDBServer::go_on},
    {"s", &GDBServer::step},
    {"D", &GDBServer::detach},
};

GDBServer::GDBServer(Traveller& traveller, Debuggee& debuggee, MomentText text)
    : traveller_(traveller),
      debuggee_(debuggee),
      control_(traveller, debuggee),
      text_(std::move(text)) {
    traveller_.set_interruption(
        [this] { return connection_ != nullptr && connection_->is_interrupted(); });
}

bool GDBServer::serve(Connection& connection) {
    connection_ = &connection;
    ends_ = kills_ = false;
    control_.remove_all();
    control_.pass_signals({});
    is_multiprocess_ = knows_execs_ = false;
    fork_.reset();
    last_ = {.kind = Event::Kind::kStepped, .thread = debuggee_.present_thread()};
    thread_ = run_thread_ = 0;
    while (!ends_) {
        const std::optional<std::string> packet = connection.receive();
        if (!packet)
            break;
        if (*packet == "k") {
            kills_ = true;
            break;
        }
        connection.send(answer(*packet));
        if (*packet == "QStartNoAckMode")
            connection.stop_acknowledging();
    }
    connection_ = nullptr;
    return kills_;
}

std::string GDBServer::answer(std::string_view packet) {
    for (const Row& row : kRows) {
        if (take(packet, row.prefix))
            return (this->*row.handler)(packet);
    }
    return "";  // not known
}

std::string GDBServer::supported(std::string_view rest) {
    bool knows_forks = false;
    take(rest, ":");
    while (!rest.empty()) {
        const std::string_view feature = next_word(rest, ';');
        is_multiprocess_ = is_multiprocess_ || feature == "multiprocess+";
        knows_forks = knows_forks || feature == "fork-events+";
        knows_execs_ = knows_execs_ || feature == "exec-events+";
    }
    control_.set_stops(is_multiprocess_ && knows_forks, knows_execs_);
    return std::string(is_multiprocess_ ? "multiprocess+;fork-events+;" : "") +
           (knows_execs_ ? "exec-events+;" : "") +
           "PacketSize=10000;QStartNoAckMode+;QPassSignals+;swbreak+;hwbreak+;vContSupported+;"
           "ReverseStep+;"
           "ReverseContinue+;qXfer:features:read+;qXfer:threads:read+;qXfer:auxv:read+;"
           "qXfer:exec-file:read+";
}

std::string GDBServer::without_acknowledgement(std::string_view) {
    return kOK;
}

std::string GDBServer::pass_signals(std::string_view rest) {
    const std::optional<SignalSet> signals = take_signals(rest);
    if (!signals)
        return kBadPacket;
    control_.pass_signals(*signals);
    return kOK;
}

std::string GDBServer::yes(std::string_view) {
    return kOK;
}

std::string GDBServer::attached(std::string_view) {
    return "1";
}

std::string GDBServer::resume_kinds(std::string_view) {
    return "vCont;c;C;s;S;r";
}

std::string GDBServer::detach(std::string_view rest) {
    take(rest, ";");
    const u64 process = take_number(rest).value_or(0);
    if (fork_ && (process == fork_->parent || process == fork_->child))
        settle_fork(process == fork_->parent ? fork_->child : fork_->parent);
    else
        ends_ = true;
    return kOK;
}

std::string GDBServer::kill(std::string_view) {
    ends_ = kills_ = true;
    return kOK;
}

// --- What has happened. ---

std::string GDBServer::last_stop(std::string_view) {
    return stop_reply(last_);
}

// gdb prints it.
void GDBServer::tell(const std::string& text) {
    connection_->send("O" + to_hex("uchronia: " + text + "\n"));
}

std::string GDBServer::thread_text(u64 thread) const {
    const u64 process = debuggee_.process().value_or(kMachineProcess);
    return (is_multiprocess_ ? "p" + hex_number(process) + "." : "") + hex_number(thread);
}

// Whether it is a process that can be looked at; 0: the present one.
bool GDBServer::look_at(u64 process) {
    if (process == 0 || process == debuggee_.process().value_or(kMachineProcess))
        return true;
    if (!fork_ || (process != fork_->parent && process != fork_->child))
        return false;
    debuggee_.look_at(static_cast<u32>(process));
    return true;
}

std::optional<ThreadView> GDBServer::named_thread(std::string_view text) {
    const std::optional<u32> before = debuggee_.process();
    const ThreadID id = take_thread_id(text).value_or(ThreadID());
    if (!look_at(id.process))
        return std::nullopt;
    std::optional<ThreadView> thread = debuggee_.thread(id.thread);
    if (before)
        debuggee_.look_at(*before);
    return thread;
}

// The machine is about to move: gdb should have settled that, and has not with "set detach-on-fork
// off".
void GDBServer::keep_one(u64 process) {
    if (!fork_)
        return;
    const u32 kept = process == fork_->child ? fork_->child : fork_->parent;
    tell("only one process can be debugged at a time: it goes on with process " +
         std::to_string(kept) + ", the other one is left (set detach-on-fork on)");
    settle_fork(kept);
}

// It goes on with one of the two.
void GDBServer::settle_fork(u64 process) {
    if (!fork_)
        return;
    debuggee_.look_at(fork_->parent);
    if (process == fork_->child) {
        control_.follow(fork_->child);
        thread_ = run_thread_ = fork_->child;
    }
    fork_.reset();
}

std::string GDBServer::stop_reply(const Event& event) {
    last_ = event;
    thread_ = run_thread_ = event.thread;
    int signal = SIGTRAP;
    std::string why;
    switch (event.kind) {
        case Event::Kind::kStepped:
            break;
        case Event::Kind::kBreakpoint:
            why = "swbreak:;";
            break;
        case Event::Kind::kWatchpoint:
            why = "watch:" + hex_number(event.address) + ";";
            break;
        case Event::Kind::kSignal:
            signal = gdb_signal(event.signal);
            break;
        case Event::Kind::kFork:
            fork_ = {.parent = *debuggee_.process(), .child = event.child};
            why = "fork:p" + hex_number(event.child) + "." + hex_number(event.child) + ";";
            break;
        case Event::Kind::kExec:
            control_.remove_all();  // gdb sets them anew
            why = "exec:" + to_hex(debuggee_.program()) + ";";
            break;
        case Event::Kind::kBegin:
            why = "replaylog:begin;";
            break;
        case Event::Kind::kEnd:
            why = "replaylog:end;";
            break;
        case Event::Kind::kInterrupted:
            signal = SIGINT;
            break;
        case Event::Kind::kFailed:
            tell(event.message);
            break;
    }
    const std::string number = hex_number(static_cast<u64>(signal));
    return "T" + std::string(number.size() < 2 ? "0" : "") + number + why +
           "thread:" + thread_text(event.thread) + ";";
}

// --- Registers and memory. ---

u64 GDBServer::chosen_thread() {
    return thread_ != 0 && debuggee_.thread(thread_) ? thread_ : debuggee_.present_thread();
}

std::string GDBServer::read_registers(std::string_view) {
    const std::optional<ThreadView> thread = debuggee_.thread(chosen_thread());
    return thread ? to_hex(register_bytes(debuggee_.registers(*thread))) : kNoSuch;
}

std::string GDBServer::read_register(std::string_view rest) {
    const std::optional<u64> number = take_number(rest);
    const RegisterPlace place = register_place(number.value_or(~u64{0}));
    const std::optional<ThreadView> thread = debuggee_.thread(chosen_thread());
    if (place.size == 0 || !thread)
        return kNoSuch;
    const std::vector<u8> bytes = register_bytes(debuggee_.registers(*thread));
    return to_hex(std::span(bytes).subspan(place.offset, place.size));
}

std::string GDBServer::read_memory(std::string_view rest) {
    const std::optional<u64> address = take_number(rest);
    const bool has_size = take(rest, ",");
    const std::optional<u64> size = take_number(rest);
    if (!address || !has_size || !size)
        return kBadPacket;
    const std::vector<u8> bytes = debuggee_.read(*address, std::min<u64>(*size, kMostInPacket / 2));
    return bytes.empty() && *size != 0 ? kNotMapped : to_hex(bytes);
}

std::string GDBServer::refuse_write(std::string_view) {
    return kPastIsFixed;
}

// --- Threads. ---

std::string GDBServer::set_thread(std::string_view rest) {
    const bool for_runs = take(rest, "c");
    if (!for_runs && !take(rest, "g"))
        return kBadPacket;
    const ThreadID id = take_thread_id(rest).value_or(ThreadID());
    if (!look_at(id.process) || (id.thread != 0 && !debuggee_.thread(id.thread)))
        return kNoSuch;
    (for_runs ? run_thread_ : thread_) = id.thread;
    return kOK;
}

std::string GDBServer::current_thread(std::string_view) {
    return "QC" + thread_text(chosen_thread());
}

std::string GDBServer::first_threads(std::string_view) {
    std::string ids;
    for (const ThreadView& thread : debuggee_.threads())
        ids += (ids.empty() ? "m" : ",") + thread_text(thread.id);
    return ids;
}

std::string GDBServer::more_threads(std::string_view) {
    return "l";
}

std::string GDBServer::thread_name(std::string_view rest) {
    const std::optional<ThreadView> thread = named_thread(rest);
    return thread ? to_hex(thread->name) : kNoSuch;
}

std::string GDBServer::is_alive(std::string_view rest) {
    return named_thread(rest) ? kOK : kNoSuch;
}

std::string GDBServer::thread_list() {
    std::string text = "<?xml version=\"1.0\"?><threads>";
    for (const ThreadView& thread : debuggee_.threads()) {
        text += "<thread id=\"" + thread_text(thread.id) + "\"";
        if (thread.vcpu)
            text += " core=\"" + std::to_string(*thread.vcpu) + "\"";
        text += " name=\"" + xml_text(thread.name) + "\"/>";
    }
    return text + "</threads>";
}

// --- Breakpoints and watchpoints. ---

std::string GDBServer::insert_point(std::string_view rest) {
    return change_points(rest, true);
}

std::string GDBServer::remove_point(std::string_view rest) {
    return change_points(rest, false);
}

std::string GDBServer::change_points(std::string_view rest, bool insert) {
    const std::optional<u64> kind = take_number(rest);
    const bool first_comma = take(rest, ",");
    const std::optional<u64> address = take_number(rest);
    const bool second_comma = take(rest, ",");
    const std::optional<u64> size = take_number(rest);
    if (!kind || !first_comma || !address || !second_comma || !size)
        return kBadPacket;
    if (fork_ && debuggee_.process() == fork_->child)
        return kOK;  // it has none as yet
    if (*kind == kSoftware || *kind == kHardware) {
        if (insert)
            control_.add_breakpoint(*address);
        else
            control_.remove_breakpoint(*address);
        return kOK;
    }
    if (*kind > kAccessWatch || *size == 0)
        return "";
    const cpu::DebugStops::Watch watch{.address = *address,
                                       .size = *size,
                                       .reads = *kind != kWriteWatch,
                                       .writes = *kind != kReadWatch};
    if (insert)
        control_.add_watch(watch);
    else
        control_.remove_watch(watch);
    return kOK;
}

// --- Motion. ---

std::string GDBServer::go_on(std::string_view) {
    return stop_reply(control_.go_on());
}

std::string GDBServer::step(std::string_view) {
    return stop_reply(control_.step(run_thread_ != 0 ? run_thread_ : chosen_thread()));
}

std::string GDBServer::back_on(std::string_view) {
    keep_one(0);
    return stop_reply(control_.go_back());
}

std::string GDBServer::back_step(std::string_view) {
    keep_one(0);
    return stop_reply(control_.step_back(run_thread_ != 0 ? run_thread_ : chosen_thread()));
}

// The first action that names a step decides; otherwise all go on.
std::string GDBServer::resume(std::string_view rest) {
    while (!rest.empty()) {
        std::string_view action = next_word(rest, ';');
        std::string_view what = next_word(action, ':');
        const ThreadID named = take_thread_id(action).value_or(ThreadID());
        keep_one(named.process);
        const u64 id = named.thread != 0 ? named.thread : chosen_thread();
        if (what.starts_with("s") || what.starts_with("S"))
            return stop_reply(control_.step(id));
        if (!take(what, "r"))
            continue;
        const u64 begin = take_number(what).value_or(0);
        const u64 end = take(what, ",") ? take_number(what).value_or(0) : 0;
        return stop_reply(control_.step_out_of(id, begin, end));
    }
    return go_on({});
}

// --- What gdb asks about the program. ---

std::string GDBServer::transfer(std::string_view rest) {
    const std::string_view object = next_word(rest, ':');
    if (next_word(rest, ':') != "read")
        return "";
    next_word(rest, ':');  // the annex
    const u64 offset = take_number(rest).value_or(0);
    take(rest, ",");
    const u64 size = take_number(rest).value_or(0);
    if (object == "features")
        return part_of(target_description(), offset, size);
    if (object == "threads")
        return part_of(thread_list(), offset, size);
    if (object == "exec-file")
        return part_of(debuggee_.program(), offset, size);
    if (object == "auxv") {
        const std::vector<u8> bytes = debuggee_.auxiliary_vector();
        return part_of({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, offset, size);
    }
    return "";
}

}  // namespace uchronia::debug
