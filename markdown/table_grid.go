package markdown

// A table is written in three steps: collect lays the cells out on a grid,
// counting merged ones, and the writers render its rows.

const (
	// maxSpan bounds how far one merged cell reaches in each direction.
	maxSpan = 1000
	// spareCells and spareBytes bound what merged cells may add to a table.
	spareCells = 20_000
	spareBytes = 1 << 20
)

// grid is a table laid out. Rows may be shorter than columns: what is missing
// is empty.
type grid struct {
	rows    [][]string
	columns int
	headed  bool // the first row is a header
}

// collect lays a table out, with each cell's content written by render. A cell
// that spans rows is repeated in each, so that every row can be read alone; one
// that spans columns stands in the first, and the others are empty.
func (r *resolution) collect(t *block, render func(*block) string) grid {
	g := grid{}
	spare, bytes := spareCells, spareBytes
	var above []hanging // by column: cells of earlier rows that reach down here
	for i, tr := range t.blocks {
		line := make([]string, 0, len(tr.blocks))
		take := func() { // what hangs down into the next columns
			for len(line) < len(above) && above[len(line)].rows > 0 {
				hang := &above[len(line)]
				hang.rows--
				if spare--; spare < 0 {
					break
				}
				if bytes -= len(hang.text); bytes < 0 {
					hang.text = ""
				}
				line = append(line, hang.text)
			}
		}
		headed := len(g.rows) == 0 && headerRow(tr)
		for _, td := range tr.blocks {
			take()
			r.bold = td.header && !headed // Markdown has no header but the first row
			text := render(td)
			r.bold = false
			columns, rows := min(td.colspan, maxSpan), min(td.rowspan, maxSpan, len(t.blocks)-i)
			for c := range max(columns, 1) {
				if c > 0 {
					text = ""
					if spare--; spare < 0 {
						break
					}
				}
				above = hang(above, len(line), hanging{rows - 1, text})
				line = append(line, text)
			}
		}
		for take(); spare >= 0 && reachesDown(&above, len(line)); take() {
			line = append(line, "")
			spare--
		}
		if spare < 0 || tr.closes {
			above = nil
		}
		if len(line) == 0 { // an empty row counts for what hangs down, and shows nothing
			continue
		}
		g.headed = g.headed || headed
		g.columns = max(g.columns, len(line))
		g.rows = append(g.rows, line)
	}
	if spare < 0 || bytes < 0 {
		r.warnings.add(LimitExceeded, "table", "merged cells that reach too far were written once")
	}
	return g
}

// hanging is a cell that reaches into the rows below.
type hanging struct {
	rows int // how many more
	text string
}

// reachesDown tells whether a cell hangs down at or behind a column. It cuts off
// what does not, so that looking for it stays cheap.
func reachesDown(above *[]hanging, column int) bool {
	a := *above
	for len(a) > 0 && a[len(a)-1].rows <= 0 {
		a = a[:len(a)-1]
	}
	*above = a
	return len(a) > column
}

// headerRow tells whether all cells of a row are headers.
func headerRow(tr *block) bool {
	for _, td := range tr.blocks {
		if !td.header {
			return false
		}
	}
	return len(tr.blocks) > 0
}

// hang notes what hangs down in a column.
func hang(above []hanging, column int, h hanging) []hanging {
	if h.rows <= 0 && column >= len(above) {
		return above
	}
	for column >= len(above) {
		above = append(above, hanging{})
	}
	above[column] = h
	return above
}

// number puts the row numbers that Confluence shows before a table's rows.
func (g *grid) number(label func(int) string) {
	n := 0
	for i := range g.rows {
		text := ""
		if i > 0 || !g.headed {
			n++
			text = label(n)
		}
		g.rows[i] = append([]string{text}, g.rows[i]...)
	}
	g.columns++
}

// padded returns a row with its missing cells, unless the table is so wide and
// long that they would outweigh it: Markdown readers add them by themselves.
func (g *grid) padded(i int) []string {
	line := g.rows[i]
	if g.columns*len(g.rows) > spareCells*4 {
		return line
	}
	for len(line) < g.columns {
		line = append(line, "")
	}
	return line
}
