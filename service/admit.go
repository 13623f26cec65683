package service

import "context"

// admission decides who may call.
type admission struct{ allowAnonymous bool }

// admit turns unknown callers away before anything is done for them. Health and
// reflection stay open: they show nothing of Confluence.
func (a admission) admit(ctx context.Context, fullMethod string, next func() error) error {
	if callerName(ctx) == "" && isOurs(fullMethod) && !a.allowAnonymous {
		return &failure{
			cause:   causeCallerUnknown,
			message: "the broker does not know who calls, and refuses anonymous callers; its operator can admit them with --allow-anonymous",
		}
	}
	return next()
}

// callerName is the name of who calls, empty for anonymous callers. It is where
// identity comes in: so far there is none.
func callerName(context.Context) string { return "" }
