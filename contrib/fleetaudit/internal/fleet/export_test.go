package fleet

import "context"

// SetLook sets how l looks, before it has begun to.
func SetLook(l *Live, look func(context.Context, []string) (Digest, error)) { l.look = look }
