package caller_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/confluence-broker/confluence-broker/caller"
)

func TestNewKeyIsRandomAndKnownByItsHash(t *testing.T) {
	t.Parallel()
	first, second := caller.NewKey(), caller.NewKey()
	if first == second || !regexp.MustCompile(`^cbk_[0-9A-Za-z_-]{43}$`).MatchString(first) {
		t.Errorf("NewKey() = %d characters, then the same = %t", len(first), first == second)
	}
	v, err := caller.New(caller.Config{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := v.Identify(t.Context(), []string{"Bearer " + first}, nil)
	if err != nil || !got.HasKey(caller.HashKey(first)) || got.HasKey(caller.HashKey(second)) || got.HasKey("") || got.Kind() != "key" {
		t.Errorf("Identify = %+v, %v, want the first key and no other", got, err)
	}
	if (caller.Evidence{}).HasKey("") {
		t.Error("nobody has the empty key")
	}
}

func TestHashIsThatOfSHA256(t *testing.T) {
	t.Parallel()
	// printf abc | sha256sum
	const want = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	if got := caller.HashKey("abc"); got != want {
		t.Errorf("HashKey(abc) = %s, want %s", got, want)
	}
}

func TestKeyHashIsChecked(t *testing.T) {
	t.Parallel()
	key := caller.NewKey()
	hash := caller.HashKey(key)
	if err := caller.CheckKeyHash(hash); err != nil {
		t.Errorf("CheckKeyHash(%q) = %v", hash, err)
	}
	for _, text := range []string{"", key, "sha256:", hash[:len(hash)-1], hash + "0", strings.ToUpper(hash), "sha256:" + strings.ToUpper(hash[7:]), "sha512:" + hash[7:], hash[:len(hash)-1] + "g"} {
		err := caller.CheckKeyHash(text)
		if err == nil {
			t.Errorf("CheckKeyHash(%q) finds nothing wrong", text)
		} else if strings.Contains(err.Error(), key) {
			t.Error("the error quotes the key")
		}
	}
}
