// uchronia debug: gdb on a recorded history, forwards and backwards.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>

#include "cli/commands.h"
#include "cli/engine_option.h"
#include "cli/exit_status.h"
#include "cli/message.h"
#include "cli/moments.h"
#include "cli/opened_history.h"
#include "cli/units.h"
#include "debug/gdb_server.h"

extern char** environ;

namespace uchronia::cli {
namespace {

constexpr char kFooter[] = R"(
The program is seen as on the day: 'break main', 'continue', 'bt', 'watch x', and back again with
'reverse-continue', 'reverse-step', 'reverse-stepi'. At a crash, 'watch' and 'reverse-continue' tell
who wrote last what is wrong. It begins at the program's first instruction.

In gdb, 'monitor when' tells the moment, 'monitor seek MOMENT' goes to another one (follow it with
'maintenance flush register-cache'), 'monitor mark NAME' and 'monitor marks' keep some.
Nothing can be written: the past is as it was.

On a terminal gdb is started at once. Otherwise, and with --port, the line to start it is printed.

Examples:
  uchronia debug last
  uchronia debug crash.uch --at end
  uchronia debug last --process nginx --port 1234
)";

constexpr char kLoopback[] = "127.0.0.1";
constexpr u64 kLargestFile = u64{1} << 30;
constexpr unsigned kMostLinks = 40;

struct Options {
    std::string file, at, process;
    int port = -1;  // any
    machine::Engine engine = machine::Engine::kTranslator;
};

debug::Choice choice_of(const std::string& text) {
    if (text.empty())
        return {};
    if (text == "machine")
        return {.kind = debug::Choice::Kind::kMachine};
    u32 number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size())
        return {.kind = debug::Choice::Kind::kNumber, .number = number};
    return {.kind = debug::Choice::Kind::kName, .name = text};
}

// A path without symbolic links, ".", "..": the file source follows none.
std::string resolved(host::FileSource& files, std::string path) {
    std::string done;
    unsigned links = 0;
    while (!path.empty()) {
        const std::size_t begin = path.find_first_not_of('/');
        if (begin == std::string::npos)
            break;
        const std::size_t end = path.find('/', begin);
        const std::string name = path.substr(begin, end - begin);
        const std::string rest = end == std::string::npos ? "" : path.substr(end);
        path = rest;
        if (name == ".")
            continue;
        if (name == "..") {
            done.erase(std::min(done.rfind('/'), done.size()));
            continue;
        }
        const std::string next = done + "/" + name;
        const auto found = files.attributes(next);
        if (!found.ok() || !found->is_symlink() || ++links > kMostLinks) {
            done = next;
            continue;
        }
        const host::FileResult<std::string> target = files.read_link(next);
        if (!target.ok())
            return next;
        if (target->starts_with("/"))
            done.clear();
        path = *target + rest;
    }
    return done;
}

Result<std::vector<u8>> read_whole(host::FileSource& files, const std::string& name) {
    const std::string path = resolved(files, name);
    const host::FileResult<host::FileAttributes> found = files.attributes(path);
    if (!found.ok() || !found->is_regular() || found->size > kLargestFile)
        return Error{"the guest has no file " + name};
    std::vector<u8> bytes(found->size);
    const host::FileResult<u64> count = files.read(path, 0, bytes);
    if (!count.ok() || *count != bytes.size())
        return Error{"the guest's file " + name + " cannot be read"};
    return bytes;
}

std::string moment_text(Ticks tick, VirtualTime time) {
    return "#" + std::to_string(tick.value) + " (" + format_seconds(time.value) + ")";
}

Error socket_error(const std::string& what) {
    return Error{what + ": " + std::strerror(errno)};
}

// A socket that listens on the loopback interface; `port` 0: any, and which it is.
Result<host::FileDescriptor> listen_on(int& port) {
    host::FileDescriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<u16>(port));
    ::inet_pton(AF_INET, kLoopback, &address.sin_addr);
    const int yes = 1;
    ::setsockopt(listener.number(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener.number(), generic, size) != 0 || ::listen(listener.number(), 1) != 0 ||
        ::getsockname(listener.number(), generic, &size) != 0)
        return socket_error("port " + std::to_string(port) + " cannot be used");
    port = ntohs(address.sin_port);
    return listener;
}

// The next one that connects; nothing: the child has ended instead.
host::FileDescriptor accept_from(const host::FileDescriptor& listener, pid_t child) {
    constexpr int kLookInterval = 100;  // ms
    for (;;) {
        pollfd wanted{.fd = listener.number(), .events = POLLIN, .revents = 0};
        const int ready = ::poll(&wanted, 1, child > 0 ? kLookInterval : -1);
        if (ready > 0)
            return host::FileDescriptor(
                ::accept4(listener.number(), nullptr, nullptr, SOCK_CLOEXEC));
        siginfo_t info{};
        if (child > 0 &&
            ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
            info.si_pid == child)
            return host::FileDescriptor();
    }
}

std::vector<std::string> gdb_arguments(int port) {
    return {"gdb", "-q", "-ex",
            "target remote " + std::string(kLoopback) + ":" + std::to_string(port)};
}

// After a command that moves the machine without gdb's knowing, gdb forgets what it has read.
constexpr char kForgets[] =
    R"(python gdb.execute("define hookpost-monitor\n)"
    R"(maintenance flush register-cache\nmaintenance flush dcache\nend", to_string=True))";

// 0: there is none.
pid_t start_gdb(int port) {
    std::vector<std::string> arguments = gdb_arguments(port);
    arguments.insert(arguments.end(), {"-ex", kForgets});
    std::vector<char*> pointers;
    for (const std::string& argument : arguments)
        pointers.push_back(const_cast<char*>(argument.c_str()));
    pointers.push_back(nullptr);
    pid_t child = 0;
    if (::posix_spawnp(&child, "gdb", nullptr, nullptr, pointers.data(), environ) != 0)
        return 0;
    return child;
}

Status serve(debug::GDBServer& server, const host::FileDescriptor& listener, pid_t child) {
    for (;;) {
        host::FileDescriptor socket = accept_from(listener, child);
        if (!socket)
            return {};
        debug::Connection connection(std::move(socket));
        if (server.serve(connection) || child > 0)
            return {};
    }
}

int run_server(debug::GDBServer& server, const Options& options) {
    int port = std::max(options.port, 0);
    const Result<host::FileDescriptor> listener = listen_on(port);
    if (!listener)
        return fail(listener.error(), kHostError);
    const bool on_terminal = ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1;
    pid_t child = 0;
    if (on_terminal && options.port < 0) {
        // Ctrl-C is gdb's, which tells us.
        std::signal(SIGINT, SIG_IGN);
        child = start_gdb(port);
    }
    if (child == 0) {
        std::string line;
        for (const std::string& argument : gdb_arguments(port))
            line += (line.empty() ? "" : " ") +
                    (argument.find(' ') == std::string::npos ? argument : "'" + argument + "'");
        std::printf("%s\n", line.c_str());
        std::fflush(stdout);
        say("start gdb so; Ctrl-C ends");
    }
    const Status status = serve(server, *listener, child);
    if (child > 0)
        ::waitpid(child, nullptr, 0);
    return status ? kSuccess : fail(status.error(), kHostError);
}

int debug_history(const Options& options) {
    Result<NamedMoment> named = named_moment(options.file, options.at);
    if (!named)
        return fail(named.error(), kHostError);
    const bool has_moment = !options.at.empty() || named->history != options.file;
    Result<std::unique_ptr<OpenedHistory>> opened =
        OpenedHistory::open(named->history, options.engine);
    if (!opened)
        return fail(opened.error(), kHostError);
    OpenedHistory& history = **opened;
    debug::Traveller traveller(history.timeline());
    host::FileSource* const files = history.loaded().files.get();
    const auto read_file = [files](const std::string& path) -> Result<std::vector<u8>> {
        return files == nullptr ? Error{"the guest has no files from outside"}
                                : read_whole(*files, path);
    };
    Result<std::unique_ptr<debug::Debuggee>> debuggee =
        debug::Debuggee::find(traveller, choice_of(options.process), read_file);
    if (!debuggee)
        return fail(debuggee.error(), kHostError);
    debug::GDBServer server(traveller, **debuggee, {.parse = parse_moment, .format = moment_text});
    if (has_moment) {
        if (Status status = server.go_to(named->moment); !status)
            return fail(status.error(), kHostError);
    }
    const int status = run_server(server, options);
    history.loaded().say_what_is_not_as_recorded(history.timeline().run());
    return status;
}

}  // namespace

Command add_debug_command(CLI::App& parent) {
    CLI::App* app = parent.add_subcommand("debug", "Runs gdb on a history, also backwards");
    auto options = std::make_shared<Options>();
    app->add_option("HISTORY", options->file, "The history, or 'last'; with @MOMENT, from there")
        ->required();
    app->add_option("--at", options->at, "Begins at this moment: #250000, 1.5s, end")
        ->type_name("MOMENT");
    app->add_option("--process", options->process,
                    "The program to debug: its name, its number in the guest, or 'machine' for all "
                    "CPUs without any; by default the run's command")
        ->type_name("NAME|PID");
    app->add_option("--port", options->port,
                    "Serves gdb at this port of the loopback interface (0: any) and starts none")
        ->check(CLI::Range(0, 65535))
        ->type_name("N");
    add_engine_option(*app, options->engine);
    app->footer(kFooter);
    return {.app = app,
            .run = [options](const auto&) { return debug_history(*options); },
            .takes_command = false};
}

}  // namespace uchronia::cli
