package confluencetest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// file is the bytes of one version of an attachment: given, or generated while
// they are read, so that files of any size cost no memory.
type file struct {
	data []byte
	size int64 // of a generated file
	seed uint64
}

func (f file) length() int64 {
	if f.data != nil {
		return int64(len(f.data))
	}
	return f.size
}

func (f file) open() io.ReadSeeker {
	if f.data != nil {
		return bytes.NewReader(f.data)
	}
	return io.NewSectionReader(noise(f.seed), 0, f.size)
}

// noise is an endless file of bytes that depend on the seed and the offset
// alone, so that any part of it can be made, and checked, on its own.
type noise uint64

func (n noise) ReadAt(p []byte, offset int64) (int, error) {
	var word [8]byte
	for done := 0; done < len(p); {
		at := uint64(offset) + uint64(done)
		binary.LittleEndian.PutUint64(word[:], mix(uint64(n)+at/8))
		done += copy(p[done:], word[at%8:])
	}
	return len(p), nil
}

// mix is splitmix64's finalizer (Steele, Lea and Flood, 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// parseSize reads a number of bytes, such as 512, 5MiB or 4GiB.
func parseSize(s string) (int64, error) {
	shift := 0
	for i, unit := range []string{"KiB", "MiB", "GiB"} {
		if rest, ok := strings.CutSuffix(s, unit); ok {
			s, shift = strings.TrimSpace(rest), 10*(i+1)
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n > 1<<40>>shift {
		return 0, fmt.Errorf("%q is no size: bytes, or a number with KiB, MiB or GiB, are due", s)
	}
	return n << shift, nil
}
