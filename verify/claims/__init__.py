"""The claims: one module each, found by `verify.framework.claim.discover`."""
