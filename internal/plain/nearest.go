package plain

// Nearest is the word that differs least from s, or "" if none is close.
func Nearest(s string, words []string) string {
	const most = 10_000
	best, distance := "", max(2, len(s)/4)+1
	for _, w := range words[:min(len(words), most)] {
		if d := len(w) - len(s); d >= distance || -d >= distance || len(w) > 512 {
			continue
		}
		if d := edits(s, w); d < distance {
			best, distance = w, d
		}
	}
	return best
}

// edits is the distance of Levenshtein, with the swap of two neighbours as one edit.
func edits(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
