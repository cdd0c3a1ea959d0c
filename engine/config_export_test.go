package engine

// WithDefaults returns c as New takes it.
func (c Config) WithDefaults() (Config, error) {
	c, _, err := c.withDefaults()
	return c, err
}
