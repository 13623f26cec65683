package caller

// Reason tells why a caller is refused.
type Reason string

// The reasons.
const (
	ReasonMalformed         Reason = "malformed"               // not one bearer token in a form that can be read
	ReasonOversized         Reason = "oversized"               // longer than any good token
	ReasonUnsigned          Reason = "unsigned"                // alg is none
	ReasonAlgorithm         Reason = "algorithm_not_allowed"   // signed with a shared secret, or in no known way
	ReasonUnknownIssuer     Reason = "unknown_issuer"          // nobody trusts who has signed
	ReasonUnknownKey        Reason = "unknown_key"             // the issuer does not have the key that is named
	ReasonBadSignature      Reason = "bad_signature"           // signed with another key than the one that is named
	ReasonWrongAudience     Reason = "wrong_audience"          // made for somebody else
	ReasonExpired           Reason = "expired"                 // exp has passed, or there is none
	ReasonNotYetValid       Reason = "not_yet_valid"           // nbf or iat is yet to come
	ReasonNoSubject         Reason = "no_subject"              // it does not say whom it is about
	ReasonIssuerUnavailable Reason = "issuer_unavailable"      // the issuer's keys cannot be had now; later they may
	ReasonCertExpired       Reason = "certificate_expired"     // its time has passed
	ReasonCertNotYetValid   Reason = "certificate_not_yet"     // its time is yet to come
	ReasonCertUntrusted     Reason = "certificate_untrusted"   // no authority of ours has signed it
	ReasonCertUsage         Reason = "certificate_not_client"  // it is not for clients
	ReasonCertInvalid       Reason = "certificate_invalid"     // it breaks another rule of X.509
	ReasonCertNoName        Reason = "certificate_has_no_name" // neither URI nor DNS name nor subject
)

// Error is why a caller is refused, in words for the operator. It quotes
// nothing secret.
type Error struct {
	Reason Reason
	Detail string // one sentence: what was wrong, and what would be right
	Err    error  // what lies behind it, if anything
}

func refuse(reason Reason, detail string, err error) error {
	return &Error{Reason: reason, Detail: detail, Err: err}
}

// Error returns the reason and what is known about it.
func (e *Error) Error() string {
	text := string(e.Reason) + ": " + e.Detail
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns what lies behind the error.
func (e *Error) Unwrap() error { return e.Err }

// Temporary tells whether the same call may be let in later: nothing is wrong
// with what it brings, as far as can be told now.
func (e *Error) Temporary() bool { return e.Reason == ReasonIssuerUnavailable }
