package config

// poolPurgeDelay: zero keeps no idle connection, whatever pool-max-conn says.
func (o *serverLine) poolPurgeDelay() {
	o.s.proxy.PoolPurgeDelay = o.duration()
	if o.s.proxy.PoolPurgeDelay == 0 && !o.bad {
		o.s.proxy.PoolPurgeDelay = -1
	}
}
