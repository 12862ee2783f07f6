#include "guest/agent/command.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/agent/guest_host.h"

namespace uchronia::agent {
namespace {

constexpr rlim_t kOpenFiles = 1024;
constexpr rlim_t kMostOpenFiles = 1048576;

// Creates a folder and its parents; the ones that are new belong to the user. Best effort: what
// cannot be created, the command will miss in its own way.
void create_for_user(const char* path, const guest::RunDescription& run) {
    char part[4096];
    const std::size_t length = strlen(path);
    if (path[0] != '/' || length >= sizeof part)
        return;
    for (std::size_t end = 1; end <= length; ++end) {
        if (path[end] != '/' && path[end] != '\0')
            continue;
        memcpy(part, path, end);
        part[end] = '\0';
        if (mkdir(part, 0755) == 0 && chown(part, run.uid, run.gid) != 0)
            rmdir(part);
    }
}

[[noreturn]] void fail(const char* name, const char* why, int code) {
    dprintf(STDERR_FILENO, "uchronia: %s: %s\n", name, why);
    _exit(code);
}

void reset_signals() {
    for (int number = 1; number < NSIG; ++number)
        signal(number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
}

// Only PID 1's own failures can make these fail; the child reports them like any other.
void become_user(const guest::RunDescription& run, gid_t* groups) {
    for (std::uint32_t i = 0; i < run.group_count; ++i)
        groups[i] = guest::group_at(run, i);
    if (setgroups(run.group_count, groups) != 0 || setresgid(run.gid, run.gid, run.gid) != 0 ||
        setresuid(run.uid, run.uid, run.uid) != 0)
        fail("cannot become the user", strerror(errno), kCannotExecute);
}

// Whether a program's file is there, as execvp(3) looks for it.
bool is_there(const char* name) {
    if (strchr(name, '/') != nullptr)
        return access(name, F_OK) == 0;
    const char* folders = getenv("PATH");
    while (folders != nullptr && *folders != '\0') {
        const std::size_t size = strcspn(folders, ":");
        char path[4096];
        if (snprintf(path, sizeof path, "%.*s/%s", static_cast<int>(size), folders, name) > 0 &&
            access(path, F_OK) == 0)
            return true;
        folders += size + (folders[size] == ':' ? 1 : 0);
    }
    return false;
}

[[noreturn]] void run_child(const guest::RunDescription& run, const OutputPump& pump,
                            char** arguments, char** environment, gid_t* groups) {
    dup2(pump.child_input(), STDIN_FILENO);
    dup2(pump.child_output(), STDOUT_FILENO);
    dup2(pump.child_error(), STDERR_FILENO);
    setsid();
    if ((run.flags & UCHRONIA_RUN_HAS_TERMINAL) != 0)
        ioctl(STDIN_FILENO, TIOCSCTTY, 0);
    reset_signals();
    const rlimit files{kOpenFiles, kMostOpenFiles};
    setrlimit(RLIMIT_NOFILE, &files);
    become_user(run, groups);
    if (chdir(run.working_directory) != 0)
        fail(run.working_directory, strerror(errno), kCannotExecute);
    environ = environment;
    execvp(arguments[0], arguments);
    if (errno == ENOENT)
        fail(arguments[0],
             is_there(arguments[0]) ? "its interpreter (or dynamic linker) was not found"
                                    : "not found",
             kNotFound);
    fail(arguments[0], strerror(errno), kCannotExecute);
}

template <class T>
T* allocate(std::size_t count) {
    T* memory = static_cast<T*>(calloc(count, sizeof(T)));
    if (memory == nullptr)
        panic("allocate memory");
    return memory;
}

}  // namespace

pid_t start_command(const guest::RunDescription& run, const OutputPump& pump) {
    char** arguments = allocate<char*>(run.arguments.count + std::size_t{1});
    char** environment = allocate<char*>(run.environment.count + std::size_t{1});
    gid_t* groups = allocate<gid_t>(run.group_count + std::size_t{1});
    guest::fill_pointers(run.arguments, arguments);
    guest::fill_pointers(run.environment, environment);

    // An image's user has the home that the image gives him, or none.
    const bool has_image = (run.flags & UCHRONIA_RUN_HAS_IMAGE) != 0;
    for (char** variable = environment; *variable != nullptr && !has_image; ++variable) {
        if (strncmp(*variable, "HOME=", 5) == 0)
            create_for_user(*variable + 5, run);
    }
    create_for_user(run.working_directory, run);

    const pid_t child = fork();
    if (child == 0)
        run_child(run, pump, arguments, environment, groups);
    require(child, "start a process");
    free(arguments);
    free(environment);
    free(groups);
    return child;
}

}  // namespace uchronia::agent
