# needs: sqlite3 python3
# Several processes write to one database with a write-ahead log.
cd /tmp
sqlite3 bank.db 'pragma journal_mode=wal; create table entry(writer int, number int);'
for writer in 1 2 3 4; do
    (for number in $(seq 20); do
        sqlite3 -cmd '.timeout 60000' bank.db "insert into entry values($writer, $number)"
    done) &
done
wait
sqlite3 bank.db 'select writer, count(*), sum(number) from entry group by writer; pragma integrity_check'
python3 - <<'C'
import sqlite3, threading
sqlite3.connect('/tmp/threads.db').execute('create table t(x)')
def write(n):
    connection = sqlite3.connect('/tmp/threads.db', timeout=60)
    for i in range(25):
        with connection:
            connection.execute('insert into t values(?)', (n * 100 + i,))
threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
[t.start() for t in threads]
[t.join() for t in threads]
print(sqlite3.connect('/tmp/threads.db').execute('select count(*), sum(x) from t').fetchone())
C
