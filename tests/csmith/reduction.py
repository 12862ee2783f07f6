"""Reduces what differs, and prints commands that repeat it."""
import subprocess
import sys

from programs import BUILDS, Source, compile_all
from runs import run_on_host

INTERVAL = 1_000_000  # ticks between the states that the search for a tick compares
CANDIDATES = 12       # sources that are tried in one guest


def say(*words):
    print(*words, sep="")
    sys.stdout.flush()


def differing(guest, source, builds, folder):
    """The builds that a guest runs otherwise than the host: (binary, wanted, got)."""
    made = compile_all(source, builds, folder)
    wanted = run_on_host(made, folder) if made else None
    if not wanted:
        return []
    got = guest.run([binary.name for binary in made], folder, "interp").outputs
    return [row for row in zip(made, wanted, got) if row[1] != row[2]]


def candidates_of(lines, size):
    """The text without a run of `size` lines, for each such run."""
    for first in range(0, len(lines), size):
        yield lines[:first] + lines[first + size:]


def first_failing(guest, sources, build, folder):
    """The index of the first source whose build differs; all of them run in one guest."""
    made, wanted = [], []
    for index, source in enumerate(sources):
        for binary in compile_all(source, [build], folder):
            lines = run_on_host([binary], folder)
            if lines:
                made.append((index, binary))
                wanted += lines
    if not made:
        return None
    got = guest.run([binary.name for _, binary in made], folder, "interp").outputs
    return next((index for (index, _), a, b in zip(made, wanted, got) if a != b), None)


def reduce_lines(guest, source, build, folder, attempts):
    """The source without the lines that do not matter, as far as leaving out runs of them leads."""
    lines = source.text.splitlines()
    size = max(1, len(lines) // 4)
    while size >= 1 and attempts > 0:
        position, smaller = 0, False
        choices = list(candidates_of(lines, size))
        while position < len(choices) and attempts > 0:
            tried = choices[position:position + CANDIDATES]
            attempts -= len(tried)
            sources = [Source(f"try{i}", "\n".join(text) + "\n", "") for i, text in enumerate(tried)]
            found = first_failing(guest, sources, build, folder)
            if found is None:
                position += CANDIDATES
                continue
            first = position + found
            lines, smaller = tried[found], True
            choices = list(candidates_of(lines, size))
            position = first
        if size == 1 and not smaller:
            break
        size = size // 2 if size > 1 or not smaller else 1
    return Source(f"{source.name}-reduced", "\n".join(lines) + "\n", "")


def report_output(options, guest, binary, folder):
    """A program that does not print in the guest what it prints on the host."""
    say(f"{binary.name} differs from the host:")
    rows = differing(guest, binary.source, BUILDS, folder)
    for row in rows:
        say(f"  {row[0].build.name}: the host {row[1]!r}, the guest {row[2]!r}")
    if not rows:
        say("  not when it runs with its other builds only: repeat the whole batch")
    else:
        smallest = reduce_lines(guest, binary.source, binary.build, folder, options.lines)
        (folder / f"{smallest.name}.c").write_text(smallest.text)
        say(f"  {len(smallest.text.splitlines())} of {len(binary.source.text.splitlines())} lines still differ: "
            f"{folder / smallest.name}.c")
        say(f"  again: tests/csmith/compare --cpu {options.cpu} --source {folder / smallest.name}.c")
    say("  by hand, in ", folder, ":")
    for command in binary.commands():
        say("    ", command)
    for engine in ("jit", "interp"):
        say(f"    {options.uchronia} run --cpu {options.cpu} --engine {engine} -- ./{binary.name}")


def engines_differ(guest, names, folder):
    return guest.run(names, folder, "jit") != guest.run(names, folder, "interp")


def report_engines(options, guest, binaries, folder):
    """The engines end in different states: to the fewest programs, and the first tick."""
    names = [binary.name for binary in binaries]
    say("the engines end in different states: ")
    if not engines_differ(guest, names, folder):
        say("  not when it runs again: a run is not a function of its history")
        return
    size = len(names) // 2
    while size >= 1:
        for first in range(0, len(names), size):
            rest = names[:first] + names[first + size:]
            if rest and engines_differ(guest, rest, folder):
                names = rest
                break
        else:
            size //= 2
    say("  the fewest programs: ", ", ".join(names))
    for binary in binaries:
        if binary.name in names:
            for command in binary.commands():
                say("    ", command)
    words = guest.words(names, folder, "interp")
    say(f"  in {folder}: ", " ".join(words[:-1]), f" '{words[-1]}'")
    command = words[words.index("--"):]
    search = [str(options.soak), "--seed", "0", "--interpret", "100", "--interval", str(INTERVAL), "--ticks", "1e12",
              *command]
    say("  the first tick: ", " ".join(search[:-1]), f" '{search[-1]}'")
    if options.soak.exists():
        subprocess.run(search, cwd=folder, check=False)
