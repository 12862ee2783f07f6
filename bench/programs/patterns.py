"""Regular expressions on a text."""
import re
import sys

words = ["the", "history", "of", "machine", "that", "runs", "again", "2024-11-05", "every", "bit", "x=17", "clock"]
state = 1
text = []
for _ in range(int(sys.argv[1])):
    state = (state * 6364136223846793005 + 1442695040888963407) % 2 ** 64
    text.append(words[(state >> 33) % len(words)])
text = " ".join(text)
print(len(re.findall(r"(\d{4})-(\d\d)-(\d\d)", text)),
      len(re.findall(r"\b(\w+) (?:\w+ )?\1\b", text)),
      len(re.sub(r"([a-z])=(\d+)", r"\2=\1", text)),
      len(re.split(r"\s+(?:of|the)\s+", text)),
      sum(1 for match in re.finditer(r"[aeiou]{1,2}[^aeiou\s]+y?\b", text) if match.end() % 2))
