# needs: qemu-system-x86_64 gcc
# share: kernel
# A whole emulator, which compiles code itself, boots a kernel inside the guest.
cd /tmp
cat >init.c <<'C'
#include <stdio.h>
#include <unistd.h>
#include <sys/reboot.h>
#include <sys/utsname.h>
int main(void) {
    struct utsname name;
    uname(&name);
    printf("booted inside: %s %s\n", name.sysname, name.machine);
    fflush(stdout);
    reboot(RB_AUTOBOOT);
    return 0;
}
C
gcc -O2 -static -o init init.c
mkdir -p root/dev && cp init root/ && mknod root/dev/console c 5 1
(cd root && printf '.\ninit\ndev\ndev/console\n' | cpio -o -H newc --quiet) >initramfs
timeout 3000 qemu-system-x86_64 -accel tcg -nographic -no-reboot -m 128 -net none -vga none \
    -kernel "$UCHRONIA_GUEST_KERNEL" -initrd initramfs \
    -append 'console=ttyS0 quiet panic=-1 nokaslr' </dev/null 2>&1 | grep -a 'booted inside'
