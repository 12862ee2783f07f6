# needs: python3 /usr/lib/python3.11/test/test_threading.py
# The threaded tests of Python itself.
cd /tmp
python3 -m test -q test_thread test_queue test_threading_local test_threadsignals 2>&1 | grep -vE '^(0:|== |Total duration)'
python3 -m test -q test_threading -m ThreadTests -m BarrierTests -m SemaphoreTests -m EventTests -m ConditionTests 2>&1 | grep -vE '^(0:|== |Total duration)'
