package markdown

// kind tells what a block is.
type kind uint8

const (
	paragraph kind = iota
	heading
	quote
	code
	rule
	list
	item
	table
	row
	cell
	group // blocks that belong together and show no frame, such as a layout column
)

// block is a node of the tree. Which fields count depends on its kind.
type block struct {
	kind   kind
	runs   []run    // paragraph, heading
	blocks []*block // quote, list, item, table, row, cell, group

	text     string // code: the content, byte for byte
	language string // code: the info string, may be empty
	level    int    // heading: 1 to 6; list: the first number
	state    state  // item
	header   bool   // cell
	colspan  int    // cell, at least 1
	rowspan  int    // cell, at least 1
	numbered bool   // table: the first column counts the rows; list: the items are counted
	closes   bool   // row: the last of its group, where merged cells end
}

// state is what the box before a list item says.
type state uint8

const (
	noBox state = iota
	open
	done
	decided
)

// run is a stretch of one text block that looks alike.
type run struct {
	kind    runKind
	text    string // what is shown; for image and label, where nothing better is known
	marks   mark
	link    *target // where it leads, nil for nowhere
	subject *target // image and label: what is shown or named
}

type runKind uint8

const (
	textRun    runKind = iota
	breakRun           // a line break
	imageRun           // text is the description; without an address only the text shows
	labelRun           // the name of the subject, which a resolver may know better
	previewRun         // an image if a resolver knows its address, else the text
)

// mark is a set of looks.
type mark uint8

const (
	strong mark = 1 << iota
	emphasis
	strike
	codeMark
)

// target is something a body can point at. One of the groups is set.
type target struct {
	url        string
	page       PageRef
	attachment AttachmentRef
	space      string
	account    string // account id
	user       string // a user key or name from before account ids
	jira       string // issue key
	shortcut   string // a short form that only the site can make an address of

	anchor string // within the page, or within this one if nothing else is set
	title  string // what shows under the pointer, where that is not the label
}

// style is how text at the current place looks.
type style struct {
	marks mark
	link  *target
}

func (s style) with(m mark) style { s.marks |= m; return s }

func (s style) to(t *target) style { s.link = t; return s }
