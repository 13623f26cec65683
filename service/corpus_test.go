package service

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	brokerv1 "github.com/confluence-broker/confluence-broker/api/confluence/broker/v1"
	"github.com/confluence-broker/confluence-broker/confluenceclient/confluencetest"
)

// corpus serves a folder of real bodies, page 1001 being the first file's.
func corpus(t *testing.T, folder string) (b *broker, files []string) {
	t.Helper()
	path := filepath.Join("..", "..", "shared", "corpus", folder)
	files, err := filepath.Glob(filepath.Join(path, "*.*"))
	if err != nil || len(files) == 0 {
		t.Skipf("the corpus of real bodies is not here: %s", path)
	}
	site, err := confluencetest.LoadSite(path)
	if err != nil {
		t.Fatal(err)
	}
	return newBroker(t, func(s *setup) { s.site = site }), files
}

func TestRealBodiesComeBackByteForByte(t *testing.T) {
	t.Parallel()
	for folder, format := range map[string]brokerv1.BodyFormat{
		"storage": brokerv1.BodyFormat_BODY_FORMAT_STORAGE, "adf": brokerv1.BodyFormat_BODY_FORMAT_ADF,
	} {
		t.Run(folder, func(t *testing.T) {
			t.Parallel()
			b, files := corpus(t, folder)
			for i, file := range files {
				want, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				req := byID(strconv.Itoa(1001 + i))
				req.BodyFormat = format
				got, err := b.GetPage(t.Context(), req)
				if err != nil || got.GetPage().GetBody().GetValue() != string(want) {
					t.Errorf("%s: %v, %d bytes that are not the %d of the file", filepath.Base(file), err, len(got.GetPage().GetBody().GetValue()), len(want))
				}
			}
		})
	}
}
