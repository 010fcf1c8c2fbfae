package config

import "strings"

// didYouMean returns a hint when one of the known words is close to word.
func didYouMean(word string, known []string) string {
	best := nearest(word, known)
	if best == "" || best == word {
		return ""
	}
	return "; did you mean " + best + "?"
}

// nearest returns the first of the known words that are closest to word, if
// they are close at all.
func nearest(word string, known []string) string {
	best, cost := "", 0
	limit := max(1, len(word)/3) // HAProxy suggests from about a third of the letters on
	for _, k := range known {
		d := distance(strings.ToLower(word), strings.ToLower(k), limit)
		if d <= limit && (best == "" || d < cost) {
			best, cost = k, d
		}
	}
	return best
}

const hintBytesMax = 80 // longer words are not compared

// distance counts the letters to insert, delete, change or swap to get from a
// to b. Above limit the exact number does not matter.
func distance(a, b string, limit int) int {
	if len(a) > hintBytesMax || len(b) > hintBytesMax || max(len(a)-len(b), len(b)-len(a)) > limit {
		return limit + 1
	}
	var older, before, row [hintBytesMax + 1]int
	for j := range len(b) + 1 {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		older, before = before, row
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			row[j] = min(before[j]+1, row[j-1]+1, before[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], older[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
