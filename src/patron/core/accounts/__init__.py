"""Staff, roles, teams, branches, integration keys."""
