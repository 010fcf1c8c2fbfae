package health

import (
	"net/netip"
	"syscall"

	"github.com/weir-lb/weir/internal/evloop"
)

// HandleTimeout begins a check, or ends one that took too long.
func (c *Checker) HandleTimeout(now evloop.Time, _ *evloop.Timer) {
	switch c.state {
	case checkStopped:
	case checkPause:
		c.begin(now)
	case checkConnect:
		c.fail(now, StatusL4Tout, "")
	case checkShake:
		c.fail(now, StatusL6Tout, "")
	case checkSend:
		c.fail(now, StatusL7Tout, "")
	case checkExpect:
		c.fail(now, orText(c.step().Expect.TimeoutStatus, StatusL7Tout), "")
	}
}

// fail ends a check at the step being done.
func (c *Checker) fail(now evloop.Time, status, info string) {
	c.finish(now, finding{status: status, info: cut(info + c.script.where(c.step()))})
}

func general(errno syscall.Errno) string { return "General socket error (" + errnoText(errno) + ")" }

// HandleReady goes on with the step that waits.
func (c *Checker) HandleReady(now evloop.Time, _ *evloop.FD) {
	done := false
	switch c.state {
	case checkConnect:
		done = c.finishConnect(now)
	case checkShake:
		done = c.shake(now)
	case checkSend:
		done = c.finishSend(now)
		if s := c.step(); done && s.Kind == StepConnect { // it was the PROXY header
			done = c.secure(now, s)
		}
	case checkExpect:
		done = c.finishExpect(now)
	case checkStopped, checkPause:
		panic("health: event of a closed connection in state " + c.state.String())
	}
	if done {
		c.advance(now)
	}
}

func (c *Checker) step() *step { return &c.script.steps[c.at] }

func (c *Checker) begin(now evloop.Time) {
	c.began, c.at, c.found, c.hasReply = now, -1, finding{}, false
	c.in = c.in[:0]
	if c.timeout == 0 {
		c.loop.SetTimer(&c.timer, c, 0, now.Add(c.spec.Inter))
	}
	c.advance(now)
}

// advance does steps until one has to wait, or fails, or none is left.
func (c *Checker) advance(now evloop.Time) {
	for c.at++; c.at < len(c.script.steps); c.at++ {
		if !c.perform(now, c.step()) {
			return
		}
	}
	c.finish(now, c.script.passed(c.found))
}

// perform begins a step and reports whether it is done already.
func (c *Checker) perform(now evloop.Time, s *step) bool {
	switch s.Kind {
	case StepConnect:
		return c.dial(now, s)
	case StepSend:
		c.in, c.hasReply = c.in[:0], false
		c.out, c.sent = c.appendOutput(c.out[:0], s), 0
		c.state = checkSend
		return c.finishSend(now)
	case StepExpect:
		if !c.fd.IsOpen() { // only a broken script has no connect
			c.finish(now, finding{status: StatusSocket, info: cut(s.comment)})
			return false
		}
		c.state = checkExpect
		return c.finishExpect(now)
	case StepComment:
	}
	return true
}

func (c *Checker) appendOutput(dst []byte, s *step) []byte {
	if s.Request == nil {
		return append(dst, s.Data...)
	}
	var state []byte
	if c.script.state {
		state = appendState(nil, c.verdict, &c.target)
	}
	return appendRequest(dst, s.Request, state)
}

// dial opens the connection of a step.
func (c *Checker) dial(now evloop.Time, s *step) bool {
	c.close()
	c.linger, c.ended = s.Linger, false
	c.in = c.in[:0]
	if c.timeout > 0 {
		most := c.spec.Inter
		if c.target.Connect > 0 {
			most = min(most, c.target.Connect)
		}
		c.loop.SetTimer(&c.timer, c, 0, now.Add(most))
	}
	to := c.address(s)
	num, errno := c.socket(to)
	if errno != 0 {
		c.fail(now, StatusSocket, general(errno))
		return false
	}
	k := c.loop.Kernel()
	pending := false
	switch errno = k.Connect(num, to); errno {
	case 0:
	case syscall.EINPROGRESS:
		pending = true
	default:
		k.Close(num)
		c.connectFailed(now, to, errno)
		return false
	}
	if errno = c.loop.Open(&c.fd, num, c, 0); errno != 0 {
		k.Close(num)
		c.fail(now, StatusSocket, general(errno))
		return false
	}
	c.state = checkConnect
	if pending {
		return false
	}
	return c.greet(now, s)
}

// socket makes a socket with its options set.
func (c *Checker) socket(to evloop.Addr) (num int, errno syscall.Errno) {
	k := c.loop.Kernel()
	family := syscall.AF_INET
	switch {
	case to.Path != "":
		family = syscall.AF_UNIX
	case to.IP.Addr().Is6():
		family = syscall.AF_INET6
	}
	num, errno = k.Socket(family, syscall.SOCK_STREAM, 0)
	if errno == 0 && c.target.Tune != nil {
		if errno = c.target.Tune(num); errno != 0 {
			k.Close(num)
		}
	}
	return num, errno
}

// address is where a connect step goes: its own words, then the check's, then
// the server's.
func (c *Checker) address(s *step) evloop.Addr {
	to := c.target.Addr
	for _, change := range [...]struct {
		addr string
		port int
	}{{c.spec.Addr, c.spec.Port}, {s.Addr, s.Port}} {
		if ip, err := netip.ParseAddr(change.addr); err == nil {
			to = evloop.Addr{IP: netip.AddrPortFrom(ip, to.IP.Port())}
		}
		if change.port > 0 && to.Path == "" {
			to.IP = netip.AddrPortFrom(to.IP.Addr(), uint16(change.port))
		}
	}
	return to
}

// connectFailed is for an error that connect(2) gives at once. HAProxy blames
// the socket when the server is a UNIX socket.
func (c *Checker) connectFailed(now evloop.Time, to evloop.Addr, errno syscall.Errno) {
	switch {
	case to.Path != "":
		c.fail(now, StatusSocket, general(errno))
	case errno == syscall.ECONNREFUSED:
		c.fail(now, StatusL4Con, errnoText(errno))
	default:
		c.fail(now, StatusL4Con, general(errno))
	}
}

// finishConnect looks how connect(2) ended.
func (c *Checker) finishConnect(now evloop.Time) bool {
	if c.fd.Ready()&(evloop.ReadyOut|evloop.ReadyErr|evloop.ReadyHup) == 0 {
		return false
	}
	if errno := c.fd.SocketError(); errno != 0 {
		c.fail(now, StatusL4Con, errnoText(errno))
		return false
	}
	return c.greet(now, c.step())
}

// greet begins the time that an answer has, and sends the PROXY header if there
// is to be one.
func (c *Checker) greet(now evloop.Time, s *step) bool {
	if c.timeout > 0 {
		c.loop.SetTimer(&c.timer, c, 0, now.Add(c.timeout))
	}
	own := c.target.SendProxy && c.spec.Addr == "" && c.spec.Port == 0 && s.number == 0
	if c.target.Greeting == nil || !own && !c.spec.SendProxy && !s.SendProxy {
		return c.secure(now, s)
	}
	to := c.address(s)
	c.out, c.sent = c.target.Greeting(c.out[:0], c.loop.Kernel().LocalAddr(c.fd.Num()), to.IP), 0
	c.state = checkSend
	return c.finishSend(now) && c.secure(now, s)
}

// secure begins the handshake, if there is to be one.
func (c *Checker) secure(now evloop.Time, s *step) bool {
	if c.target.Secure == nil || s.number != 0 && !c.target.SecureAll {
		return true
	}
	c.state = checkShake
	c.channel = c.target.Secure(c)
	return c.shake(now)
}

func (c *Checker) shake(now evloop.Time) bool {
	over, err := c.channel.Shake(&c.fd)
	if err != nil {
		c.fail(now, StatusL6Rsp, "SSL handshake failure")
		return false
	}
	if over {
		c.found = finding{status: StatusL6OK}
	}
	return over
}

// finishSend sends what is left of out.
func (c *Checker) finishSend(now evloop.Time) bool {
	for c.sent < len(c.out) {
		n, res := c.write(c.out[c.sent:])
		c.sent += n
		switch res {
		case evloop.Done:
		case evloop.Again:
			return false
		case evloop.EOF, evloop.Failed:
			c.fail(now, StatusSocket, errnoText(c.fd.Errno()))
			return false
		}
	}
	return true
}

// finishExpect reads until the expectation is decided or nothing is left to
// read.
func (c *Checker) finishExpect(now evloop.Time) bool {
	s := c.step()
	for {
		final := c.ended || len(c.in) >= c.script.bufSize
		if c.script.http && (len(c.in) > 0 || final) {
			c.readReply(s)
		}
		if len(c.in) > 0 || final {
			if f, done := c.judge(s, final); done {
				return c.decided(now, f)
			}
		}
		if final || !c.receive(now) {
			return false
		}
	}
}

func (c *Checker) readReply(s *step) {
	if !c.hasReply {
		c.reply.reset(c.script.bufSize)
		c.hasReply = true
	}
	c.reply.feed(c.in, s.toMethod)
}

func (c *Checker) judge(s *step, final bool) (finding, bool) {
	if c.script.http {
		return s.judgeReply(&c.reply, final, c.script.notOn)
	}
	return s.judge(c.in, final)
}

// decided goes on after an expectation that holds; a conditional one ends the
// check.
func (c *Checker) decided(now evloop.Time, f finding) bool {
	if outcomeOf(f.status) == Passed {
		c.found = f
		return true
	}
	c.finish(now, f)
	return false
}

// receive reads once. It reports whether there is something new to judge.
func (c *Checker) receive(now evloop.Time) bool {
	if cap(c.in) == len(c.in) {
		more := min(max(2*cap(c.in), 1024), c.script.bufSize)
		c.in = append(make([]byte, 0, more), c.in...)
	}
	n, res := c.read(c.in[len(c.in):min(cap(c.in), c.script.bufSize)])
	switch res {
	case evloop.Done:
		c.in = c.in[:len(c.in)+n]
		return true
	case evloop.EOF:
		c.ended = true
		return true
	case evloop.Failed:
		c.fail(now, StatusSocket, errnoText(c.fd.Errno()))
	case evloop.Again:
	}
	return false
}

func (c *Checker) read(p []byte) (int, evloop.Result) {
	if c.channel == nil {
		return c.fd.Read(p)
	}
	return c.channel.Read(&c.fd, p)
}

func (c *Checker) write(p []byte) (int, evloop.Result) {
	if c.channel == nil {
		return c.fd.Write(p)
	}
	return c.channel.Write(&c.fd, p)
}

// close ends the connection: with RST, so that neither side keeps TIME_WAIT for
// a check, unless the step wants otherwise.
func (c *Checker) close() {
	if !c.fd.IsOpen() {
		return
	}
	if c.channel != nil {
		c.channel.Close(&c.fd, true)
		c.channel = nil
	}
	if c.linger {
		c.loop.Close(&c.fd)
	} else {
		c.loop.Reset(&c.fd)
	}
}
