"""Sign-in by the hospital's own OpenID Connect provider: authorization code flow with PKCE."""
