# needs: /usr/lib/postgresql pgbench
# A database is made, filled and loaded with transactions by several clients.
bin=$(ls -d /usr/lib/postgresql/*/bin)
mkdir /tmp/database && chown postgres /tmp/database
as_postgres() { setpriv --reuid=postgres --regid=postgres --clear-groups -- "$@"; }
[ "$(id -u)" = 0 ] || as_postgres() { "$@"; }
cd /tmp
as_postgres "$bin/initdb" -D /tmp/database >/dev/null
as_postgres "$bin/pg_ctl" -D /tmp/database -w -l /tmp/database/log -o '-k /tmp -p 7778' start >/dev/null
as_postgres "$bin/createdb" -h /tmp -p 7778 bank
as_postgres "$bin/pgbench" -h /tmp -p 7778 -i -q bank 2>&1 | grep -v seconds
as_postgres "$bin/pgbench" -h /tmp -p 7778 -c 4 -j 2 -t 50 bank | grep -E 'transactions|tps'
as_postgres "$bin/psql" -h /tmp -p 7778 -tc 'select count(*), sum(delta) from pgbench_history' bank
as_postgres "$bin/pg_ctl" -D /tmp/database -w -m fast stop >/dev/null
