"""Sign-in by the hospital's own OpenID Connect provider: authorization code flow with PKCE."""

BACK = "/login/back"
"""Where the provider sends browsers back to."""
LASTS_S = 600
"""How long a sign-in may be under way."""
