package checks

// stretchSize is how many resources are judged for one check before it is the next one's turn, and countSize
// how many before they are counted, so that progress is seen.
const (
	stretchSize = 1024
	countSize   = 256
)

// judging is the work of judging one shard's resources, batch by batch. An evaluator does it, and another one
// goes on where that is lost.
type judging[T any] struct {
	group  *group[T]
	passes []Pass // by member
	e      *evaluator[T]

	// What is to be done next. It is the evaluator's from when it gets a batch until it is done or lost.
	batch  []T
	member int
}

func newJudging[T any](g *group[T], ordinal int) *judging[T] {
	j := &judging[T]{group: g, passes: make([]Pass, len(g.members))}
	for i, m := range g.members {
		j.passes[i] = *m.pass
		j.passes[i].judging = true
		j.passes[i].Report = func(f Finding) {
			f.shard = ordinal
			m.pass.Report(f)
		}
	}
	j.e = g.evaluator()
	return j
}

// judge returns when batch has been judged for every member that is still there.
func (j *judging[T]) judge(batch []T) {
	j.batch, j.member = batch, 0
	for {
		j.e.work <- j
		if <-j.e.told {
			return
		}
		j.e = newEvaluator[T](j.group.runner)
	}
}

// end leaves the evaluator to the next shard.
func (j *judging[T]) end() {
	g := j.group
	g.mu.Lock()
	defer g.mu.Unlock()
	g.idle = append(g.idle, j.e)
}

// evaluator returns one that has nothing to do.
func (g *group[T]) evaluator() *evaluator[T] {
	g.mu.Lock()
	defer g.mu.Unlock()
	last := len(g.idle) - 1
	if last < 0 {
		return newEvaluator[T](g.runner)
	}
	e := g.idle[last]
	g.idle = g.idle[:last]
	return e
}

// dismiss lets the evaluators end, once no shard is scanned any more.
func (g *group[T]) dismiss() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, e := range g.idle {
		close(e.work)
	}
}

// evaluator is a goroutine that runs the judging functions of checks.
type evaluator[T any] struct {
	work chan *judging[T] // holds one if there is a batch
	told chan bool        // true: the batch is done; false: the evaluator is lost, with the task that it was at
	lost bool             // it is left behind; guarded by the mu of the member that it judges for
}

func newEvaluator[T any](r *Runner) *evaluator[T] {
	e := &evaluator[T]{work: make(chan *judging[T], 1), told: make(chan bool, 1)}
	r.spawn(func() {
		working := false
		defer func() {
			if working && !e.lost { // a check has exited the goroutine
				e.told <- false
			}
		}()
		for j := range e.work {
			working = true
			if !e.evaluate(j) {
				return
			}
			working = false
			e.told <- true
		}
	})
	return e
}

// evaluate does what is left of the batch. False: it was left behind, and others go on with it.
func (e *evaluator[T]) evaluate(j *judging[T]) bool {
	members := j.group.members
	for len(j.batch) > 0 {
		n := min(stretchSize, len(j.batch))
		for j.member < len(members) {
			t := task[T]{members[j.member], &j.passes[j.member], j.batch[:n]}
			j.member++
			if !t.member.enter(e) {
				continue
			}
			protect(t.do, func(err error) { t.member.exit(e, err) })
			if e.lost {
				return false
			}
		}
		j.batch, j.member = j.batch[n:], 0
	}
	return true
}

// task is a stretch of a batch to be judged for one check.
type task[T any] struct {
	member *member[T]
	pass   *Pass
	items  []T
}

func (t *task[T]) do() error {
	for items := t.items; len(items) > 0 && !t.member.left.Load(); {
		n := min(countSize, len(items))
		if err := t.count(items[:n]); err != nil {
			return err
		}
		items = items[n:]
	}
	return nil
}

// count judges items and counts those that are in scope.
func (t *task[T]) count(items []T) error {
	n := 0
	defer func() { t.pass.Scanned(n) }()
	m, pass := t.member, t.pass
	ctx, judge := m.ctx, m.judge
	for i := range items {
		if m.left.Load() {
			return nil
		}
		switch err := judge(ctx, pass, &items[i]); err {
		case nil:
			n++
		case Skip:
		default:
			return err
		}
	}
	return nil
}
