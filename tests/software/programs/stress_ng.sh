# needs: stress-ng
# Many of the kernel's paths at once, each for a short virtual time.
cd /tmp
for stressor in cpu vm fork futex pipe clone mmap signal; do
    stress-ng --quiet --seed 1 --no-rand-seed --temp-path /tmp --$stressor 2 --vm-bytes 16m --mmap-bytes 4m --timeout 1s ||
        echo "$stressor failed: $?"
done
echo finished
