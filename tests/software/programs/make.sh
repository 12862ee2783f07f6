# needs: make gcc
# Parallel compilation.
mkdir /tmp/project && cd /tmp/project
for i in 1 2 3 4 5 6; do
    cat >f$i.c <<C
#include <stdio.h>
int f$i(int n) {
    int sum = 0;
    for (int j = 0; j < n; ++j) sum += j * $i;
    return printf("%d\\n", sum);
}
C
done
echo 'int f1(int),f2(int),f3(int),f4(int),f5(int),f6(int);
int main(void) { f1(10); f2(10); f3(10); f4(10); f5(10); f6(10); return 0; }' >main.c
printf 'objects = main.o f1.o f2.o f3.o f4.o f5.o f6.o\nprogram: $(objects)\n\tgcc -o $@ $(objects)\n%%.o: %%.c\n\tgcc -O2 -c $<\n' >Makefile
make -s -j2 && ./program
