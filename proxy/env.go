package proxy

import (
	"net/netip"

	"github.com/weir-lb/weir/internal/evloop"
	"github.com/weir-lb/weir/internal/expr"
)

// This file shows the client's connection to the rule engine.

// fillConn begins the Env of a session or exchange: what is known of its client.
// The rest is as in a connection of which nothing has been read.
func (c *clientConn) fillConn(now evloop.Time, fe *frontend) *expr.Env {
	env := &c.w.env
	env.Now = c.w.wall(now).UnixNano()
	env.Src, env.UnixClient = c.src, c.door.socket.UNIX
	env.BindID, env.BindName = c.door.spec.ID, c.door.spec.Name
	env.Proxy, env.TLS = nil, nil
	if c.papers != nil {
		env.TLS = &c.papers.told
	}
	if c.proxied != nil {
		env.Proxy = &c.proxied.told
	}
	env.Dst, env.ConnSrc, env.ConnDst = netip.AddrPort{}, netip.AddrPort{}, netip.AddrPort{}
	if fe.looks != 0 {
		c.look(env, fe.looks)
	}
	env.FrontendName, env.FrontendID, env.FrontendHTTP = fe.name, fe.spec.ID, fe.mode == ModeHTTP
	env.DefaultBE = fe.spec.DefaultBackend
	env.BackendName, env.BackendID = "", 0
	env.ServerName, env.ServerID = "", 0
	env.Req, env.Res, env.ReqBody, env.ReqPayload, env.ResPayload = nil, nil, nil, nil, nil
	env.Txn, env.Sess, env.Rec = nil, nil, nil
	return env
}

// look fills in what only some frontends want to know.
func (c *clientConn) look(env *expr.Env, wanted expr.Look) {
	if wanted&expr.LookDst != 0 {
		env.Dst = c.dstAddr()
	}
	if wanted&expr.LookConn != 0 {
		env.ConnSrc, env.ConnDst = c.src, c.localAddr()
		if c.proxied != nil {
			env.ConnSrc = c.proxied.from
		}
	}
	if wanted&expr.LookBind != 0 {
		env.BindConns = int(c.door.conns.Load())
	}
}

// admit runs tcp-request connection or session rules. It reports whether the
// connection may stay.
func (w *worker) admit(fe *frontend, c *clientConn, rules []rule) bool {
	env := c.fillConn(w.loop.Now(), fe)
	env.Final = true
	env.Sess = c.owner.sessionVars()
	for i := range rules {
		r := &rules[i]
		if r.cond != nil && !r.cond.Eval(env) {
			continue
		}
		switch r.op {
		case opAllow:
			return true
		case opReject, opSilentDrop:
			return false
		case opSetVar, opSetVarFmt, opUnsetVar:
			w.setVar(r, env)
		}
	}
	return true
}

// sessionVars are the variables of the connection; nil when no rule has any.
func (c *h1Client) sessionVars() *expr.Vars {
	if c.sess == nil && c.frontend().sessVars {
		c.sess = new(expr.Vars)
	}
	return c.sess
}

func (s *tcpSession) sessionVars() *expr.Vars { return &s.vars }
