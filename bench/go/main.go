// The Go side of the rule benchmark: reads {"allow", "block", "probes", "time"} as JSON from a file
// and prints {"ns", "wrong"}: nanoseconds for each ParseAddr and Accept, as bench/rules/worker.js
// does for netjail, with the same prefixes, addresses, turns and medians.
package main

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"syscall"
	"time"
)

// rules answers as github.com/dispatchrun/netjail's Rules do, by the same walk over both lists with
// netip.Prefix.Contains. The module itself is not imported: not every module proxy serves it.
type rules struct{ allow, block []netip.Prefix }

func (r *rules) accept(addr netip.Addr) bool {
	for _, allow := range r.allow {
		if allow.Contains(addr) {
			for _, block := range r.block {
				if block.Contains(addr) {
					return false
				}
			}
			return true
		}
	}
	return false
}

func (r *rules) acceptText(text string) bool {
	addr, err := netip.ParseAddr(text)
	return err == nil && r.accept(addr)
}

type input struct {
	Allow, Block []netip.Prefix
	Probes       []struct {
		Text     string
		Accepted bool
	}
	Time int
}

// processorTime is the time of the processor for this process so far, as in bench/rules/worker.js.
func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func main() {
	data, err := os.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	var in input
	if err := json.Unmarshal(data, &in); err != nil {
		panic(err)
	}
	r := &rules{in.Allow, in.Block}
	wrong, texts := 0, []string{}
	for _, probe := range in.Probes {
		if r.acceptText(probe.Text) != probe.Accepted {
			wrong++
		}
		texts = append(texts, probe.Text)
	}
	accepted := 0
	run := func(milliseconds int) float64 {
		start, rounds := processorTime(), 0
		for {
			for _, text := range texts {
				if r.acceptText(text) {
					accepted++
				}
			}
			rounds++
			elapsed := processorTime() - start
			if elapsed >= time.Duration(milliseconds)*time.Millisecond {
				return float64(elapsed.Nanoseconds()) / float64(rounds*len(texts))
			}
		}
	}
	run(in.Time)
	turns := make([]float64, 5)
	for i := range turns {
		turns[i] = run(in.Time)
	}
	slices.Sort(turns)
	out, _ := json.Marshal(map[string]any{"ns": turns[2], "wrong": wrong, "asked": len(texts), "accepted": accepted})
	fmt.Println(string(out))
}
