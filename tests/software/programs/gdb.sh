# needs: gdb gcc
# A debugger on a program with threads: breakpoints, watchpoints, single steps, signals.
cd /tmp
cat >debugged.c <<'C'
#include <pthread.h>
#include <stdio.h>
int counter;
static void *work(void *unused) {
    for (int i = 0; i < 5; ++i) counter += i;
    return unused;
}
int main(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, work, NULL);
    pthread_join(thread, NULL);
    printf("%d\n", counter);
    return 0;
}
C
gcc -g -pthread -o debugged debugged.c
gdb -q -batch -nx -ex 'set debuginfod enabled off' -ex 'break work' -ex run -ex 'info threads' -ex 'watch counter' -ex continue -ex continue \
    -ex 'bt 1' -ex 'stepi 20' -ex 'info watchpoints' -ex 'delete' -ex continue ./debugged 2>&1 |
    grep -vE '^(Using host|warning|Download)'
