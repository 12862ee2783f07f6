# needs: redis-server redis-benchmark redis-cli
# A server and its benchmark over loopback: many small messages, persistence by fork.
cd /tmp
redis-server --port 7777 --save '' --daemonize yes --logfile /tmp/redis.log --dir /tmp >/dev/null
until redis-cli -p 7777 ping >/dev/null 2>&1; do sleep 0.1; done
redis-benchmark -p 7777 -n 5000 -c 20 -q -t ping,set,get,incr,lpush,mset | tr '\r' '\n' | grep 'requests per second'
redis-cli -p 7777 bgsave
until [ -s /tmp/dump.rdb ]; do sleep 0.1; done
redis-cli -p 7777 shutdown nosave
