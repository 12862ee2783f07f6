"""The result as a table for people and as JSON."""
import datetime
import json
import math
import platform
import re

from .stream import median

SYSTEMS = ("native", "uchronia", "qemu")
RATIOS = (("uchronia", "native"), ("qemu", "native"), ("qemu", "uchronia"))


class Row:
    """One measured thing: samples in seconds (of one operation, if it is an operation)."""

    def __init__(self, group, name):
        self.group = group
        self.name = name
        self.samples = {system: [] for system in SYSTEMS}
        self.notes = []

    def value(self, system):
        return median(self.samples[system]) if self.samples[system] else None

    def ratio(self, over, under):
        a, b = self.value(over), self.value(under)
        return a / b if a and b else None


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


def geometric_means(rows):
    """For each of RATIOS, over the rows that no system of this group lacks: all means of the same."""
    measured = [system for system in SYSTEMS if any(row.samples[system] for row in rows)]
    complete = [row for row in rows if all(row.samples[system] for system in measured)]
    return [geometric_mean([ratio for row in complete if (ratio := row.ratio(*pair))]) for pair in RATIOS]


def cpu_model():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        found = re.search(r"^model name\s*:\s*(.*)$", file.read(), re.MULTILINE)
    return found.group(1) if found else platform.machine()


def description(settings):
    return {"date": datetime.datetime.now().astimezone().isoformat(timespec="minutes"), "cpu": cpu_model(),
            "host kernel": platform.release(), **settings}


def seconds_text(seconds):
    if seconds is None:
        return "-"
    for factor, unit in ((1, "s"), (1e3, "ms"), (1e6, "µs")):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}" if seconds * factor < 1000 else f"{seconds * factor:.0f} {unit}"
    return f"{seconds * 1e9:.0f} ns"


def ratio_text(ratio):
    return "-" if ratio is None else f"{ratio:.2f}" if ratio < 10 else f"{ratio:.1f}"


def line(*cells):
    name, *rest = cells
    return f"| {name:<22} | " + " | ".join(f"{cell:>15}" for cell in rest) + " |"


def print_group(group, rows):
    """A Markdown table, so that it can be pasted into a page."""
    print()
    print(line(group, *SYSTEMS, *(f"{over}/{under}" for over, under in RATIOS)))
    print(line("---", *(["---:"] * (len(SYSTEMS) + len(RATIOS)))))
    for row in rows:
        print(line(row.name, *(seconds_text(row.value(system)) for system in SYSTEMS),
                   *(ratio_text(row.ratio(*pair)) for pair in RATIOS)))
    means = geometric_means(rows)
    if any(means):
        print(line("geometric mean", "", "", "", *map(ratio_text, means)))


def groups_of(rows):
    groups = {}
    for row in rows:
        groups.setdefault(row.group, []).append(row)
    return groups


def print_table(rows, settings):
    print()
    print(", ".join(f"{key} {value}" for key, value in description(settings).items()))
    for group, members in groups_of(rows).items():
        print_group(group, members)
    notes = [f"{row.name}: {note}" for row in rows for note in row.notes]
    if notes:
        print("\n" + "\n".join(notes), flush=True)


def write_json(path, rows, settings):
    result = {"description": description(settings), "rows": [], "geometric means": {}}
    for row in rows:
        result["rows"].append({
            "group": row.group, "name": row.name, "unit": "s", "samples": row.samples,
            "median": {system: row.value(system) for system in SYSTEMS},
            "ratios": {f"{over}/{under}": row.ratio(over, under) for over, under in RATIOS}, "notes": row.notes})
    for group, members in groups_of(rows).items():
        result["geometric means"][group] = {
            f"{over}/{under}": mean for (over, under), mean in zip(RATIOS, geometric_means(members))}
    with open(path, "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1)
        file.write("\n")
