"""Runs programs on the host and in a guest."""
import json
import os
import resource
import subprocess
from dataclasses import dataclass, field

HOST_SECONDS = 0.1  # a program that runs longer is left out: some never end
MOST_VIRTUAL = "2000s"

LOOP = 'while read -r p; do text=$(./"$p" 2>&1); echo "$p: $text status $?"; done < '


def limit():
    resource.setrlimit(resource.RLIMIT_CPU, (2, 2))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def line_of(name, folder):
    """What LOOP prints of a program, and the processor's seconds that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(["sh", "-c", f"echo {name} | ({LOOP}/dev/stdin)"], cwd=folder, preexec_fn=limit,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.stdout.decode(errors="replace").rstrip("\n"), after.ru_utime - before.ru_utime


def run_on_host(binaries, folder):
    """A line of output for each, or None if one runs too long or does not always print the same."""
    lines = []
    for binary in binaries:
        (once, seconds), (again, _) = line_of(binary.name, folder), line_of(binary.name, folder)
        if seconds > HOST_SECONDS or once != again:
            return None
        lines.append(once)
    return lines


@dataclass
class GuestRun:
    """Two of one history are equal if the engines agree."""
    outputs: list  # a line for each program; shorter if the run came to an end before
    state: str
    ticks: int
    outcome: str
    command: str = field(compare=False, default="")


class Guest:
    def __init__(self, uchronia, cpu):
        self.uchronia, self.cpu = uchronia, cpu

    def words(self, names, folder, engine):
        """The command that runs the programs: a list in a file, as the loop reads it."""
        file, text = folder / "list", "".join(f"{name}\n" for name in names)
        if not file.exists() or file.read_text() != text:  # the guest sees its time
            file.write_text(text)
        return [str(self.uchronia), "run", "--engine", engine, "--cpu", self.cpu, "--json", "--timeout", MOST_VIRTUAL,
                "--", "sh", "-c", LOOP + "list"]

    def run(self, names, folder, engine):
        words = self.words(names, folder, engine)
        done = subprocess.run(words, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False, env=os.environ)
        said = done.stderr.decode(errors="replace").strip().splitlines()
        try:
            report = json.loads(said[-1])
        except (IndexError, ValueError):
            raise SystemExit(f"{' '.join(words)}: status {done.returncode}: {said[-5:]}") from None
        return GuestRun(lines_of(done.stdout.decode(errors="replace"), names), report["state_hash"], report["ticks"],
                        report["outcome"], command=" ".join(words))


def lines_of(output, names):
    """One for each program, or None where there is none."""
    lines = output.splitlines()
    return [lines[i] if i < len(lines) else None for i in range(len(names))]
