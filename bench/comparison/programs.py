"""The whole programs: what is run, on which inputs, and which files of the host they read."""
import os
import shutil
import subprocess
import sys
from pathlib import Path

from .build import BENCH
from .inputs import c_source, sql_script, text_data

# Disables AES, PCLMUL and SHA instructions, so that all systems use the same code of OpenSSL's.
ENVIRONMENT = {"OPENSSL_ia32cap": "~0x200000200000000:~0x20000000"}

LIST_MODULES = """
import os, runpy, sys
sys.argv = sys.argv[1:]
own = dict(sys.modules)
runpy.run_path(sys.argv[0], run_name="__main__")
for module in list(sys.modules.values()):
    for path in (getattr(module, "__file__", None), getattr(module, "__cached__", None)):
        if path and os.path.exists(path):
            print("@file", path)
"""


class WholeProgram:
    """A program with its words. `tools` are executables that it needs; `files` what else it reads."""

    def __init__(self, name, words, tools, files=()):
        self.name = name
        self.words = [str(word) for word in words]
        self.tools = [shutil.which(tool) or str(tool) for tool in tools]
        self.files = list(files)

    @property
    def missing(self):
        return [tool for tool in self.tools if not os.path.isfile(tool)]

    def add_to(self, archive):
        for tool in self.tools:
            archive.add_program(tool)
        for file in self.files:
            archive.add_path(file)


def written(path, contents):
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text() != contents:
        path.write_text(contents)
    return path


def python_program(name, script, folder, argument):
    """Debian's Python, else the one that runs this."""
    python = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else os.path.realpath(sys.executable)
    copy = written(folder / script, (BENCH / "programs" / script).read_text())
    words = [python, "-I", copy, str(argument)]
    return WholeProgram(f"python3 {name}", words, [python], [copy])


def python_files(program):
    """What the interpreter loads for this program, asked of the interpreter itself."""
    python, *rest = program.words
    done = subprocess.run([python, "-I", "-c", LIST_MODULES, rest[1], "1"], capture_output=True, text=True, check=True)
    return [line.split(" ", 1)[1] for line in done.stdout.splitlines() if line.startswith("@file ")]


def gcc_program(folder, scale, source):
    if source is None:
        source = written(folder / "generated.c", c_source(max(3, int(40 * scale))))
    else:
        source = Path(shutil.copy(source, folder / "given.c"))
    script = written(folder / "gcc.sh", f"set -e\ngcc -O2 -c {source} -o /tmp/uchronia-compare.o\n"
                     "sha256sum < /tmp/uchronia-compare.o\nrm /tmp/uchronia-compare.o\n")
    compiler = subprocess.run(["gcc", "-print-prog-name=cc1"], capture_output=True, text=True, check=True)
    tools = ["/bin/sh", "gcc", "as", "sha256sum", "rm", compiler.stdout.strip()]
    read = subprocess.run(["gcc", "-M", str(source)], capture_output=True, text=True, check=True)
    headers = [word for word in read.stdout.split() if word.startswith("/") and os.path.isfile(word)]
    return WholeProgram("gcc -O2", ["/bin/sh", script], tools, [source, script, *headers])


def redis_program(folder, scale):
    """Its own start and end are measured too; requests are what it does most."""
    script = written(folder / "redis.sh", f"""cd /tmp
redis-server --port 0 --unixsocket /tmp/redis.sock --save '' --daemonize yes --logfile /dev/null >/dev/null
until redis-cli -s /tmp/redis.sock ping >/dev/null 2>&1; do sleep 0.01; done
redis-benchmark -s /tmp/redis.sock -n {max(100, int(30000 * scale))} -c 10 -t set,get,lpush,lpop -q >/dev/null
redis-cli -s /tmp/redis.sock shutdown nosave >/dev/null
""")
    tools = ["/bin/sh", "redis-server", "redis-cli", "redis-benchmark", "sleep"]
    return WholeProgram("redis-benchmark", ["/bin/sh", script], tools, [script])


def whole_programs(folder, scale, c_file):
    """All of them, with their inputs written to `folder`. Those with `missing` tools cannot run."""
    sql = written(folder / "speed.sql", sql_script(max(100, int(60000 * scale))))
    data = written(folder / "data.txt", text_data(int(2e6 * scale)))
    large = written(folder / "large.txt", text_data(1 << 16) * max(1, int(1600 * scale)))
    xz = written(folder / "xz.sh", f"xz -4 -T1 -c {data} | sha256sum\n")
    encrypt = written(folder / "encrypt.sh", "openssl enc -aes-256-ctr -K 00112233 -iv 44556677 2>/dev/null "
                      f"-in {large} | tail -c 64 | sha256sum\n")
    return [
        gcc_program(folder, scale, c_file),
        WholeProgram("sqlite3 speed test", ["/usr/bin/sqlite3", "-batch", "-init", sql, ":memory:", ".quit"],
                     ["/usr/bin/sqlite3"], [sql]),
        python_program("queens", "queens.py", folder, max(1, int(150 * scale))),
        python_program("json, sorting", "objects.py", folder, max(10, int(40000 * scale))),
        python_program("regex", "patterns.py", folder, max(10, int(300000 * scale))),
        WholeProgram("xz", ["/bin/sh", xz], ["/bin/sh", "xz", "sha256sum"], [data, xz]),
        WholeProgram("openssl sha256", ["/usr/bin/openssl", "dgst", "-sha256", large], ["openssl"],
                     [large, "/usr/lib/ssl/openssl.cnf"]),
        WholeProgram("openssl aes-256-ctr", ["/bin/sh", encrypt], ["/bin/sh", "openssl", "tail", "sha256sum"],
                     [large, encrypt, "/usr/lib/ssl/openssl.cnf"]),
        redis_program(folder, scale),
    ]


def smallest_program():
    """What `uchronia run -- true` costs is what every run costs."""
    return WholeProgram("true", ["/bin/true"], ["/bin/true"])
