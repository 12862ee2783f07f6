# A load without an end, of many kinds of programs. Each round is another one.
set -u
cp -- *.py *.c *.pl /tmp
cd /tmp
round=0
while :; do
    round=$((round + 1))
    python3 round.py "$round" > data.txt
    bash -c 'declare -A seen; n=0; while read -r word rest; do seen[$word]+=x; n=$((n + ${#rest})); done < data.txt; echo ${#seen[@]} $n' > bash.txt
    perl count.pl data.txt > perl.txt
    awk '{ for (i = 1; i <= NF; ++i) sum += length($i) * NR } END { printf "%.6f\n", sqrt(sum) }' data.txt > awk.txt
    if [ $((round % 3)) -eq 1 ]; then
        gcc "-O$((round % 4))" -DROUND="$round" -o mixed mixed.c -lm -pthread
    fi
    ./mixed "$round" > mixed.txt
    sqlite3 :memory: "CREATE TABLE t(k INTEGER PRIMARY KEY, w TEXT, x REAL);" \
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 20000)
         INSERT INTO t SELECT i, hex(i * $round % 997), i / 7.0 FROM n;" \
        "CREATE INDEX w ON t(w);" \
        "SELECT w, count(*), round(sum(x), 6) FROM t GROUP BY w ORDER BY 2 DESC, 1 LIMIT 20;" > sql.txt
    cat data.txt mixed sql.txt data.txt perl.txt mixed > long
    xz -k -c -2 long > long.xz
    xz -d -c long.xz | cmp - long
    gzip -9 -c data.txt | gzip -d | sort -k 2 | uniq -c | sort -rn | head -n 40 > sort.txt
    openssl enc -aes-256-ctr -pbkdf2 -iter 50 -pass pass:"$round" -S 0011223344556677 -in data.txt 2> /dev/null |
        sha256sum > ssl.txt
    for i in 1 2 3 4 5 6 7 8; do (exit $i) & done
    wait
    sleep 0.3
    echo "round $round: $(cat bash.txt perl.txt awk.txt mixed.txt sql.txt sort.txt ssl.txt | cksum)"
done
