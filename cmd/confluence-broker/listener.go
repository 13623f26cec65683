package main

import (
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"time"
)

// limitedListener closes connections that are too many, at once: their clients
// learn it and can try another replica, and nobody who holds many keeps the
// others waiting. golang.org/x/net/netutil knows no limit for each address, and
// has the next client wait for ever.
type limitedListener struct {
	net.Listener
	most, mostEach int // 0: no limit
	log            *slog.Logger

	mu     sync.Mutex
	open   int
	each   map[string]int // by address of the client
	logged time.Time
}

func limitConnections(l net.Listener, c config, log *slog.Logger) net.Listener {
	return &limitedListener{Listener: l, most: c.maxConnections, mostEach: c.maxConnectionsEach, log: log, each: map[string]int{}}
}

// Accept returns the next connection that is within the limits.
func (l *limitedListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		host, _, err := net.SplitHostPort(conn.RemoteAddr().String())
		if err != nil {
			host = conn.RemoteAddr().String()
		}
		if l.enter(host) {
			return &limitedConn{Conn: conn, leave: sync.OnceFunc(func() { l.leave(host) })}, nil
		}
		_ = conn.Close()
	}
}

func (l *limitedListener) enter(host string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.most > 0 && l.open >= l.most || l.mostEach > 0 && l.each[host] >= l.mostEach {
		if time.Since(l.logged) > time.Minute { // who makes too many connections shall not make as many lines
			l.logged = time.Now()
			l.log.Warn("connections are refused: there are too many", "open", l.open, "from_this_address", l.each[host])
		}
		return false
	}
	l.open++
	l.each[host]++
	return true
}

func (l *limitedListener) leave(host string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open--
	if l.each[host]--; l.each[host] == 0 {
		delete(l.each, host)
	}
}

// limitedConn gives its place back when it is closed.
type limitedConn struct {
	net.Conn
	leave func()
}

// Close may be called more than once.
func (c *limitedConn) Close() error {
	c.leave()
	return c.Conn.Close()
}

// count is for a number of things.
func count(least int, field func(*config) *int) func(*config, string) error {
	return func(c *config, value string) error {
		number, err := strconv.Atoi(value)
		if err != nil || number < least || number > 1<<30 {
			return fmt.Errorf("%q is not a number, of at least %d", value, least)
		}
		*field(c) = number
		return nil
	}
}
