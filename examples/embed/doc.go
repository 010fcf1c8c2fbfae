// Command embed is a load balancer in a dozen lines of Go: the proxy package
// without a configuration file.
//
// It does nothing that README.md does not show, and reads no command line.
//
// The Proxy owns its loops; main waits for Run.
//
// Life cycle: New opens the bind, Run serves until SIGTERM, then it ends.
//
// Limits: those of proxy.Config, with their defaults.
package main
