package elixir

// Keywords returns the pairs of a list that are keywords, written key: value or {:key, value}; nil for any other node.
func Keywords(n Node) []*Pair {
	list, ok := n.(*List)
	if !ok {
		return nil
	}
	var pairs []*Pair
	for _, e := range list.Elems {
		switch e := e.(type) {
		case *Pair:
			if _, ok := e.Key.(*Atom); ok {
				pairs = append(pairs, e)
			}
		case *Tuple:
			if len(e.Elems) != 2 {
				continue
			}
			if key, ok := e.Elems[0].(*Atom); ok {
				pairs = append(pairs, &Pair{Pos: e.Pos, Key: key, Value: e.Elems[1]})
			}
		}
	}
	return pairs
}

// Lookup returns the value of the first keyword of that name: as Keyword.get does, the first one counts.
func Lookup(n Node, key string) (Node, bool) {
	for _, p := range Keywords(n) {
		if p.Key.(*Atom).Name == key {
			return p.Value, true
		}
	}
	return nil, false
}
