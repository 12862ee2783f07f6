"""Compiles the measured programs and packs the initramfs for QEMU."""
import glob
import os
import re
import stat
import subprocess
from pathlib import Path

from .stream import Failure

BENCH = Path(__file__).resolve().parent.parent
FLAGS = ["-O2", "-static", "-s", "-Wall", "-Wextra", "-Werror", f"-iquote{BENCH}"]  # -I would make <compare> our script


def programs_in(group):
    """Names of the programs in bench/kernels or bench/system, in order."""
    files = [*(BENCH / group).glob("*.c"), *(BENCH / group).glob("*.cc")]
    return sorted(file.stem for file in files if file.stem not in ("measure", "qemu_init"))


def source_of(group, name):
    in_c = BENCH / group / f"{name}.c"
    return in_c if in_c.exists() else in_c.with_suffix(".cc")


def compile_to(target, sources):
    """A static program from C or C++; nothing if it is newer than all that it may depend on."""
    inputs = [*sources, *BENCH.glob("*/*.h"), Path(__file__)]
    if target.exists() and target.stat().st_mtime > max(file.stat().st_mtime for file in inputs):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    in_cxx = any(source.suffix == ".cc" for source in sources)
    objects = []
    for source in sources:
        compiler = ["g++", "-std=c++20"] if source.suffix == ".cc" else ["gcc", "-std=gnu11"]
        objects.append(target.parent / f"{target.name}.{source.stem}.o")
        call([*compiler, *FLAGS, "-c", str(source), "-o", str(objects[-1])])
    call(["g++" if in_cxx else "gcc", *FLAGS, *map(str, objects), "-lm", "-o", str(target)])
    for file in objects:
        file.unlink()


def call(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failure(f"{' '.join(command)}:\n{done.stderr[:2000]}")
    return done.stdout


def build_program(folder, group, name):
    target = folder / group / name
    compile_to(target, [source_of(group, name), BENCH / "kernels/measure.c"])
    return target


def build_init(folder):
    target = folder / "qemu_init"
    compile_to(target, [BENCH / "system/qemu_init.c"])
    return target


def find_kernel():
    """The newest cloud kernel that is installed, or that tools/setup unpacked into the cache."""
    cache = os.environ.get("UCHRONIA_CACHE") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "uchronia")
    for boot in ("/boot", os.path.join(cache, "kernel/boot")):
        found = glob.glob(f"{boot}/vmlinuz-*-cloud-amd64")
        if found:
            return max(found, key=lambda path: [int(number) for number in re.findall(r"\d+", os.path.basename(path))])
    raise Failure("there is no guest kernel; install linux-image-cloud-amd64, or name one with --kernel")


# --- The initramfs -------------------------------------------------------------------------------

class Archive:
    """A "newc" cpio archive (the kernel's early-userspace/buffer-format.rst) of host files, each at
    its own path, with the symbolic links on the way there."""

    def __init__(self):
        self.entries = {}  # path without the leading slash -> (mode, time, contents, device)

    def add_path(self, path):
        """A file of the host, and what the path leads through."""
        parts = [part for part in str(path).split("/") if part]
        at = ""
        while parts:
            at = os.path.normpath(f"{at}/{parts.pop(0)}")
            status = os.lstat(at)
            if stat.S_ISLNK(status.st_mode):
                target = os.readlink(at)
                self.entries[at[1:]] = (status.st_mode, 0, target.encode(), 0)
                base = "" if target.startswith("/") else os.path.dirname(at)
                parts = [part for part in f"{base}/{target}".split("/") if part] + parts
                at = ""
            elif stat.S_ISDIR(status.st_mode):
                self.entries.setdefault(at[1:], (0o40755, 0, b"", 0))
            else:
                contents = Path(at).read_bytes()
                self.entries[at[1:]] = (stat.S_IFREG | 0o755, int(status.st_mtime), contents, 0)

    def add_program(self, path):
        """A program with its shared libraries."""
        self.add_path(path)
        listed = subprocess.run(["ldd", str(path)], capture_output=True, text=True, check=False).stdout
        for library in re.findall(r"(/\S+)", listed):
            if os.path.exists(library):
                self.add_path(library)

    def add_contents(self, name, contents, mode=0o100755, device=0):
        self.entries[name] = (mode, 0, contents, device)

    def write(self, path):
        with open(path, "wb") as out:
            for number, (name, entry) in enumerate(sorted(self.entries.items()), 1):
                write_entry(out, number, name, *entry)
            write_entry(out, 0, "TRAILER!!!", 0, 0, b"", 0)


def write_entry(out, number, name, mode, time, contents, device):
    encoded = name.encode() + b"\0"
    major, minor = device >> 8, device & 255
    fields = (number, mode, 0, 0, 1, time, len(contents), 0, 0, major, minor, len(encoded), 0)
    header = b"070701" + b"".join(b"%08x" % field for field in fields) + encoded
    out.write(header + b"\0" * (-len(header) % 4))
    out.write(contents + b"\0" * (-len(contents) % 4))


def new_archive(init):
    archive = Archive()
    for folder in ("dev", "proc", "sys", "tmp"):
        archive.add_contents(folder, b"", 0o40755)
    archive.add_contents("dev/console", b"", 0o20600, 5 << 8 | 1)
    archive.add_contents("init", Path(init).read_bytes())
    return archive
