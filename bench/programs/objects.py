"""JSON there and back, dictionaries, sorting and string methods."""
import json
import sys


def records(count):
    state = 1
    for number in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2 ** 64
        yield {"id": number, "name": f"name {state >> 40}", "values": [state % 97, state % 1009 / 8],
               "tags": {"even": number % 2 == 0, "key": hex(state >> 32)}}


text = json.dumps(list(records(int(sys.argv[1]))))
again = json.loads(text)
again.sort(key=lambda record: (record["values"][0], record["name"]))
groups = {}
for record in again:
    groups.setdefault(record["name"].split()[1][:2], []).append(record["tags"]["key"].upper())
print(len(text), len(groups), sum(len("".join(keys)) for keys in groups.values()), again[0]["id"])
