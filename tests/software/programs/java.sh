# needs: java
# A Java virtual machine with its compilers and collector threads, on a program given as source.
cat >/tmp/Program.java <<'C'
import java.util.concurrent.*;
import java.util.stream.*;

public class Program {
    public static void main(String[] arguments) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(4);
        var futures = IntStream.range(0, 8).mapToObj(i -> pool.submit(() -> {
            long sum = 0;
            for (int j = 0; j < 200_000; ++j) sum += Integer.toString(j * (i + 1)).hashCode();
            return sum;
        })).collect(Collectors.toList());
        for (var future : futures) System.out.println(future.get());
        pool.shutdown();
        var map = new ConcurrentHashMap<Integer, Integer>();
        IntStream.range(0, 100_000).parallel().forEach(i -> map.merge(i % 100, 1, Integer::sum));
        System.out.println(map.values().stream().mapToInt(Integer::intValue).sum());
    }
}
C
if command -v javac >/dev/null; then
    javac -d /tmp /tmp/Program.java && java -Xmx200m -cp /tmp Program
else
    java -Xmx200m /tmp/Program.java
fi
