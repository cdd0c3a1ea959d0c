package engine

// WithDefaults returns c as New takes it.
func (c Config) WithDefaults() (Config, error) { return c.withDefaults() }
