// Package policy says who may read what: it reads the policy file and answers
// whether a caller may do this or that, and by which rule. It is pure: it asks
// nobody and keeps no state but that of Budgets.
//
// A policy is one YAML file:
//
//	callers:
//	  - name: search-indexer
//	    keys: ["sha256:…"]                     # hashes of static keys
//	    tls:                                   # names in the client certificate
//	      uris: ["spiffe://acme.example/ns/*/sa/indexer"]
//	      dns: [indexer.acme.example]
//	      subjects: ["CN=indexer,O=Acme"]      # in the form of RFC 2253
//	    jwt:
//	      - issuer: https://issuer.acme.example
//	        audience: confluence-broker
//	        subjects: ["system:serviceaccount:search:*"]
//	    methods: [GetPage, Search]             # "*": all
//	    spaces: [DOC, "TEAM*"]                 # "*": all, personal ones too
//	    except:                                # what it may not read there
//	      spaces: [TEAMHR]
//	      labels: [confidential, "hr-*"]
//	      subtrees: [1001]                     # pages, and all below them
//	      restricted: true                     # what not everybody in the space may view
//	    body_formats: [markdown, text]         # left out: all
//	    max_attachment_bytes: 10MiB            # left out: no limit
//	    raw_cql: false                         # queries in the caller's own words
//	    class: batch                           # or interactive, which is the default
//	    weight: 1                              # share among callers of its class
//	    budget: {rate: 20, burst: 40, streams: 4}
//	anonymous:                                 # callers that say nothing, where those are let in
//	  methods: [GetPage]
//	  spaces: [PUBLIC]
//
// Nothing is allowed that no rule allows: a caller without methods may call
// none, one without spaces may read nothing. An exception beats whatever allows.
// What is not known, such as the space of content that cannot be read, is not
// allowed. body_formats, max_attachment_bytes and budget narrow down what is
// allowed, and limit nothing where they are left out.
//
// Any one of keys, tls and jwt makes somebody the caller. Two callers of one file
// cannot be known by the same thing, nor by patterns that can mean the same.
// Where a certificate is one caller's and a token another's, it is neither.
//
// A * stands for any run of characters; in URIs and in subjects of tokens it
// does not go past a / or a :, in DNS names not past a dot, in subjects of
// certificates not past a comma or plus. A * alone stands for everything. There
// are no other patterns, and matching takes linear time.
//
// Space keys are compared without regard to case, as Confluence does
// (https://developer.atlassian.com/cloud/confluence/rest/v2/api-group-space/),
// and so are labels, which Confluence keeps in small letters. Everything else is
// compared as written. Keys that look like numbers or words of YAML need no
// quotes, but for null and ~.
package policy
