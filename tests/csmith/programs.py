"""Random programs: their sources, and the builds that are made of them."""
import itertools
import random
import subprocess
from dataclasses import dataclass

INCLUDE = "/usr/include/csmith"
COMPILE_SECONDS = 60

# What every second program or so has beyond plain integers.
KINDS = (
    [],
    ["--float"],
    ["--builtins"],  # POPCNT, LZCNT, TZCNT, BSWAP
    ["--builtins", "--float"],
)
SMALL = ["--max-funcs", "4", "--max-block-depth", "3", "--max-expr-complexity", "8"]


@dataclass(frozen=True)
class Build:
    compiler: str
    flags: tuple

    @property
    def name(self):
        return "".join(word for word in (self.compiler,) + self.flags).replace("=", "")

    def command(self, source, binary):
        return [self.compiler, "-w", *self.flags, "-I", INCLUDE, source, "-o", binary, "-lm"]


def host_has_v3():
    """Whether the host can be the witness of AVX2, FMA and BMI."""
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        flags = next((line.split() for line in file if line.startswith("flags")), ())
    return {"avx2", "fma", "bmi1", "bmi2", "f16c", "abm", "movbe"} <= set(flags)


BUILDS = [Build(compiler, (level, *march))
          for level, compiler, march in itertools.product(
              ("-O0", "-O1", "-O2", "-O3"), ("gcc", "clang"), ((), ("-march=x86-64-v3",)))
          if not march or host_has_v3()]


def builds_of(seed, count):
    """Each build comes as often as every other."""
    return random.Random(seed).sample(BUILDS, min(count, len(BUILDS)))


class Source:
    """A program's name, its text, and how it was made."""

    def __init__(self, name, text, command):
        self.name, self.text, self.command = name, text, command

    @classmethod
    def by_csmith(cls, seed, small, folder):
        words = ["csmith", "--seed", str(seed), *KINDS[seed % len(KINDS)], *(SMALL if small else [])]
        text = subprocess.run(words, stdout=subprocess.PIPE, check=True, text=True, cwd=folder).stdout
        return cls(f"p{seed}", text, f"{' '.join(words)} > p{seed}.c")

    @classmethod
    def from_file(cls, path):
        return cls(path.stem, path.read_text(), f"cp {path.resolve()} {path.stem}.c")


class Binary:
    """A build of a program, in a folder."""

    def __init__(self, source, build):
        self.source, self.build = source, build
        self.name = f"{source.name}-{build.name}"

    def commands(self):
        """How it is made, for a person."""
        return [self.source.command, " ".join(self.build.command(f"{self.source.name}.c", self.name))]


def compile_all(source, builds, folder):
    """Those that the compilers make: now and then one of them gives up."""
    file = folder / f"{source.name}.c"
    file.write_text(source.text)
    made = []
    for build in builds:
        binary = Binary(source, build)
        try:
            done = subprocess.run(build.command(file.name, binary.name), cwd=folder, timeout=COMPILE_SECONDS,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        except subprocess.TimeoutExpired:
            continue
        if done.returncode == 0:
            made.append(binary)
    return made
