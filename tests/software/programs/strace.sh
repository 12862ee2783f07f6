# needs: strace python3
# System call tracing through forks and threads.
cd /tmp
strace -f -c -o counts sh -c 'for i in 1 2 3; do python3 -c "import threading; t = threading.Thread(target=print, args=($i,)); t.start(); t.join()"; done'
awk '/ (execve|clone3?|write|total)$/ { print $NF, $4 }' counts | sort
strace -f -e trace=write sh -c 'echo traced | cat' 2>&1 | grep -c 'write('
