"""The three systems that are compared, with the same three methods each:

    marked(program, rounds, scale)  runs a program that is linked with kernels/measure.c: MarkedRun
    wall(words)                     runs a whole program: (seconds, its standard output as bytes)
    close()                         ends whatever is still running

Each fails with Failure. Nothing here looks at a clock inside a guest.
"""
import os
import signal
import subprocess
import time

from .stream import Failure, MarkedRun, StampedLines

TIMEOUT_SECONDS = 1800
LAST_OUTPUT = 400

# As Uchronia's (src/machine/linux_boot.h).
KERNEL_COMMAND_LINE = (
    "console=ttyS0 quiet nokaslr panic=-1 reboot=a mitigations=off random.trust_cpu=on "
    "tsc=reliable no_timer_check nmi_watchdog=0 audit=0 pci=conf1,noearly")


def collect(command, feed, **options):
    """Runs a command; `feed(now, line)` gets its lines. Returns (seconds, output)."""
    begin = time.monotonic()
    output = []
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          **options) as process:
        try:
            lines = StampedLines(process.stdout.fileno())
            while (stamped := lines.next(begin + TIMEOUT_SECONDS)) is not None:
                feed(*stamped)
                output.append(stamped[1])
            status = process.wait()
            seconds = time.monotonic() - begin
        except BaseException:
            process.kill()
            raise
        if status != 0:
            said = process.stderr.read().decode(errors="replace")[-LAST_OUTPUT:]
            raise Failure(f"{' '.join(command)}: status {status}: {said}")
    return seconds, b"\n".join(output)


class OnHost:
    """What Native and Uchronia share: a process on this host for each run."""

    prefix = []
    options = {}

    def marked(self, program, rounds, scale):
        run = MarkedRun()
        collect(self.prefix + [str(program), str(rounds), repr(scale)], run.feed, **self.options)
        return run

    def wall(self, words):
        return collect(self.prefix + list(words), lambda now, line: None, **self.options)

    def close(self):
        pass


class Native(OnHost):
    """This host, with one CPU, as the guests have one too."""

    name = "native"

    def __init__(self, folder, environment):
        cpu = max(os.sched_getaffinity(0))
        self.options = {"cwd": folder, "env": environment,
                        "preexec_fn": lambda: os.sched_setaffinity(0, {cpu})}


class Uchronia(OnHost):
    """`uchronia run`, a machine for each run."""

    name = "uchronia"

    def __init__(self, program, folder, environment, extra):
        self.program = str(program)
        self.extra = list(extra)
        self.folder = folder
        variables = [word for name, value in environment.items() for word in ("--env", f"{name}={value}")]
        self.prefix = [self.program, "run", *self.extra, *variables, "--"]
        self.options = {"cwd": folder}

    def boot(self, cache_folder, kernel):
        """Seconds until the machine has booted, from nothing, in an empty cache folder."""
        begin = time.monotonic()
        command = [self.program, "run", *self.extra, "--", "/bin/true"]
        if "--kernel" not in self.extra:
            command[2:2] = ["--kernel", str(kernel)]
        with subprocess.Popen(command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, env=dict(os.environ, UCHRONIA_CACHE=str(cache_folder))) as run:
            lines = StampedLines(run.stderr.fileno())
            booted = None
            while (stamped := lines.next(begin + TIMEOUT_SECONDS)) is not None:
                if b"base image booted" in stamped[1]:
                    booted = stamped[0] - begin
        if booted is None or run.returncode != 0:
            raise Failure("uchronia did not say that it has booted a base image")
        return booted


class QEMU:
    """qemu-system-x86_64 with TCG and -icount. One machine for all runs, which is stopped (as a
    process) while another system is measured. Its first process is system/qemu_init.c."""

    name = "qemu"

    def __init__(self, kernel, initramfs, environment):
        # The kernel gives words of the form NAME=VALUE that it does not know to the first process.
        variables = "".join(f" {name}={value}" for name, value in environment.items())
        self.command = [
            "qemu-system-x86_64", "-machine", "pc", "-accel", "tcg,thread=single", "-cpu", "max", "-smp", "1",
            "-m", "1G", "-icount", "shift=0,sleep=off", "-nodefaults", "-no-user-config", "-no-reboot",
            "-display", "none", "-serial", "stdio", "-kernel", str(kernel), "-initrd", str(initramfs),
            "-append", KERNEL_COMMAND_LINE + variables]
        self.process = None
        self.lines = None

    def boot(self):
        """Starts the machine, until its first process says that it is there. Returns the seconds."""
        begin = time.monotonic()
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        self.lines = StampedLines(self.process.stdout.fileno())
        seconds = self._read_until(b"@ready", lambda now, line: None) - begin
        self.process.send_signal(signal.SIGSTOP)
        return seconds

    def marked(self, program, rounds, scale):
        run = MarkedRun()
        self._execute(["show", str(program), str(rounds), repr(scale)], run.feed)
        return run

    def wall(self, words):
        stamps = {}
        output = []

        def feed(now, line):
            if line == b"@begin" and not stamps:
                stamps["begin"] = now
            else:
                output.append(line)

        end = self._execute(["show", *words], feed)
        return end - stamps["begin"], b"\n".join(output)

    def close(self):
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None

    def _execute(self, words, feed):
        """Has the machine execute a line. Returns when its end arrived."""
        if self.process is None:
            self.boot()
        status = []
        said = []

        def watch(now, line):
            if line.startswith(b"@exit "):
                status.append(int(line.split()[1]))
            else:
                said.append(line)
                feed(now, line)

        try:
            self.process.send_signal(signal.SIGCONT)
            self.process.stdin.write(" ".join(words).encode() + b"\n")
            self.process.stdin.flush()
            end = self._read_until(b"@exit ", watch)
            self.process.send_signal(signal.SIGSTOP)
        except (Failure, OSError):
            self.close()  # the next run gets a new machine
            raise
        if status != [0]:
            raise Failure(f"in QEMU: {' '.join(words)}: status {status}: {b' '.join(said)[-LAST_OUTPUT:]!r}")
        return end

    def _read_until(self, marker, feed):
        deadline = time.monotonic() + TIMEOUT_SECONDS
        seen = []
        while (stamped := self.lines.next(deadline)) is not None:
            feed(*stamped)
            seen.append(stamped[1])
            if stamped[1].startswith(marker):
                return stamped[0]
        self.process.kill()
        said = self.process.stderr.read().decode(errors="replace")[-LAST_OUTPUT:]
        raise Failure(f"QEMU ended: {said} {b' '.join(seen)[-LAST_OUTPUT:]!r}")
