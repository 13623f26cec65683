package policy

// HidesNothing tells whether the caller may read everything that the broker may:
// whether it is one from whom nothing has to be kept secret.
func (c *Caller) HidesNothing() bool {
	_, _, all := c.SpaceKeys()
	return all && len(c.except.spaces.rules) == 0 && c.Needs() == Facts{}
}

// NamesFormat tells whether the caller's entry allows the body format by its
// name, and not just by leaving body_formats out or by a *.
func (c *Caller) NamesFormat(format string) bool {
	if c.bodyFormats == nil {
		return false
	}
	for _, r := range c.bodyFormats.rules {
		if r.text == format {
			return true
		}
	}
	return false
}

// SearchesByList tells whether the spaces that may be searched can be told only
// by going through all spaces: rules with a star allow or hide some of them.
func (c *Caller) SearchesByList() bool {
	_, patterns, all := c.SpaceKeys()
	_, hidden := split(c.except.spaces)
	return !all && len(patterns) > 0 || all && len(hidden) > 0
}
