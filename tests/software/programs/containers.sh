# needs: unshare gcc
# What container runtimes use: namespaces, cgroups, overlay, loop devices, capabilities, limits.
# Not on the root's overlay, which cannot be the upper layer of another.
mkdir /tmp/room && mount -t tmpfs none /tmp/room && cd /tmp/room
unshare --user --map-root-user --pid --fork --mount-proc --uts --ipc --net sh -c 'hostname inside; hostname; echo "processes: $(ls -d /proc/[0-9]* | wc -l)"; id -u; ip link 2>/dev/null | grep -c LOOPBACK'
mkdir lower upper work merged
echo below >lower/file
mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work merged && echo above >merged/file && cat lower/file upper/file && umount merged
mkdir /tmp/cgroup && mount -t cgroup2 none /tmp/cgroup && cat /tmp/cgroup/cgroup.controllers && mkdir /tmp/cgroup/child &&
    echo +pids >/tmp/cgroup/cgroup.subtree_control && echo 3 >/tmp/cgroup/child/pids.max &&
    (echo 0 >/tmp/cgroup/child/cgroup.procs; for i in 1 2 3 4; do sleep 1 & done) 2>&1 | grep -c -i 'cannot fork\|temporarily'
truncate -s 16M disk && mke2fs -q disk && mkdir mounted && mount -o loop disk mounted && echo looped >mounted/file && cat mounted/file && umount mounted
capsh --print 2>/dev/null | grep -c cap_sys_admin
ls -l /usr/bin/passwd | cut -c1-10
