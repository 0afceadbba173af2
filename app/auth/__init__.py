"""Who asks, and what that account may see and change: tokens, sessions, other issuers, roles."""
