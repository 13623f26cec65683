package caller

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// algorithms are those with a key pair. With a shared secret (HS256) the
// issuer's public key would be taken for the secret, and none is no signature.
var algorithms = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512,
	jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
}

// jwt verifies a token by RFC 7519 and RFC 8725: first who has signed it, then
// what it says.
func (v *Verifier) jwt(ctx context.Context, raw string) (*JWT, error) {
	token, err := parseJWT(raw)
	if err != nil {
		return nil, err
	}
	var claimed jwt.Claims // by anybody, until the signature is verified
	if err := token.UnsafeClaimsWithoutVerification(&claimed); err != nil {
		return nil, refuse(ReasonMalformed, "the claims of the JWT cannot be read", nil)
	}
	trusted := (*v.issuers.Load())[claimed.Issuer]
	if trusted == nil {
		return nil, refuse(ReasonUnknownIssuer, "no caller's policy names the issuer "+quoted(claimed.Issuer), nil)
	}
	claims, err := trusted.keys.verify(ctx, token)
	if err != nil {
		return nil, err
	}
	return v.accept(claims, trusted.audiences)
}

func parseJWT(raw string) (*jwt.JSONWebToken, error) {
	token, err := jwt.ParseSigned(raw, algorithms)
	var other *jose.ErrUnexpectedSignatureAlgorithm
	switch {
	case err == nil:
		return token, nil
	case errors.As(err, &other) && other.Got == "none":
		return nil, refuse(ReasonUnsigned, "the JWT is not signed (alg none)", nil)
	case errors.As(err, &other):
		return nil, refuse(ReasonAlgorithm, "the JWT is signed with "+quoted(string(other.Got))+", which is not among RS, PS and ES 256 to 512 and EdDSA", nil)
	}
	return nil, refuse(ReasonMalformed, "the bearer token has dots, but is no JWT", nil) // err may quote it
}

// accept checks what a token says whose signature is good.
func (v *Verifier) accept(claims jwt.Claims, audiences []string) (*JWT, error) {
	err := claims.ValidateWithLeeway(jwt.Expected{AnyAudience: audiences, Time: time.Now()}, v.skew)
	switch {
	case errors.Is(err, jwt.ErrInvalidAudience):
		return nil, refuse(ReasonWrongAudience, "the JWT of "+quoted(claims.Subject)+" is for "+quotedAll(claims.Audience)+" and not for "+quotedAll(audiences), nil)
	case errors.Is(err, jwt.ErrExpired):
		return nil, refuse(ReasonExpired, "the JWT of "+quoted(claims.Subject)+" was good until "+stamp(claims.Expiry.Time()), nil)
	case errors.Is(err, jwt.ErrNotValidYet):
		return nil, refuse(ReasonNotYetValid, "the JWT of "+quoted(claims.Subject)+" is good from "+stamp(claims.NotBefore.Time())+" on; are the clocks right?", nil)
	case errors.Is(err, jwt.ErrIssuedInTheFuture):
		return nil, refuse(ReasonNotYetValid, "the JWT of "+quoted(claims.Subject)+" was issued at "+stamp(claims.IssuedAt.Time())+", which is yet to come; are the clocks right?", nil)
	case err != nil:
		return nil, refuse(ReasonMalformed, "the claims of the JWT do not hold", err)
	case claims.Expiry == nil:
		return nil, refuse(ReasonExpired, "the JWT of "+quoted(claims.Subject)+" has no exp, and would be good for ever", nil)
	case claims.Subject == "":
		return nil, refuse(ReasonNoSubject, "the JWT has no sub: it does not say whom it is about", nil)
	}
	return &JWT{Issuer: claims.Issuer, Audiences: claims.Audience, Subject: claims.Subject}, nil
}

// maxQuoted is how much of a text from outside a log line gets.
const maxQuoted = 120

func quoted(text string) string {
	if len(text) > maxQuoted {
		text = text[:maxQuoted] + "…"
	}
	return strconv.QuoteToASCII(text)
}

func quotedAll(texts []string) string {
	const most = 4
	all := ""
	for n, text := range texts {
		if n == most {
			return all + ", …"
		}
		if n > 0 {
			all += ", "
		}
		all += quoted(text)
	}
	if all == "" {
		return "nobody"
	}
	return all
}
