package main

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"testing"
)

func TestConnectionsBeyondTheLimitsAreClosed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]config{
		"in all":             {maxConnections: 2},
		"from one address":   {maxConnectionsEach: 2},
		"whichever is fewer": {maxConnections: 5, maxConnectionsEach: 2},
	} {
		inner, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l := limitConnections(inner, c, slog.New(slog.DiscardHandler))
		accepted := make(chan net.Conn, 10)
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					close(accepted)
					return
				}
				accepted <- conn
			}
		}()
		dial := func() net.Conn {
			conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = conn.Close() })
			return conn
		}
		dial()
		first := <-accepted
		dial()
		second := <-accepted
		if _, err := dial().Read(make([]byte, 1)); err == nil {
			t.Errorf("%s: the third connection is open", name)
		}
		_ = first.Close()
		_ = first.Close() // gives back one place, not two
		dial()
		third := <-accepted
		if _, err := dial().Read(make([]byte, 1)); err == nil {
			t.Errorf("%s: a connection that is closed twice makes room for two", name)
		}
		_, _, _ = second.Close(), third.Close(), l.Close()
		if _, ok := <-accepted; ok {
			t.Errorf("%s: one more connection was accepted", name)
		}
	}
}

func TestConnectionsWithoutLimitsAreAccepted(t *testing.T) {
	t.Parallel()
	inner, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := limitConnections(inner, config{}, slog.New(slog.DiscardHandler))
	for range 20 {
		go func() {
			if conn, err := l.Accept(); err == nil {
				_, _ = conn.Write([]byte("x"))
				t.Cleanup(func() { _ = conn.Close() })
			}
		}()
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
	}
	if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}

func TestNumbersThatAreNone(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"", "-1", "many", "1.5", "99999999999"} {
		if err := count(0, func(c *config) *int { return &c.maxConnections })(&config{}, value); err == nil {
			t.Errorf("%q is taken for a number", value)
		}
	}
}
