// Speaks gdb's remote protocol about a recorded history, with reverse execution.
//
// The past can be looked at and moved through, not changed: whatever writes is refused.
//
// Source: the gdb manual, appendix E (remote serial protocol).
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "debug/control.h"
#include "debug/debuggee.h"
#include "debug/packet.h"

namespace uchronia::debug {

// How moments and counts are written and read.
struct MomentText {
    std::function<Result<history::Moment>(const std::string&)> parse;
    std::function<std::string(Ticks, VirtualTime)> format;
};

class GDBServer {
  public:
    GDBServer(Traveller& traveller, Debuggee& debuggee, MomentText text);

    // Before serve(): to a moment at which there is the process.
    Status go_to(const history::Moment& moment) { return control_.go_to(moment); }
    // Until the other side has had enough. Whether it asked to end all (k).
    bool serve(Connection& connection);

  private:
    using Handler = std::string (GDBServer::*)(std::string_view);
    struct Row {
        std::string_view prefix;
        Handler handler;
    };
    static const Row kRows[];
    struct MonitorRow {
        std::string_view name, help;
        std::string (GDBServer::*handler)(const std::string&);
    };
    static const MonitorRow kMonitorRows[];

    std::string answer(std::string_view packet);
    std::string supported(std::string_view rest);
    std::string pass_signals(std::string_view rest);
    std::string without_acknowledgement(std::string_view rest);
    std::string last_stop(std::string_view rest);
    std::string read_registers(std::string_view rest);
    std::string read_register(std::string_view rest);
    std::string read_memory(std::string_view rest);
    std::string refuse_write(std::string_view rest);
    std::string set_thread(std::string_view rest);
    std::string current_thread(std::string_view rest);
    std::string first_threads(std::string_view rest);
    std::string more_threads(std::string_view rest);
    std::string thread_name(std::string_view rest);
    std::string is_alive(std::string_view rest);
    std::string insert_point(std::string_view rest);
    std::string remove_point(std::string_view rest);
    std::string go_on(std::string_view rest);
    std::string step(std::string_view rest);
    std::string resume(std::string_view rest);
    std::string back_on(std::string_view rest);
    std::string back_step(std::string_view rest);
    std::string transfer(std::string_view rest);
    std::string attached(std::string_view rest);
    std::string yes(std::string_view rest);
    std::string resume_kinds(std::string_view rest);
    std::string detach(std::string_view rest);
    std::string kill(std::string_view rest);
    std::string file_operation(std::string_view rest);
    std::string open_file(std::string_view rest);
    std::string read_file(std::string_view rest);
    std::string monitor(std::string_view rest);
    std::string monitor_help(const std::string& rest);
    std::string monitor_when(const std::string& rest);
    std::string monitor_seek(const std::string& rest);
    std::string monitor_mark(const std::string& rest);
    std::string monitor_marks(const std::string& rest);

    std::string stop_reply(const Event& event);
    std::string thread_text(u64 thread) const;
    bool look_at(u64 process);
    std::optional<ThreadView> named_thread(std::string_view text);
    void keep_one(u64 process);
    void settle_fork(u64 process);
    void tell(const std::string& text);
    std::string change_points(std::string_view rest, bool insert);
    std::string thread_list();
    u64 chosen_thread();
    std::string here();

    Traveller& traveller_;
    Debuggee& debuggee_;
    Control control_;
    const MomentText text_;
    Connection* connection_ = nullptr;
    Event last_;
    u64 thread_ = 0;      // for registers; 0: the present one
    u64 run_thread_ = 0;  // for steps
    bool ends_ = false, kills_ = false;
    bool is_multiprocess_ = false;  // what gdb understands
    bool knows_execs_ = false;
    // Until it is known which of the two is debugged on: gdb looks at both.
    struct Fork {
        u32 parent, child;
    };
    std::optional<Fork> fork_;
    std::map<int, std::string> open_files_;  // path by number
    int next_file_ = 1;
    struct Mark {
        Ticks tick;
        VirtualTime time;
    };
    std::map<std::string, Mark> marks_;
};

}  // namespace uchronia::debug
