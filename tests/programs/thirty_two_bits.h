// A script that builds and runs a 32-bit Linux program, which needs no 32-bit library: system calls
// of both kinds, segments of its own, signals for each kind of fault, x87 and SSE, and a detour
// through 64-bit code. What it prints is the host's kernel's answer, and so must be the guest's.
#pragma once

namespace uchronia::tests {

inline constexpr const char* kThirtyTwoBits = R"sh(
d=$(mktemp -d); cat > $d/a.c <<'END'
typedef unsigned u32;
typedef unsigned long long u64;
static int call(int n, int a, int b, int c, int d, int e) {
    int r;
    asm volatile("int $0x80" : "=a"(r)
                 : "a"(n), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e) : "memory");
    return r;
}
static void show(const char *label, u32 v) {
    char text[64];
    int n = 0;
    for (; label[n]; ++n) text[n] = label[n];
    text[n++] = ' ';
    for (int i = 28; i >= 0; i -= 4) text[n++] = "0123456789abcdef"[(v >> i) & 15];
    text[n++] = '\n';
    call(4, 1, (int)text, n, 0, 0);
}

// Segments by set_thread_area: a flat-sized one and one of 8 bytes.
struct descriptor { u32 entry, base, limit, flags; };
static u32 words[2] = {0x11111111, 0x22222222};
static u32 selector(u32 limit, u32 flags) {
    struct descriptor d = {-1, (u32)words, limit, flags};
    show("set_thread_area", call(243, (int)&d, 0, 0, 0, 0));
    return d.entry * 8 + 3;
}

// Faults, each reported by a signal whose handler goes on elsewhere.
extern char resume[], restorer[];
u32 saved_esp;
int bounds[2] = {0, 3};
static volatile u32 trap, error, hits;
static void handler(int signal, void *info, u32 *context) {
    u32 *registers = context + 5;  // struct sigcontext
    ++hits;
    trap = registers[12];
    error = registers[13];
    if (signal != 5) registers[14] = (u32)resume;
}
static void handle(int signal) {
    struct { void *handler; u32 flags; void *restorer; u32 mask[2]; } action =
        {handler, 0x44000004, restorer, {0, 0}};
    show("sigaction", call(174, signal, (int)&action, 0, 8, 0));
}
asm("restorer: mov $173, %eax; int $0x80");
static void fault(int which) {
    asm volatile("push %%ebp; mov %%esp, saved_esp; jmp *faults(,%%eax,4);"
                 "0: mov %%fs:0x1000, %%ecx; jmp resume;"
                 "1: xor %%ecx, %%ecx; mov (%%ecx), %%ecx; jmp resume;"
                 "2: ud2; jmp resume;"
                 "3: xor %%ecx, %%ecx; div %%ecx; jmp resume;"
                 "4: mov $0x7fffffff, %%ecx; inc %%ecx; into; jmp resume;"
                 "5: mov $5, %%ecx; bound %%ecx, bounds; jmp resume;"
                 "6: mov %%cs:bounds, %%ecx; movl $0, %%cs:bounds; jmp resume;"
                 "7: int $0x90; jmp resume;"
                 ".pushsection .data; faults: .long 0b, 1b, 2b, 3b, 4b, 5b, 6b, 7b; .popsection;"
                 "resume: mov saved_esp, %%esp; pop %%ebp"
                 : "+a"(which) : : "ebx", "ecx", "edx", "esi", "edi", "memory");
}

int start(u32 *stack) {
    u32 vsyscall = 0, value, pid;
    u32 *p = stack + stack[0] + 2;
    while (*p++ != 0) {}
    for (; *p != 0; p += 2)
        if (*p == 32) vsyscall = p[1];
    asm volatile("mov %1, %%gs; mov %%gs:4, %0" : "=r"(value) : "r"(selector(0xfffff, 0x51)));
    show("gs:4", value);
    asm volatile("mov %1, %%fs; mov %%fs:4, %0" : "=r"(value) : "r"(selector(7, 0x41)));
    show("fs:4", value);
    asm volatile("call *%1" : "=a"(pid) : "r"(vsyscall), "0"(20) : "ecx", "edx", "memory");
    show("getpid is the same", pid == call(20, 0, 0, 0, 0, 0));
    for (int i = 0; i < 4; ++i) handle((int[]){11, 4, 8, 5}[i]);
    for (int i = 0; i < 8; ++i) {
        hits = 0;
        fault(i);
        show("fault", i << 28 | hits << 24 | trap << 16 | error);
    }
    hits = 0;
    asm volatile("int3");
    call(37, call(20, 0, 0, 0, 0, 0), 5, 0, 0, 0);
    show("breakpoint and kill", hits << 8 | trap);
    volatile long double x = 2;
    for (int i = 0; i < 5; ++i) x = x * 1.5L + 1;
    const double narrow = x;
    show("x87", ((u64 *)&narrow)[0] >> 32);
    float root = 6.25f;
    asm("movss %0, %%xmm0; sqrtss %%xmm0, %%xmm0; movss %%xmm0, %0" : "+m"(root));
    show("sse", *(u32 *)&root);
    int status = 0;
    const int child = call(2, 0, 0, 0, 0, 0);
    if (child == 0) call(1, 33, 0, 0, 0, 0);
    show("waited", call(7, child, (int)&status, 0, 0, 0) == child);
    show("status", status);
    asm volatile("ljmp $0x33, $1f; 1: .byte 0x48, 0xb8; .long 0x55667788, 0x11223344;"
                 ".byte 0x48, 0xc1, 0xe8, 0x20, 0xff, 0x2c, 0x25; .long 2f;"
                 ".pushsection .data; 2: .long 3f; .word 0x23; .popsection; 3:" : "=a"(value));
    show("by way of 64 bits", value);
    return 7;
}
asm(".globl _start; _start: mov %esp, %eax; push %eax; call start; mov %eax, %ebx; mov $1, %eax;"
    "int $0x80");
END
gcc -m32 -O1 -fno-pic -ffreestanding -fno-stack-protector -nostdlib -static -no-pie -o $d/a $d/a.c &&
$d/a)sh";

}  // namespace uchronia::tests
