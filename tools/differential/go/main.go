// Answers questions about addresses by net/netip: a JSON array a line on stdin, one answer a line on
// stdout.
//
//	["address", text]            -> [text, unmapped, zone], or null where ParseAddr refuses
//	["prefix", text]             -> [text, masked], or null where ParsePrefix refuses
//	["rules", allow, block, text] -> [accepted, rules as text]; the lists are arrays of prefixes
package main

import (
	"bufio"
	"encoding/json"
	"net/netip"
	"os"
	"strings"
)

func answer(question []json.RawMessage) any {
	text := func(i int) (s string) {
		if err := json.Unmarshal(question[i], &s); err != nil {
			panic(err)
		}
		return
	}
	switch kind := text(0); kind {
	case "address":
		addr, err := netip.ParseAddr(text(1))
		if err != nil {
			return nil
		}
		return []string{addr.String(), addr.Unmap().String(), addr.Zone()}
	case "prefix":
		prefix, err := netip.ParsePrefix(text(1))
		if err != nil {
			return nil
		}
		return []string{prefix.String(), prefix.Masked().String()}
	case "rules":
		allow, block := prefixes(question[1]), prefixes(question[2])
		return []any{accept(allow, block, netip.MustParseAddr(text(3))), written(allow, block)}
	default:
		panic("no such question: " + kind)
	}
}

func prefixes(raw json.RawMessage) (list []netip.Prefix) {
	if err := json.Unmarshal(raw, &list); err != nil {
		panic(err)
	}
	return
}

// accept is what github.com/dispatchrun/netjail's Rules.Accept answers: the same walk over both lists.
func accept(allow, block []netip.Prefix, addr netip.Addr) bool {
	return contains(allow, addr) && !contains(block, addr)
}

func contains(list []netip.Prefix, addr netip.Addr) bool {
	for _, prefix := range list {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

// written is what github.com/dispatchrun/netjail's Rules.String answers.
func written(allow, block []netip.Prefix) string {
	var parts []string
	for _, one := range []struct {
		title string
		list  []netip.Prefix
	}{{"ALLOW ", allow}, {"BLOCK ", block}} {
		if len(one.list) > 0 {
			var texts []string
			for _, prefix := range one.list {
				texts = append(texts, prefix.String())
			}
			parts = append(parts, one.title+strings.Join(texts, " "))
		}
	}
	return strings.Join(parts, ", ")
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 1<<26)
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	defer out.Flush()
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for in.Scan() {
		// An empty line asks for all answers so far.
		if len(in.Bytes()) == 0 {
			out.Flush()
			continue
		}
		var question []json.RawMessage
		if err := json.Unmarshal(in.Bytes(), &question); err != nil {
			panic(err)
		}
		if err := encoder.Encode(answer(question)); err != nil {
			panic(err)
		}
	}
	if err := in.Err(); err != nil {
		panic(err)
	}
}
