"""Words, numbers and digests of a round, by what an interpreter does all day."""
import decimal
import hashlib
import json
import random
import re
import struct
import sys
import zlib

number = int(sys.argv[1])
random.seed(number)
words = ["".join(random.choice("abcdefghijkl") for _ in range(random.randint(2, 9))) for _ in range(400)]
table = {}
for line in range(700):
    word = random.choice(words)
    table.setdefault(word, []).append(random.gauss(line, number))
    print(word, line * number % 9973, f"{random.random():.12f}", hex(random.getrandbits(70)))
for word in sorted(table):
    values = table[word]
    print(word, len(values), repr(sum(values) / len(values)), repr(max(values) ** 0.5 if max(values) > 0 else 0.0))
text = json.dumps(table, sort_keys=True)
print("json", len(json.loads(text)), zlib.crc32(zlib.compress(text.encode(), 6)))
print("hash", hashlib.sha256(text.encode()).hexdigest(), hashlib.blake2b(text.encode()).hexdigest()[:32])
print("regex", len(re.findall(r"(a[b-f]+)\1?|[g-l]{3,}", " ".join(words))))
print("pack", struct.pack("<dfqH", number / 3, number / 7, -number, number % 65536).hex())
queens = 0
stack = [(0, 0, 0, 0)]
while stack:
    row, columns, left, right = stack.pop()
    if row == 7:
        queens += number
        continue
    for column in range(7):
        bit = 1 << column
        if not (columns & bit or left & 1 << (row + column) or right & 1 << (row - column + 7)):
            stack.append((row + 1, columns | bit, left | 1 << (row + column), right | 1 << (row - column + 7)))
print("queens", queens)
decimal.getcontext().prec = 60
print("decimal", decimal.Decimal(number).sqrt(), pow(number + 2, 10**5, 2**127 - 1))
