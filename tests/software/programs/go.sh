# needs: go
# A Go program is compiled and run: its compiler, linker, scheduler and collector.
mkdir -p /tmp/go && cd /tmp/go
export HOME=/tmp/go GOCACHE=/tmp/go/cache GOFLAGS=-mod=mod GO111MODULE=off CGO_ENABLED=0
cat >main.go <<'C'
package main

import (
	"crypto/sha256"
	"fmt"
	"sync"
)

func main() {
	var mutex sync.Mutex
	var wait sync.WaitGroup
	results := map[int]string{}
	jobs := make(chan int)
	for worker := 0; worker < 8; worker++ {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for job := range jobs {
				data := make([]byte, 1000*job)
				sum := sha256.Sum256(data)
				mutex.Lock()
				results[job] = fmt.Sprintf("%x", sum[:4])
				mutex.Unlock()
			}
		}()
	}
	for job := 0; job < 200; job++ {
		jobs <- job
	}
	close(jobs)
	wait.Wait()
	fmt.Println(len(results), results[0], results[199])
}
C
go build -o program main.go
./program
