package expr

import "strings"

// A Keyword is one word of the language, for the page that lists them.
type Keyword struct {
	Kind   string // "fetch", "converter", "acl", "log variable"
	Name   string
	Args   string
	Manual string // section of configuration.txt; empty: weir's own
	Later  bool   // refused: not supported yet. A star at the end of Name stands for anything
}

// Keywords lists all words of expressions and log formats, from the same tables
// that compile them.
func Keywords() []Keyword {
	var list []Keyword
	for i := range fetchTable {
		r := &fetchTable[i]
		list = append(list, Keyword{Kind: "fetch", Name: r.name, Args: r.args, Manual: r.manual})
	}
	for _, a := range fetchAliases {
		list = append(list, Keyword{Kind: "fetch", Name: a[0], Args: "as " + a[1], Manual: "7.3"})
	}
	for _, name := range laterFetches {
		list = append(list, Keyword{Kind: "fetch", Name: name, Manual: "7.3", Later: true})
	}
	for i := range converterTable {
		r := &converterTable[i]
		list = append(list, Keyword{Kind: "converter", Name: r.name, Args: r.args, Manual: r.manual})
	}
	for _, name := range laterConverters {
		list = append(list, Keyword{Kind: "converter", Name: name, Manual: "7.3.1", Later: true})
	}
	for _, p := range predefined {
		list = append(list, Keyword{Kind: "acl", Name: p.name, Args: strings.Join(p.words, " "), Manual: "7.4"})
	}
	for i := range logVariables {
		k := Keyword{Kind: "log variable", Name: logVariables[i].name, Manual: "8.2.6"}
		if strings.HasPrefix(k.Name, "w") {
			k.Manual = ""
		}
		list = append(list, k)
	}
	return list
}
