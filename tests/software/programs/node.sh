# needs: node
# A JavaScript engine with its own compilers, worker threads, an HTTP server and its client.
cat >/tmp/node.js <<'C'
const {Worker, isMainThread, parentPort, workerData} = require('worker_threads');
const http = require('http');
function primes(limit) {
    const sieve = new Uint8Array(limit);
    let count = 0;
    for (let i = 2; i < limit; ++i) {
        if (sieve[i]) continue;
        ++count;
        for (let j = i * 2; j < limit; j += i) sieve[j] = 1;
    }
    return count;
}
if (!isMainThread) {
    parentPort.postMessage(primes(workerData));
} else {
    let left = 3;
    for (const limit of [100000, 200000, 300000]) {
        new Worker(__filename, {workerData: limit}).on('message', (count) => {
            console.log('primes below', limit, count);
            if (--left === 0) serve();
        });
    }
    function serve() {
        let seen = 0;
        const server = http.createServer((request, response) => response.end('answer ' + request.url));
        server.listen(7780, '127.0.0.1', () => {
            for (let i = 0; i < 50; ++i) {
                http.get('http://127.0.0.1:7780/' + i, (response) => {
                    response.resume();
                    response.on('end', () => {
                        if (++seen === 50) { console.log('served', seen); process.exit(0); }
                    });
                });
            }
        });
    }
}
C
node /tmp/node.js
