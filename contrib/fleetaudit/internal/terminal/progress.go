package terminal

import (
	"bytes"
	"io"
	"sync"

	"github.com/schollz/progressbar/v3"
)

// Progress is a line on a terminal that says how far something is, and is gone when it is done. It is
// safe for concurrent use. Where there is no terminal it writes nothing.
type Progress struct {
	screen Screen

	mu    sync.Mutex
	w     io.Writer    // nil: nothing is written, or no longer
	frame bytes.Buffer // what bar draws
	bar   *progressbar.ProgressBar
	known bool // whether bar knows how much there is to do
}

// NewProgress makes a Progress on w. A terminal that knows no escape codes counts as none.
func NewProgress(w io.Writer, color Color) *Progress {
	if !IsTerminal(w) || isDumb() {
		return &Progress{}
	}
	return &Progress{screen: NewScreen(w, color, 0), w: w}
}

// Active tells whether anything is written.
func (p *Progress) Active() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.w != nil
}

const (
	barWidth = 24
	barSteps = 1000
	barRoom  = barWidth + 12 // with its frame, the percentage and the spaces between
)

// Show writes how much of what has been done, from 0 to 1; less than 0 says that nobody knows. words go
// before it.
func (p *Progress) Show(done float64, words string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.w == nil {
		return
	}
	if known := done >= 0; p.bar == nil || p.known != known {
		p.clear()
		p.bar, p.known = p.newBar(known), known
	}
	if p.known {
		p.bar.Set(min(int(done*barSteps), barSteps-1)) // the last step would end the bar
	}
	p.frame.Reset() // of what may have been drawn with the words of before
	p.bar.Describe(Shorten(Clean(words), p.screen.Width-barRoom))
	p.w.Write(p.frame.Bytes())
}

func (p *Progress) newBar(known bool) *progressbar.ProgressBar {
	steps := -1 // a spinner
	if known {
		steps = barSteps
	}
	theme := progressbar.Theme{Saucer: "━", SaucerHead: "━", SaucerPadding: "─"}
	if p.screen.Color {
		theme.Saucer, theme.SaucerHead = "[green]━[reset]", "[green]━[reset]"
	}
	return progressbar.NewOptions(steps,
		progressbar.OptionSetWriter(&p.frame),
		progressbar.OptionSetWidth(barWidth),
		progressbar.OptionSetTheme(theme),
		progressbar.OptionEnableColorCodes(p.screen.Color),
		progressbar.OptionUseANSICodes(true),
		progressbar.OptionSetElapsedTime(false),
		progressbar.OptionSetPredictTime(false),
		progressbar.OptionSpinnerType(14),
		progressbar.OptionSetSpinnerChangeInterval(0), // or it would turn on a goroutine of its own, after Stop too
	)
}

func (p *Progress) clear() {
	if p.bar != nil {
		p.frame.Reset()
		p.bar.Clear()
		p.w.Write(p.frame.Bytes())
		p.bar = nil
	}
}

// Stop erases the line. Nothing is written after it.
func (p *Progress) Stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	p.w = nil
}
