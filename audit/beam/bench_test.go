package beam

import (
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkReview reviews the Phoenix application of testdata, from its files to its findings.
func BenchmarkReview(b *testing.B) {
	dir := filepath.Join("testdata", "chat")
	var names []string
	size := int64(0)
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		size += info.Size()
		name, _ := filepath.Rel(dir, path)
		names = append(names, filepath.ToSlash(name))
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(size)
	for b.Loop() {
		if _, err := Review(b.Context(), dir, names, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
