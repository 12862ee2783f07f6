"""Inputs of the whole programs: pure functions of the scale, written as files."""


class Random:
    """A linear congruential generator, so that inputs are the same everywhere and for ever."""

    def __init__(self, seed):
        self.state = seed

    def below(self, limit):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2 ** 64
        return (self.state >> 33) % limit


def c_expression(random, depth):
    if depth == 0:
        return ("a", "b", "r", "i", "table[i & 15]", str(random.below(1000)))[random.below(6)]
    left, right = c_expression(random, depth - 1), c_expression(random, depth - 1)
    shape = random.below(8)
    if shape == 0:
        return f"({left} < {right} ? {right} : {left})"
    if shape == 1:
        return f"(({left}) << {random.below(7)})"
    return f"({left} {'+-*^&|'[shape - 2]} {right})"


def c_statement(random, number):
    expression = c_expression(random, 2 + random.below(2))
    shape = random.below(6)
    if shape == 0:
        return f"    if (({expression}) % {2 + random.below(9)} == 0)\n        r += state->field{random.below(8)};\n"
    if shape == 1:
        return f"    for (i = 0; i < (a & {3 + random.below(60)}); ++i)\n        r ^= {expression};\n"
    if shape == 2:
        cases = "".join(f"        case {n}: r += {c_expression(random, 2)}; break;\n" for n in range(4 + random.below(5)))
        return f"    switch (r & 15) {{\n{cases}        default: --r;\n    }}\n"
    if shape == 3 and number > 0:
        return f"    r = function{random.below(number)}(state, r, ({expression}));\n"
    if shape == 4:
        return f"    state->field{random.below(8)} = ({expression});\n"
    return f"    r += {expression};\n"


def c_source(functions):
    """A C file of that many functions without any header, of the size of some of sqlite3's."""
    random = Random(1)
    parts = ["struct state { unsigned field0, field1, field2, field3, field4, field5, field6, field7; };\n"
             "unsigned table[16];\n\n"]
    for number in range(functions):
        body = "".join(c_statement(random, number) for _ in range(8 + random.below(20)))
        parts.append(f"unsigned function{number}(struct state* state, unsigned a, unsigned b) {{\n"
                     f"    unsigned r = {random.below(100)}, i = 0;\n{body}    return r + i;\n}}\n\n")
    return "".join(parts)


def sql_script(rows):
    """After sqlite's speed test: inserts, indices, joins, updates, text, aggregates, deletes."""
    random = Random(2)
    values = ",\n".join(f"({n},{random.below(rows)},'name {random.below(10 ** 6)} of {n}')" for n in range(rows))
    return f"""
CREATE TABLE a(id INTEGER PRIMARY KEY, number INTEGER, name TEXT);
BEGIN; INSERT INTO a VALUES
{values};
COMMIT;
CREATE TABLE b AS SELECT id, number * 7 % {rows} AS number, upper(name) AS name FROM a;
CREATE INDEX b_number ON b(number);
CREATE INDEX a_name ON a(name);
SELECT count(*), sum(a.number), min(b.name) FROM a JOIN b ON b.number = a.number;
SELECT count(*) FROM a WHERE name LIKE '%99%' OR name BETWEEN 'name 3' AND 'name 5';
UPDATE a SET number = number * 3 + 1 WHERE id % 3 = 0;
UPDATE b SET name = replace(name, 'NAME', 'x') || number WHERE number > {rows // 2};
SELECT number % 10 AS ten, count(*), max(length(name)), total(id) FROM b GROUP BY ten ORDER BY ten;
WITH RECURSIVE c(n, h) AS (SELECT 1, 1 UNION ALL SELECT n + 1, (h * 31 + n) % 65537 FROM c WHERE n < {rows * 4})
    SELECT max(h), sum(h) FROM c;
DELETE FROM a WHERE id IN (SELECT id FROM b WHERE number % 2 = 0);
SELECT count(*), sum(number), max(name) FROM a;
PRAGMA integrity_check;
"""


def text_data(size):
    """Something that compresses like text and tables do."""
    random = Random(3)
    words = ["".join("etaoinshrdlu"[random.below(12)] for _ in range(2 + random.below(8))) for _ in range(3000)]
    parts = []
    length = 0
    while length < size:
        word = words[random.below(30 if random.below(2) else 3000)]
        part = f"{word} " if random.below(9) else f"{random.below(10 ** 6)}\n"
        parts.append(part)
        length += len(part)
    return "".join(parts)[:size]
