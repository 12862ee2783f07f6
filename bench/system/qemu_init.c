// The first process of the machine that runs under QEMU: reads commands from the serial port, runs
// each, and says how it ended. It is not used under Uchronia, which has an agent of its own.
//
// A line is "show PROGRAM ARGUMENTS..." (its output goes to the serial port) or "hide PROGRAM ...";
// words are separated by single spaces, and there is no quoting. The answers:
//     @ready          the system is up
//     @begin          the program is about to be started
//     @exit STATUS    it has ended; 128+N for signal N
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum { kMostWords = 64, kLineSize = 4096 };

static void die(const char* what) {
    printf("@failed %s: %s\n", what, strerror(errno));
    fflush(stdout);
    exit(1);  // the kernel panics, and QEMU ends
}

static void mount_one(const char* type, const char* where) {
    mkdir(where, 0755);
    if (mount(type, where, type, 0, NULL) != 0)
        die(where);
}

static void open_console(void) {
    struct termios mode;
    const int console = open("/dev/ttyS0", O_RDWR | O_NOCTTY);
    if (console < 0 || tcgetattr(console, &mode) != 0)
        die("/dev/ttyS0");
    cfmakeraw(&mode);
    tcsetattr(console, TCSANOW, &mode);
    for (int descriptor = 0; descriptor < 3; ++descriptor)
        dup2(console, descriptor);
}

static void start(char** words, int shown) {
    if (!shown) {
        const int nowhere = open("/dev/null", O_WRONLY);
        dup2(nowhere, STDOUT_FILENO);
    }
    close(STDIN_FILENO);
    open("/dev/null", O_RDONLY);
    execv(words[0], words);
    _exit(127);
}

static void execute(char* line) {
    char* words[kMostWords + 1];
    int count = 0;
    char* rest = NULL;
    for (char* word = strtok_r(line, " \n", &rest); word != NULL && count < kMostWords;
         word = strtok_r(NULL, " \n", &rest))
        words[count++] = word;
    words[count] = NULL;
    if (count < 2)
        return;
    dprintf(STDOUT_FILENO, "@begin\n");
    const pid_t child = fork();
    if (child == 0)
        start(words + 1, strcmp(words[0], "show") == 0);
    int status = 0;
    while (waitpid(-1, &status, 0) != child) {
    }
    dprintf(STDOUT_FILENO, "@exit %d\n",
            WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

int main(void) {
    mount_one("proc", "/proc");
    mount_one("sysfs", "/sys");
    mount_one("devtmpfs", "/dev");
    mount_one("tmpfs", "/dev/shm");
    mount_one("tmpfs", "/tmp");
    open_console();
    setenv("PATH", "/usr/local/bin:/usr/bin:/bin", 1);
    dprintf(STDOUT_FILENO, "@ready\n");
    char line[kLineSize];
    FILE* commands = fdopen(dup(STDIN_FILENO), "r");
    while (commands != NULL && fgets(line, sizeof line, commands) != NULL)
        execute(line);
    return 0;
}
