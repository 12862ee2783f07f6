"""Reads the output of a measured system line by line and stamps each line with the host's clock."""
import os
import select
import time


class Failure(Exception):
    """A system could not do what was asked; the message says what, and shows its output."""


class StampedLines:
    """The lines of a pipe with the moment at which each arrived."""

    def __init__(self, descriptor):
        self.descriptor = descriptor
        self.rest = b""
        self.ready = []

    def next(self, deadline):
        """(seconds, line) or None at the end of the file; Failure after the deadline."""
        while not self.ready:
            readable, _, _ = select.select([self.descriptor], [], [], max(0, deadline - time.monotonic()))
            if not readable:
                raise Failure(f"no answer in time; the last output was {self.rest[-200:]!r}")
            data = os.read(self.descriptor, 65536)
            now = time.monotonic()
            if not data:
                line, self.rest = self.rest, b""
                return (now, line) if line else None
            *lines, self.rest = (self.rest + data).split(b"\n")
            self.ready = [(now, line.rstrip(b"\r")) for line in lines]
        return self.ready.pop(0)


class MarkedRun:
    """What a program linked with kernels/measure.c said: fed line by line.

    `operations` is how many one run is (0: the processor cannot do it), `runs` the seconds of each,
    with the cost of markers subtracted, and `checksums` the set of their results."""

    def __init__(self):
        self.operations = None
        self.checksums = set()
        self._begin = None
        self._seconds = {b"empty": [], b"run": []}

    def feed(self, now, line):
        words = line.split()
        if words[:1] == [b"@operations"] and len(words) == 2:
            self.operations = int(words[1])
        elif words == [b"@begin"]:
            self._begin = now
        elif words[:1] == [b"@end"] and len(words) == 3:
            self._seconds[words[1]].append(now - self._begin)
            if words[1] == b"run":
                self.checksums.add(words[2].decode())

    @property
    def runs(self):
        if not self._seconds[b"empty"]:
            return []
        overhead = median(self._seconds[b"empty"])
        return [max(0.0, seconds - overhead) for seconds in self._seconds[b"run"]]


def median(values):
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
