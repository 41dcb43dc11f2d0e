package headcount

import (
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"time"
)

// A cpuProfile is whose CPU time it was. It does not change once it is made.
type cpuProfile struct {
	time   time.Time
	lasted time.Duration
	total  time.Duration
	paths  map[string]time.Duration
}

// maxCPUProfile is how large a profile may be, compressed and not. Five seconds of 64 cores are some megabytes.
const maxCPUProfile = 64 << 20

var (
	errCPUProfile      = errors.New("headcount: the CPU profile of this Go version cannot be read")
	errCPUProfileLarge = errors.New("headcount: the CPU profile is too large")
)

// readCPUProfile reads a profile as runtime/pprof writes it: protocol buffers, compressed.
func readCPUProfile(r io.Reader) (*cpuProfile, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, errCPUProfile
	}
	data, err := io.ReadAll(io.LimitReader(z, maxCPUProfile+1))
	switch {
	case err != nil:
		return nil, errCPUProfile
	case len(data) > maxCPUProfile:
		return nil, errCPUProfileLarge
	}
	return parseCPUProfile(data)
}

// The fields that are read of the messages in github.com/google/pprof/proto/profile.proto. A string is an index into the
// table of strings.
const (
	profileSampleType = 1 // repeated ValueType
	profileSample     = 2 // repeated Sample
	profileStrings    = 6 // repeated string
	valueTypeUnit     = 2 // string
	sampleValue       = 2 // repeated int64, one for each sample type
	sampleLabel       = 3 // repeated Label
	labelKey          = 1 // string
	labelStr          = 2 // string
)

func parseCPUProfile(data []byte) (*cpuProfile, error) {
	var strings []string
	var units []uint64
	var samples [][]byte
	ok := eachField(data, func(f field) bool {
		switch f.number {
		case profileStrings:
			strings = append(strings, string(f.bytes))
		case profileSample:
			samples = append(samples, f.bytes)
		case profileSampleType:
			unit := uint64(0)
			if !eachField(f.bytes, func(f field) bool {
				if f.number == valueTypeUnit {
					unit = f.varint
				}
				return true
			}) {
				return false
			}
			units = append(units, unit)
		}
		return true
	})
	if !ok {
		return nil, errCPUProfile
	}
	text := func(i uint64) string {
		if i < uint64(len(strings)) {
			return strings[i]
		}
		return ""
	}
	which := -1
	for i, u := range units {
		if text(u) == "nanoseconds" {
			which = i
		}
	}
	if which < 0 {
		return nil, errCPUProfile
	}
	p := &cpuProfile{paths: make(map[string]time.Duration)}
	for _, s := range samples {
		cpu, path, ok := parseSample(s, which, text)
		if !ok || cpu < 0 || cpu > math.MaxInt64-p.total {
			return nil, errCPUProfile
		}
		p.total += cpu
		if path != "" {
			p.paths[path] += cpu
		}
	}
	return p, nil
}

// parseSample gives the value at this place of a sample, and the path of the supervisor it is labelled with.
func parseSample(data []byte, which int, text func(uint64) string) (cpu time.Duration, path string, ok bool) {
	var values []uint64
	ok = eachField(data, func(f field) bool {
		switch {
		case f.number == sampleValue && f.wire == wireVarint:
			values = append(values, f.varint)
		case f.number == sampleValue:
			for rest := f.bytes; len(rest) > 0; { // packed
				v, n := binary.Uvarint(rest)
				if n <= 0 {
					return false
				}
				values, rest = append(values, v), rest[n:]
			}
		case f.number == sampleLabel:
			var key, str uint64
			if !eachField(f.bytes, func(f field) bool {
				switch f.number {
				case labelKey:
					key = f.varint
				case labelStr:
					str = f.varint
				}
				return true
			}) {
				return false
			}
			if text(key) == labelSupervisor {
				path = text(str)
			}
		}
		return true
	})
	if !ok || which >= len(values) {
		return 0, "", false
	}
	return time.Duration(values[which]), path, true
}

// A field is one field of a message of protocol buffers.
type field struct {
	number uint64
	wire   byte
	varint uint64 // of wireVarint
	bytes  []byte // of wireBytes
}

// The wire types, of https://protobuf.dev/programming-guides/encoding/.
const (
	wireVarint  = 0
	wireFixed64 = 1
	wireBytes   = 2
	wireFixed32 = 5
)

// eachField calls f for each field, until it says no. It reports whether all could be read and f said yes to all.
func eachField(data []byte, f func(field) bool) bool {
	for len(data) > 0 {
		tag, n := binary.Uvarint(data)
		if n <= 0 {
			return false
		}
		data = data[n:]
		x := field{number: tag >> 3, wire: byte(tag & 7)}
		size := uint64(0)
		switch x.wire {
		case wireVarint, wireBytes:
			v, n := binary.Uvarint(data)
			if n <= 0 {
				return false
			}
			data = data[n:]
			if x.wire == wireVarint {
				x.varint = v
			} else {
				size = v
			}
		case wireFixed64:
			size = 8
		case wireFixed32:
			size = 4
		default:
			return false
		}
		if size > uint64(len(data)) {
			return false
		}
		x.bytes, data = data[:size], data[size:]
		if !f(x) {
			return false
		}
	}
	return true
}
