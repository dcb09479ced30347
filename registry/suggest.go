package registry

import "strings"

// longestName is the length of the longest word that is looked for among names, in bytes.
const longestName = 64

// nearest returns the candidate that word is a near miss of: the same but for case, or at most two slips of the pen
// away and not more than a third of the word. It returns "" where there is none.
func nearest(word string, candidates []string) string {
	if len(word) > longestName {
		return ""
	}
	best, bestDistance := "", min(2, (len([]rune(word))+1)/3)+1
	for _, c := range candidates {
		if strings.EqualFold(c, word) {
			return c
		}
		if d := distance(strings.ToLower(word), strings.ToLower(c)); d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best
}

// distance is the number of inserted, removed, replaced and swapped characters between a and b (optimal string
// alignment).
func distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	if len(s) > len(t)+2 || len(t) > len(s)+2 {
		return 3
	}
	before, row := make([]int, len(t)+1), make([]int, len(t)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(s); i++ {
		next := make([]int, len(t)+1)
		next[0] = i
		for j := 1; j <= len(t); j++ {
			cost := 1
			if s[i-1] == t[j-1] {
				cost = 0
			}
			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+cost)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row = row, next
	}
	return row[len(t)]
}
