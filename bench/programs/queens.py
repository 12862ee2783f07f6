"""Solutions of the n queens problem, by sets: calls, generators, integers."""
import sys


def solutions(size, row=0, columns=0, left=0, right=0):
    if row == size:
        return 1
    count = 0
    for column in range(size):
        bit = 1 << column
        if not (columns & bit or left & bit or right & bit):
            count += solutions(size, row + 1, columns | bit, (left | bit) << 1, (right | bit) >> 1)
    return count


print(sum(solutions(7) for _ in range(int(sys.argv[1]))))
